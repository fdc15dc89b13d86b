"""Training from S3 to S3 by the steps of the workflow, on moto's server; then what a release takes from there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.delivery.conftest import VARIABLES
from tests.delivery.runner import Outcome, Runner
from tests.delivery.workflow_files import ROOT

pytestmark = pytest.mark.tier("full")

TABLE = ROOT / "examples" / "german_credit" / "germancredit.csv"
CONFIG = "examples/german_credit/settings.toml"
SMALL = "n_estimators = 20\n"  # of [xgboost], the last table there
DATA, RUNS, MODELS = "s3://bank/loans.csv", "s3://bank/runs", "s3://bank/models"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a server."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def environment(s3: str) -> dict[str, str]:
    """The environment of the job once it has assumed its role."""
    return {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_MAX_ATTEMPTS": "2",
    }


@pytest.fixture(scope="module")
def bucket(s3: str) -> Any:
    """A client of it, with one bucket that holds a table."""
    client = boto3.client(
        "s3", endpoint_url=s3, aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-central-1"
    )
    client.create_bucket(Bucket="bank", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.upload_file(str(TABLE), "bank", "loans.csv")
    return client


def keys(bucket: Any, prefix: str) -> list[str]:
    listed = bucket.list_objects_v2(Bucket="bank", Prefix=prefix).get("Contents", [])
    return [entry["Key"] for entry in listed]


def trainer(folder: Path, s3: str) -> Runner:
    """A repository that trains on the table of the bucket."""
    variables = VARIABLES | {"TRAIN_ROLE_ARN": "arn:aws:iam::123456789012:role/lastbit-train"}
    variables |= {"TRAIN_DATA": DATA, "TRAIN_CONFIG": CONFIG, "RUNS": RUNS, "MODELS": MODELS}
    return Runner(folder, variables, environment(s3))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, s3: str, bucket: Any) -> tuple[Runner, Outcome]:
    """The job's results."""
    runner = trainer(tmp_path_factory.mktemp("trained"), s3)
    workspace = runner.workspace()
    with (workspace / CONFIG).open("a") as settings:
        settings.write(SMALL)
    return runner, runner.run("train.yml", "train", workspace)


def test_a_version_is_published_and_handed_on(trained: tuple[Runner, Outcome], bucket: Any) -> None:
    _, outcome = trained
    assert outcome.status == 0, outcome.log
    version = outcome.outputs["train"]["version"]
    assert {f"models/{version}/{name}" for name in ("model.onnx", "manifest.json", "certificate.json")} <= set(
        keys(bucket, "models/")
    )
    assert keys(bucket, "runs/77-1/run.json")


def test_the_summary_has_metrics_and_certificate_and_no_applicant(trained: tuple[Runner, Outcome]) -> None:
    runner, outcome = trained
    assert "| Metric | train | test |" in outcome.summary
    assert f"### Model `{outcome.outputs['train']['version']}`" in outcome.summary
    # What training leaves holds applicants.
    assert not runner.artifacts.exists()
    words = TABLE.read_text().splitlines()[1].split(",")
    for text in (outcome.summary, outcome.log):
        assert words[0] not in text


def test_its_release_is_started(trained: tuple[Runner, Outcome]) -> None:
    runner, outcome = trained
    version = outcome.outputs["train"]["version"]
    started = runner.run("train.yml", "release", needs={"train": {"outputs": {"version": version}}})
    assert started.status == 0, started.log
    *_, words = runner.calls
    assert words[1:4] == ["workflow", "run", "release.yml"]
    assert words[words.index("--field") + 1] == f"model={version}"


@pytest.mark.parametrize("asked", ["latest", "by version"])
def test_a_release_takes_the_published_version(trained: tuple[Runner, Outcome], tmp_path: Path, asked: str) -> None:
    before, outcome = trained
    version = outcome.outputs["train"]["version"]
    runner = Runner(tmp_path, before.variables, before.environment)
    inputs = {"model": version} if asked == "by version" else {}
    taken = runner.run("release.yml", "model", inputs=inputs)
    assert taken.status == 0, taken.log
    manifest = json.loads((runner.artifacts / "model" / "manifest.json").read_text())
    assert manifest["model_version"] == version
    assert f"### Model `{version}`" in taken.summary


def test_a_version_that_was_not_published(trained: tuple[Runner, Outcome], tmp_path: Path) -> None:
    before, _ = trained
    runner = Runner(tmp_path, before.variables, before.environment)
    taken = runner.run("release.yml", "model", inputs={"model": "0" * 12})
    assert taken.status == 1
    assert "error: " in taken.log
    assert "000000000000" in taken.log
    assert "Traceback" not in taken.log
    assert not runner.artifacts.exists()


@pytest.mark.parametrize("name", ["TRAIN_ROLE_ARN", "TRAIN_DATA", "MODELS", "RUNS", "AWS_REGION"])
def test_a_missing_variable_stops_it_at_once(tmp_path: Path, name: str) -> None:
    runner = trainer(tmp_path, "http://127.0.0.1:9")
    del runner.variables[name]
    outcome = runner.run("train.yml", "train")
    assert outcome.status == 2
    assert f"error: not set: {name.replace('TRAIN_DATA', 'DATA')}; docs/delivery.md" in outcome.log


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ({"data": "s3://bank/lones.csv"}, "lones.csv"),
        ({"config": "examples/nothing.toml"}, "examples/nothing.toml"),
        ({"tune": "many"}, "many"),
    ],
)
def test_a_training_that_fails_publishes_nothing(
    tmp_path: Path, s3: str, bucket: Any, inputs: dict[str, str], line: str
) -> None:
    runner = trainer(tmp_path, s3)
    before = keys(bucket, "models/")
    outcome = runner.run("train.yml", "train", inputs=inputs)
    assert outcome.status != 0
    assert line in outcome.log
    assert "Traceback" not in outcome.log
    assert "the version that was published last is as it was" not in outcome.summary
    assert keys(bucket, "models/") == before
    assert "version" not in outcome.outputs["train"]
