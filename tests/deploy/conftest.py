"""Two certified models and their packages; an account in which they are deployed."""

import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from runtime.manifest import Manifest
from tests.deploy import cloudformation
from tests.deploy.cloudformation import CloudFormation, Refused
from tests.deploy.served import Respond, askable_model, guarded, handler_of, package_of, serving
from tests.runtime.model_builder import SMALL_FEATURES, reference_features

KEY = "the-key-of-the-stage"
STAGES = """
[common]
Runtime = "python3.13"
QuotaPerDay = 1000
MissingShare = 0.5
ScoreMedianLow = 500
ScoreMedianHigh = 700
[dev]
region = "eu-central-1"
stack = "lastbit-dev"
bucket = "packages-{account}-{region}"
[dev.parameters]
MemorySize = 512
Traffic = "Canary10Percent5Minutes"
ThrottleRate = 50
ThrottleBurst = 100
LogRetention = 14
LatencyP99 = 100
"""
BUCKET = "packages-123456789012-eu-central-1"
NAME = "lastbit-dev-Zip"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two certified models."""
    folder = tmp_path_factory.mktemp("models")
    return [
        askable_model(folder / "first" / "model", reference_features()),
        askable_model(folder / "second" / "model", SMALL_FEATURES),
    ]


@pytest.fixture(scope="session")
def packages(models: list[Path]) -> list[Path]:
    """The package of each."""
    return [package_of(model, model.parent / "lambda.zip") for model in models]


@pytest.fixture(scope="session")
def manifests(models: list[Path]) -> list[Manifest]:
    """The manifest of each."""
    return [Manifest.read(str(model / "manifest.json")) for model in models]


@pytest.fixture(scope="session")
def handlers(models: list[Path]) -> list[Respond]:
    """The handler over each."""
    return [handler_of(model) for model in models]


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """S3, STS and Lambda's versions and aliases."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


class Account:
    """The account of a test: what is deployed in it answers at `url`, if it has the key.

    `broken` takes the place of the handler, `fails` is why CodeDeploy gives up.
    """

    def __init__(self, models: list[Manifest], handlers: list[Respond]) -> None:
        self.cloudformation = CloudFormation(self._deployed)
        self.cloudformation.keys["key-a"] = KEY
        self.url = ""
        self.broken: Respond | None = None
        self.fails = ""
        self._by_model = {m.model_version: handler for m, handler in zip(models, handlers, strict=True)}

    def _deployed(self, parameters: dict[str, str]) -> dict[str, str]:
        """A new version; `live` moves to it, unless that fails."""
        client = boto3.client("lambda")
        description = f"model {parameters['ModelVersion']}, release {parameters['Release']}"
        code: dict[str, Any] = {"S3Bucket": parameters["PackageBucket"], "S3Key": parameters["PackageKey"]}
        if self.live is None:
            client.create_function(
                FunctionName=NAME,
                Runtime=parameters["Runtime"],
                Role=boto3.client("iam").get_role(RoleName="function")["Role"]["Arn"],
                Handler="runtime.handler.handler",
                Code=code,
            )
        else:
            client.update_function_code(FunctionName=NAME, **code)
        version = client.publish_version(FunctionName=NAME, Description=description)["Version"]
        if self.fails:
            raise Refused(self.fails)
        if self.live is None:
            client.create_alias(FunctionName=NAME, Name="live", FunctionVersion=version)
        else:
            client.update_alias(FunctionName=NAME, Name="live", FunctionVersion=version)
        model = parameters["ModelVersion"]
        outputs = {"Url": self.url, "ApiKeyId": "key-a", "FunctionName": NAME, "Version": version}
        return outputs | {"ModelVersion": model}

    @property
    def live(self) -> str | None:
        return self.alias("live")

    @staticmethod
    def alias(name: str) -> str | None:
        client = boto3.client("lambda")
        try:
            return str(client.get_alias(FunctionName=NAME, Name=name)["FunctionVersion"])
        except client.exceptions.ResourceNotFoundException:
            return None

    def respond(self, event: Any) -> Any:
        if self.broken is not None:
            return self.broken(event)
        version = boto3.client("lambda").get_function_configuration(FunctionName=NAME, Qualifier=self.live)
        return self._by_model[version["Description"].split()[1].rstrip(",")](event)


@pytest.fixture
def account(
    moto: str, manifests: list[Manifest], handlers: list[Respond], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """An account with a bucket for packages, and nothing else in it."""
    its = Account(manifests, handlers)
    with ExitStack() as stack:
        its.url = stack.enter_context(serving(guarded(its.respond, KEY)))
        endpoint = stack.enter_context(cloudformation.serving(its.cloudformation))
        for name, value in {
            "AWS_ENDPOINT_URL": moto,
            "AWS_ENDPOINT_URL_CLOUDFORMATION": endpoint,
            "AWS_ENDPOINT_URL_API_GATEWAY": endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("LASTBIT_API_KEY", raising=False)
        boto3.DEFAULT_SESSION = None
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        boto3.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument="{}")
        yield its
        _forget(moto)
        boto3.DEFAULT_SESSION = None


def _forget(moto: str) -> None:
    request = urllib.request.Request(f"{moto}/moto-api/reset", method="POST")
    with urllib.request.urlopen(request):
        pass


@pytest.fixture
def stages(tmp_path: Path) -> Path:
    """A file of stages with one, dev."""
    path = tmp_path / "stages.toml"
    path.write_text(STAGES)
    return path
