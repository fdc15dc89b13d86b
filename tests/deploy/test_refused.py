"""Deployments that are refused before they begin: one line, and nothing is changed."""

import json
import shutil
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from cli.errors import UserError
from delivery import release_record
from runtime.manifest import Manifest
from tests.deploy.conftest import BUCKET, Account
from tests.deploy.served import package_of
from tests.deploy.test_deploy import deploy, error

pytestmark = [pytest.mark.usefixtures("no_pause"), pytest.mark.tier("land")]


def refused(account: Account, stages: Path, package: Path, capsys: Any, *words: object, status: int = 1) -> str:
    assert deploy(stages, package, "--yes", *words) == status
    assert account.cloudformation.stacks == {}
    assert "Contents" not in account.packages.list_objects_v2(Bucket=BUCKET)
    return error(capsys)


def test_a_missing_package_is_refused(account: Account, stages: Path, tmp_path: Path, capsys: Any) -> None:
    said = refused(account, stages, tmp_path / "lambda.zip", capsys)
    assert "lambda.zip: no such file; run python -m export.package first" in said
    assert account.cloudformation.calls == []


def test_an_invalid_package_is_refused(account: Account, stages: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "lambda.zip").write_bytes(b"PK\x03\x04 cut short")
    assert "is not a zip that can be read (" in refused(account, stages, tmp_path / "lambda.zip", capsys)


def test_a_package_with_a_damaged_member_is_refused(
    account: Account, stages: Path, models: list[Path], tmp_path: Path, capsys: Any
) -> None:
    with ZipFile(package_of(models[0], tmp_path / "whole.zip")) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    with ZipFile(tmp_path / "lambda.zip", "w", ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
        place = packed.getinfo("model/manifest.json").header_offset + 100
    content = (tmp_path / "lambda.zip").read_bytes()
    (tmp_path / "lambda.zip").write_bytes(content[:place] + bytes(100) + content[place + 100 :])
    said = refused(account, stages, tmp_path / "lambda.zip", capsys)
    assert "lambda.zip: is not a zip that can be read (Error -3 while decompressing data: " in said
    with pytest.raises(UserError, match="expected a package with a model inside; build the release again"):
        release_record.model_version(tmp_path / "lambda.zip")


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
def test_a_model_without_a_certificate_is_refused(
    account: Account, stages: Path, models: list[Path], left_out: str, named: str, tmp_path: Path, capsys: Any
) -> None:
    package = package_of(models[0], tmp_path / "lambda.zip", leave_out=left_out)
    assert named in refused(account, stages, package, capsys)


def test_the_certificate_of_another_model_is_refused(
    account: Account, stages: Path, models: list[Path], tmp_path: Path, capsys: Any
) -> None:
    shutil.copytree(models[0], tmp_path / "model")
    shutil.copy(models[1] / "certificate.json", tmp_path / "model")
    package = package_of(tmp_path / "model", tmp_path / "lambda.zip")
    said = refused(account, stages, package, capsys)
    assert "lambda.zip: model/model.onnx: sha256: the certificate has" in said


def test_a_certificate_of_another_onnxruntime_is_refused(
    account: Account, stages: Path, models: list[Path], tmp_path: Path, capsys: Any
) -> None:
    shutil.copytree(models[0], tmp_path / "model")
    certificate = json.loads((tmp_path / "model/certificate.json").read_text())
    certificate["versions"]["onnxruntime"] = "1.0.0"
    (tmp_path / "model/certificate.json").write_text(json.dumps(certificate))
    package = package_of(tmp_path / "model", tmp_path / "lambda.zip")
    assert "certified with onnxruntime 1.0.0" in refused(account, stages, package, capsys)


def test_a_package_over_lambda_s_limit_is_refused(
    account: Account, stages: Path, packages: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("export.package.UNZIPPED_LIMIT", 1_000)
    assert "Lambda's limit is 0.0 MB" in refused(account, stages, packages[0], capsys)


@pytest.mark.parametrize(
    ("compiled", "named"),
    [
        ("cpython-312-x86_64", "Runtime: stage dev has python3.13, the package is for python3.12"),
        ("cpython-313-aarch64", "Architecture: stage dev has x86_64, the package is for arm64"),
        ("cpython-313-ppc64le", "lambda.zip: expected modules for x86_64 or arm64, got ppc64le; package it again"),
        ("abi3", "lambda.zip: expected modules compiled for one Python and processor, found none; package it again"),
    ],
)
def test_a_package_for_another_target_is_refused(
    account: Account, stages: Path, models: list[Path], compiled: str, named: str, tmp_path: Path, capsys: Any
) -> None:
    package = package_of(models[0], tmp_path / "lambda.zip", compiled=compiled)
    assert named in refused(account, stages, package, capsys)


def test_an_unknown_stage_is_refused_with_the_nearest_name(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    assert deploy(stages, packages[0], "--stage", "dve") == 2
    assert "no stage dve; did you mean dev?" in error(capsys)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("MemorySize = 512", "", "MemorySize: missing"),
        ("MemorySize = 512", "MemorySize = 64", "MemorySize: expected a number from 128 to 10240, got '64'"),
        ("MemorySize = 512", "MemorySize = 'much'", "MemorySize: expected a number, got 'much'"),
        ("MemorySize", "MemroySize", "MemroySize: the template has no such parameter; did you mean MemorySize?"),
        ("MemorySize", "Gradual = false\nMemorySize", "Gradual: is not a setting"),
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
    stages.write_text(stages.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    assert named in refused(account, stages, packages[0], capsys, status=2)
    assert account.cloudformation.calls == []


def test_an_image_is_named_where_there_is_one(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    image = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/lastbit@sha256:{'0' * 64}"
    assert "expected no --image" in refused(account, stages, packages[0], capsys, "--image", image, status=2)
    stages.write_text(
        stages.read_text(encoding="utf-8").replace("[common]", '[common]\nPackageType = "Image"'), encoding="utf-8"
    )
    assert "expected --image URI@sha256:" in refused(account, stages, packages[0], capsys, status=2)
    tag = image.partition("@")[0] + ":latest"
    assert "ImageUri: expected text like" in refused(account, stages, packages[0], capsys, "--image", tag, status=2)


def test_an_image_for_a_stage_of_zips_is_refused(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    image = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/lastbit@sha256:{'0' * 64}"
    stages.write_text(
        stages.read_text(encoding="utf-8").replace("[common]", '[common]\nPackageType = "Image"'), encoding="utf-8"
    )
    assert deploy(stages, packages[0], "--image", image, "--dry-run") == 0
    assert f"from         {image}" in capsys.readouterr().err


def test_cloudformation_works_as_a_role_of_its_own(account: Account, stages: Path, packages: list[Path]) -> None:
    role = "arn:aws:iam::123456789012:role/cloudformation"
    stages.write_text(stages.read_text(encoding="utf-8").replace("[dev]", f'[dev]\nrole = "{role}"'), encoding="utf-8")
    assert deploy(stages, packages[0], "--yes", "--quiet") == 0
    assert account.cloudformation.roles == [role]


def test_credentials_of_another_account_are_refused(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    stages.write_text(
        stages.read_text(encoding="utf-8").replace("[dev]", '[dev]\naccount = "999999999999"'), encoding="utf-8"
    )
    assert "is in account 999999999999, but these credentials are for 123456789012" in refused(
        account, stages, packages[0], capsys
    )


def test_a_missing_bucket_is_refused(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    stages.write_text(
        stages.read_text(encoding="utf-8").replace("packages-{account}", "other-{account}"), encoding="utf-8"
    )
    said = refused(account, stages, packages[0], capsys)
    assert "other-123456789012-eu-central-1: no such bucket; make it once" in said


def test_missing_credentials_are_refused(
    account: Account, stages: Path, packages: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert deploy(stages, packages[0], "--yes") == 1
    assert (
        "asking AWS who we are: Unable to locate credentials; set AWS_PROFILE, or log in as for the AWS "
        "CLI" in error(capsys)
    )


def test_aws_cannot_be_reached(
    account: Account, stages: Path, packages: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert deploy(stages, packages[0], "--yes") == 1
    assert "asking AWS who we are: Could not connect" in error(capsys)


def test_a_refusal_of_cloudformation_is_printed(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
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
