"""Two certified models and their packages; an account in which they are deployed."""

import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from deploy import endpoint, stack
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
REGION = "eu-central-1"
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


@cache
def descriptions() -> Any:
    """The service models that botocore reads: half a second, once for all tests."""
    return botocore.loaders.create_loader()


def shared_session(**settings: Any) -> Any:
    """boto3.Session, without reading all that anew."""
    core = botocore.session.Session()
    core.register_component("data_loader", descriptions())
    return boto3.session.Session(botocore_session=core, **settings)


@pytest.fixture(scope="session")
def clients(moto: str) -> dict[str, Any]:
    """boto3's, for the tests themselves."""
    its = {"endpoint_url": moto, "region_name": REGION, "aws_access_key_id": "t", "aws_secret_access_key": "t"}
    return {service: boto3.client(service, **its) for service in ("s3", "lambda", "iam")}


class Account:
    """The account of a test: what is deployed in it answers at `url`, if it has the key.

    `broken` replaces the handler, `fails` is why CodeDeploy gives up.
    """

    def __init__(self, clients: dict[str, Any], models: list[Manifest], handlers: list[Respond]) -> None:
        self.packages, self.functions = clients["s3"], clients["lambda"]
        self.role = clients["iam"].create_role(RoleName="function", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.packages.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.cloudformation = CloudFormation(self._deployed)
        self.cloudformation.keys["key-a"] = KEY
        self.url = ""
        self.broken: Respond | None = None
        self.fails = ""
        self.more_outputs: dict[str, str] = {}
        self._by_model = {m.model_version: handler for m, handler in zip(models, handlers, strict=True)}

    def _deployed(self, parameters: dict[str, str]) -> dict[str, str]:
        """A new version; `live` moves to it, unless that fails."""
        client = self.functions
        description = f"model {parameters['ModelVersion']}, release {parameters['Release']}"
        code: dict[str, Any] = {"S3Bucket": parameters["PackageBucket"], "S3Key": parameters["PackageKey"]}
        if not self._is_there():
            client.create_function(
                FunctionName=NAME,
                Runtime=parameters["Runtime"],
                Role=self.role,
                Handler="runtime.handler.handler",
                Code=code,
            )
        else:
            client.update_function_code(FunctionName=NAME, **code)
        # Lambda publishes nothing where nothing has changed since the last version.
        last = client.list_versions_by_function(FunctionName=NAME)["Versions"][-1]
        if last["Version"] != "$LATEST" and last["Description"] == description:
            raise Refused("A version for this Lambda function exists ( 2 ). Modify the function to create a new one.")
        version = client.publish_version(FunctionName=NAME, Description=description)["Version"]
        if self.fails:
            # SAM retains versions, so a failed change leaves its own behind unless configured otherwise.
            if self.cloudformation.retains_except_on_create:
                client.delete_function(FunctionName=NAME, Qualifier=version)
            raise Refused(self.fails)
        if self.live is None:
            client.create_alias(FunctionName=NAME, Name="live", FunctionVersion=version)
        else:
            client.update_alias(FunctionName=NAME, Name="live", FunctionVersion=version)
        model = parameters["ModelVersion"]
        outputs = {"Url": self.url, "ApiKeyId": "key-a", "FunctionName": NAME, "Version": version}
        return outputs | {"ModelVersion": model} | self.more_outputs

    def _is_there(self) -> bool:
        names = [entry["FunctionName"] for entry in self.functions.list_functions()["Functions"]]
        return NAME in names

    @property
    def live(self) -> str | None:
        return self.alias("live")

    def alias(self, name: str) -> str | None:
        try:
            return str(self.functions.get_alias(FunctionName=NAME, Name=name)["FunctionVersion"])
        except self.functions.exceptions.ResourceNotFoundException:
            return None

    def respond(self, event: Any) -> Any:
        if self.broken is not None:
            return self.broken(event)
        version = self.functions.get_function_configuration(FunctionName=NAME, Qualifier=self.live)
        return self._by_model[version["Description"].split()[1].rstrip(",")](event)


@pytest.fixture
def account(
    moto: str,
    clients: dict[str, Any],
    manifests: list[Manifest],
    handlers: list[Respond],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Account]:
    """An account with a bucket for packages, and nothing else in it."""
    its = Account(clients, manifests, handlers)
    with ExitStack() as services:
        its.url = services.enter_context(serving(guarded(its.respond, KEY)))
        endpoint = services.enter_context(cloudformation.serving(its.cloudformation))
        for name, value in {
            "AWS_ENDPOINT_URL": moto,
            "AWS_ENDPOINT_URL_CLOUDFORMATION": endpoint,
            "AWS_ENDPOINT_URL_API_GATEWAY": endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("LASTBIT_API_KEY", raising=False)
        monkeypatch.setattr(boto3, "Session", shared_session)
        yield its
        _forget(moto)


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


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asks again at once."""
    monkeypatch.setattr(endpoint, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(stack, "FIRST_WAIT", 0.01)
