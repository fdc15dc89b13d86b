"""deploy/deploy.py as the workflow runs it: S3, STS and Lambda are moto's, over HTTP; CloudFormation is ours."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy import endpoint, stack
from deploy.deploy import main
from runtime.manifest import Manifest
from tests.deploy.conftest import BUCKET, NAME, Account
from tests.deploy.served import answer, package_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(stack, "FIRST_WAIT", 0.01)


def deploy(stages: Path, package: Path, *words: object) -> int:
    return main([*map(str, ("--stage", "dev", "--stages", stages, "--package", package, *words))])


def error(capsys: Any) -> str:
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(said) == 1
    return str(said[0])


def test_the_first_deployment(
    account: Account, stages: Path, packages: list[Path], manifests: list[Manifest], capsys: Any
) -> None:
    assert deploy(stages, packages[0], "--yes") == 0
    out, said = capsys.readouterr()
    assert out == f"{account.url}\n"
    digest = hashlib.sha256(packages[0].read_bytes()).hexdigest()
    for told in (
        "stage        dev",
        "account      123456789012, as arn:aws:sts::123456789012:user/moto",
        "region       eu-central-1",
        "stack        lastbit-dev (new)",
        f"model        {manifests[0].model_version} (now: none)",
        f"for python3.13 on x86_64, sha256 {digest}",
        f"from         s3://{BUCKET}/packages/{digest}.zip",
        "traffic      all of it, to the first version",
        "if it fails  CloudFormation removes what it has made",
        "Add     ZipFunctionVersion1  AWS::Lambda::Version",
        "without a key        ✓  403",
        f"Model {manifests[0].model_version} answers at:",
    ):
        assert told in said
    assert "rollback would" not in said
    assert account.live == "1"
    assert account.alias("previous") is None
    stored = account.packages.get_object(Bucket=BUCKET, Key=f"packages/{digest}.zip")
    assert stored["Body"].read() == packages[0].read_bytes()


def test_the_next_one_keeps_the_way_back(
    account: Account, stages: Path, packages: list[Path], manifests: list[Manifest], capsys: Any
) -> None:
    assert deploy(stages, packages[0], "--yes") == 0
    capsys.readouterr()
    assert deploy(stages, packages[1], "--yes") == 0
    said = capsys.readouterr().err
    first, second = (manifest.model_version for manifest in manifests)
    assert f"model        {second} (now: {first})" in said
    assert "traffic      Canary10Percent5Minutes, from version 1 to the new one" in said
    assert "one of four alarms or the smoke test brings version 1 back" in said
    assert "\n  ZipFunctionAliaslive UPDATE_COMPLETE\n" in said
    assert f"A rollback would bring back version 1, model {first}." in said
    assert (account.live, account.alias("previous")) == ("2", "1")


def test_the_same_once_more_changes_nothing(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    assert deploy(stages, packages[0], "--yes") == 0
    capsys.readouterr()
    assert deploy(stages, packages[0], "--yes") == 0
    said = capsys.readouterr().err
    assert "Nothing changes: this release is what runs there." in said
    assert "(there already)" in said
    assert "Time to an answer" in said  # it is tested all the same
    assert (account.live, account.alias("previous")) == ("1", None)
    assert account.cloudformation.change_sets.keys() == {next(iter(account.cloudformation.change_sets))}


def test_a_dry_run_leaves_no_trace(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    assert deploy(stages, packages[0], "--dry-run") == 0
    said = capsys.readouterr().err
    assert "AWS::Lambda::Version" in said
    assert "Nothing was changed." in said
    assert account.cloudformation.stacks == {}
    assert account.cloudformation.change_sets == {}
    assert "Contents" not in account.packages.list_objects_v2(Bucket=BUCKET)


def test_nobody_to_ask(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    assert deploy(stages, packages[0]) == 2
    assert "to deploy without asking, pass --yes" in error(capsys)
    assert account.cloudformation.stacks == {}


@pytest.mark.parametrize(("typed", "goes_ahead"), [("y\n", True), ("yes\n", True), ("\n", False), ("no\n", False)])
def test_the_question(
    account: Account,
    stages: Path,
    packages: list[Path],
    typed: str,
    goes_ahead: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: typed.strip())
    assert deploy(stages, packages[0], "--quiet") == 0
    assert account.live == ("1" if goes_ahead else None)


def test_as_a_script_in_a_process_of_its_own(account: Account, stages: Path, packages: list[Path]) -> None:
    """From the project's folder, as `make deploy` and the workflow call it."""
    command = ["deploy/deploy.py", "--stage", "dev", "--stages", stages, "--package", packages[0], "--yes", "--quiet"]
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{account.url}\n", "")
    assert account.live == "1"


# What goes wrong after it has begun: prod keeps what it had.


def test_a_canary_that_fails(
    account: Account, stages: Path, packages: list[Path], manifests: list[Manifest], capsys: Any
) -> None:
    assert deploy(stages, packages[0], "--yes") == 0
    capsys.readouterr()
    account.fails = "Rolled back: alarm lastbit-dev-slow is in ALARM"
    assert deploy(stages, packages[1], "--yes") == 1
    assert error(capsys) == (
        "error: lastbit-dev: ZipFunctionAliaslive (AWS::Lambda::Alias): Rolled back: alarm lastbit-dev-slow is in "
        f"ALARM; the stack is UPDATE_ROLLBACK_COMPLETE; live is at version 1, model {manifests[0].model_version}"
    )
    assert (account.live, account.alias("previous")) == ("1", None)
    # What failed is a version too, and not one to go back to.
    account.fails = ""
    assert deploy(stages, packages[1], "--yes", "--at-once") == 0
    assert (account.live, account.alias("previous")) == ("3", "1")


def test_a_first_deployment_that_fails(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    account.fails = "no permission"
    assert deploy(stages, packages[0], "--yes") == 1
    assert "no permission; the stack is ROLLBACK_COMPLETE; nothing answers" in error(capsys)
    assert deploy(stages, packages[0], "--yes") == 1
    assert "is ROLLBACK_COMPLETE: its first deployment failed; remove it" in error(capsys)


def test_a_smoke_test_that_fails(
    account: Account, stages: Path, packages: list[Path], manifests: list[Manifest], capsys: Any
) -> None:
    assert deploy(stages, packages[0], "--yes") == 0
    capsys.readouterr()
    account.broken = lambda event: answer(500, {"detail": "broken"})
    assert deploy(stages, packages[1], "--yes") == 1
    said = error(capsys)
    assert "/health: expected status 200, got 500 (broken)" in said
    assert f"live is back at version 1, model {manifests[0].model_version}" in said
    assert (account.live, account.alias("previous")) == ("1", None)
    # The stack does not know of that, and traffic would be moved from the version that failed.
    account.broken = None
    assert deploy(stages, packages[1], "--yes") == 1
    assert "live is at version 1, and the stack left it at 2" in error(capsys)
    assert deploy(stages, packages[1], "--yes", "--at-once") == 0
    assert (account.live, account.alias("previous")) == ("3", "1")


def test_a_smoke_test_that_fails_with_nothing_before(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    account.broken = lambda event: answer(500, {})
    assert deploy(stages, packages[0], "--yes") == 1
    assert "got 500; live is at version 1" in error(capsys)


def test_another_deployment_under_way(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    assert deploy(stages, packages[0], "--yes") == 0
    account.cloudformation.stacks["lastbit-dev"]["passing"] = ["UPDATE_IN_PROGRESS"]
    capsys.readouterr()
    assert deploy(stages, packages[1], "--yes") == 1
    assert "lastbit-dev: is UPDATE_IN_PROGRESS: another deployment is under way" in error(capsys)


def test_an_alias_between_two_versions(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    assert deploy(stages, packages[0], "--yes") == 0
    assert deploy(stages, packages[1], "--yes") == 0
    client = account.functions
    weights = {"AdditionalVersionWeights": {"1": 0.1}}
    client.update_alias(FunctionName=NAME, Name="live", FunctionVersion="2", RoutingConfig=weights)
    capsys.readouterr()
    assert deploy(stages, packages[0], "--yes") == 1
    assert "10% of the requests go to version 1, left from a deployment that was stopped" in error(capsys)


def test_old_versions_are_let_go(
    account: Account, stages: Path, packages: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("deploy.deploy.VERSIONS_KEPT", 1)
    for number in range(3):
        assert deploy(stages, packages[number % 2], "--yes") == 0
    assert "Deleted version 1; their packages stay in the bucket." in capsys.readouterr().err
    entries = account.functions.list_versions_by_function(FunctionName=NAME)["Versions"]
    assert [entry["Version"] for entry in entries] == ["$LATEST", "2", "3"]
    assert (account.live, account.alias("previous")) == ("3", "2")


# What stands against it before it begins: nothing is changed.


def refused(account: Account, stages: Path, package: Path, capsys: Any, *words: object, status: int = 1) -> str:
    assert deploy(stages, package, "--yes", *words) == status
    assert account.cloudformation.stacks == {}
    assert "Contents" not in account.packages.list_objects_v2(Bucket=BUCKET)
    return error(capsys)


def test_no_package(account: Account, stages: Path, tmp_path: Path, capsys: Any) -> None:
    said = refused(account, stages, tmp_path / "lambda.zip", capsys)
    assert "lambda.zip: no such file; run python -m export.package first" in said
    assert account.cloudformation.calls == []


def test_a_package_that_is_none(account: Account, stages: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "lambda.zip").write_bytes(b"PK\x03\x04 cut short")
    assert "is not a zip" in refused(account, stages, tmp_path / "lambda.zip", capsys)


@pytest.mark.parametrize(
    ("left_out", "named"),
    [
        (
            "certificate.json",
            "lambda.zip: model/certificate.json: no such file, and a model without one is not trusted",
        ),
        ("model.onnx", "lambda.zip: model/model.onnx: no such file"),
    ],
)
def test_a_model_without_a_certificate(
    account: Account, stages: Path, models: list[Path], left_out: str, named: str, tmp_path: Path, capsys: Any
) -> None:
    package = package_of(models[0], tmp_path / "lambda.zip", leave_out=left_out)
    assert named in refused(account, stages, package, capsys)


def test_the_certificate_of_another_model(
    account: Account, stages: Path, models: list[Path], tmp_path: Path, capsys: Any
) -> None:
    shutil.copytree(models[0], tmp_path / "model")
    shutil.copy(models[1] / "certificate.json", tmp_path / "model")
    package = package_of(tmp_path / "model", tmp_path / "lambda.zip")
    said = refused(account, stages, package, capsys)
    assert "lambda.zip: model/model.onnx: sha256: the certificate has" in said


def test_certified_with_another_onnxruntime(
    account: Account, stages: Path, models: list[Path], tmp_path: Path, capsys: Any
) -> None:
    shutil.copytree(models[0], tmp_path / "model")
    certificate = json.loads((tmp_path / "model/certificate.json").read_text())
    certificate["versions"]["onnxruntime"] = "1.0.0"
    (tmp_path / "model/certificate.json").write_text(json.dumps(certificate))
    package = package_of(tmp_path / "model", tmp_path / "lambda.zip")
    assert "certified with onnxruntime 1.0.0" in refused(account, stages, package, capsys)


def test_a_package_over_lambda_s_limit(
    account: Account, stages: Path, packages: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("export.package.UNZIPPED_LIMIT", 1_000)
    assert "Lambda takes at most 0.0 MB" in refused(account, stages, packages[0], capsys)


@pytest.mark.parametrize(
    ("compiled", "named"),
    [
        ("cpython-312-x86_64", "Runtime: stage dev has python3.13, the package is for python3.12"),
        ("cpython-313-aarch64", "Architecture: stage dev has x86_64, the package is for arm64"),
    ],
)
def test_a_package_for_another_target(
    account: Account, stages: Path, models: list[Path], compiled: str, named: str, tmp_path: Path, capsys: Any
) -> None:
    package = package_of(models[0], tmp_path / "lambda.zip", compiled=compiled)
    assert named in refused(account, stages, package, capsys)


def test_no_such_stage(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    assert deploy(stages, packages[0], "--stage", "dve") == 2
    assert "no stage dve; did you mean dev?" in error(capsys)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("MemorySize = 512", "", "MemorySize: missing"),
        ("MemorySize = 512", "MemorySize = 64", "MemorySize: expected a number from 128 to 10240, got '64'"),
        ("MemorySize = 512", "MemorySize = 'much'", "MemorySize: expected a number, got 'much'"),
        ("MemorySize", "MemroySize", "MemroySize: the template has no such parameter; did you mean MemorySize?"),
        ("MemorySize", "Gradual = false\nMemorySize", "Gradual: is no setting"),
        ('"Canary10Percent5Minutes"', '"Canary"', "Traffic: expected one of AllAtOnce, Canary10Percent5Minutes"),
        ("LatencyP99 = 100", "LatencyP99 = [100]", "LatencyP99: expected text, a number, true or false, got [100]"),
        ('region = "eu-central-1"', "", "[dev] region: expected a string, got None"),
        ('stack = "lastbit-dev"', 'stack = "Lastbit"', "stack: expected up to 41 lower-case letters"),
        ("region =", "regoin = 1\nregion =", "[dev] regoin: unknown; did you mean region?"),
        ("[common]", "[common", "is not TOML"),
    ],
)
def test_settings_that_do_not_fit(
    account: Account, stages: Path, packages: list[Path], old: str, new: str, named: str, capsys: Any
) -> None:
    stages.write_text(stages.read_text().replace(old, new, 1))
    assert named in refused(account, stages, packages[0], capsys, status=2)
    assert account.cloudformation.calls == []


def test_an_image_is_named_where_there_is_one(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    image = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/lastbit@sha256:{'0' * 64}"
    assert "expected no --image" in refused(account, stages, packages[0], capsys, "--image", image, status=2)
    stages.write_text(stages.read_text().replace("[common]", '[common]\nPackageType = "Image"'))
    assert "expected --image URI@sha256:" in refused(account, stages, packages[0], capsys, status=2)
    tag = image.partition("@")[0] + ":latest"
    assert "ImageUri: expected text like" in refused(account, stages, packages[0], capsys, "--image", tag, status=2)


def test_an_image_in_place_of_the_zip(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    image = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/lastbit@sha256:{'0' * 64}"
    stages.write_text(stages.read_text().replace("[common]", '[common]\nPackageType = "Image"'))
    assert deploy(stages, packages[0], "--image", image, "--dry-run") == 0
    assert f"from         {image}" in capsys.readouterr().err


def test_cloudformation_works_as_a_role_of_its_own(account: Account, stages: Path, packages: list[Path]) -> None:
    role = "arn:aws:iam::123456789012:role/cloudformation"
    stages.write_text(stages.read_text().replace("[dev]", f'[dev]\nrole = "{role}"'))
    assert deploy(stages, packages[0], "--yes", "--quiet") == 0
    assert account.cloudformation.roles == [role]


def test_another_account(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    stages.write_text(stages.read_text().replace("[dev]", '[dev]\naccount = "999999999999"'))
    assert "is in account 999999999999, and we are in 123456789012" in refused(account, stages, packages[0], capsys)


def test_no_bucket(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    stages.write_text(stages.read_text().replace("packages-{account}", "other-{account}"))
    said = refused(account, stages, packages[0], capsys)
    assert "other-123456789012-eu-central-1: no such bucket; make it once" in said


def test_no_credentials(
    account: Account, stages: Path, packages: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert deploy(stages, packages[0], "--yes") == 1
    assert "asking AWS who we are: no AWS credentials; log in" in error(capsys)


def test_aws_cannot_be_reached(
    account: Account, stages: Path, packages: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert deploy(stages, packages[0], "--yes") == 1
    assert "asking AWS who we are: Could not connect" in error(capsys)


def test_cloudformation_refuses(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    account.cloudformation.refuses = "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application"
    said = refused(account, stages, packages[0], capsys)
    assert "lastbit-dev: CloudFormation refuses the change: Transform AWS::Serverless-2016-10-31 failed" in said


def test_the_model_folder_holds_another(
    account: Account,
    stages: Path,
    models: list[Path],
    packages: list[Path],
    tmp_path: Path,
    capsys: Any,
    monkeypatch: Any,
) -> None:
    """An export that was not packaged: said, since it is not what is deployed."""
    shutil.copytree(models[1], tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    assert deploy(stages, packages[0], "--dry-run") == 0
    said = capsys.readouterr().err
    second = Manifest.read(str(models[1] / "manifest.json")).model_version
    assert f"Note: model/ holds {second}, the package" in said
