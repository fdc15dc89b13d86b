"""deploy/rollback.py: one command, against moto's versions and aliases over HTTP."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy import deploy, rollback
from runtime.manifest import Manifest
from tests.deploy.conftest import BUCKET, NAME, Account
from tests.deploy.served import answer

ROOT = Path(__file__).parents[2]


pytestmark = [pytest.mark.usefixtures("no_pause"), pytest.mark.tier("land")]


@pytest.fixture
def twice(account: Account, stages: Path, packages: list[Path], capsys: Any) -> Account:
    """Both packages deployed, one after the other."""
    for package in packages:
        words = ["--stage", "dev", "--stages", str(stages), "--package", str(package), "--yes", "--quiet"]
        assert deploy.main(words) == 0
    account.cloudformation.calls.clear()
    return account


def back(stages: Path, *words: str) -> int:
    return rollback.main(["--stage", "dev", "--stages", str(stages), *words])


def test_a_rollback_returns_to_the_version_before(
    twice: Account, stages: Path, manifests: list[Manifest], capsys: Any
) -> None:
    assert back(stages) == 0
    said = capsys.readouterr().err
    assert f"live moved from version 2 to version 1, model {manifests[0].model_version}." in said
    assert "self-check rows      ✓" in said  # by the manifest in the package that the version was made of
    assert (twice.live, twice.alias("previous")) == ("1", "1")
    assert set(twice.cloudformation.calls) == {"DescribeStacks", "GetApiKey"}


def test_a_second_rollback_changes_nothing(twice: Account, stages: Path, capsys: Any) -> None:
    """A second rollback, in doubt about the first, does not bring the fault back."""
    assert back(stages, "--quiet") == 0
    assert back(stages) == 0
    assert "live is at version 1, model" in capsys.readouterr().err
    assert twice.live == "1"


def test_the_script_rolls_back_in_a_process_of_its_own(twice: Account, stages: Path) -> None:
    command = [sys.executable, "deploy/rollback.py", "--stage", "dev", "--stages", str(stages), "--quiet"]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert twice.live == "1"


def test_a_version_that_is_named(twice: Account, stages: Path, manifests: list[Manifest]) -> None:
    assert back(stages, "--version", "1", "--quiet") == 0
    assert twice.live == "1"
    assert back(stages, "--version", manifests[1].model_version, "--quiet") == 0
    assert twice.live == "2"


def test_which_versions_there_are(twice: Account, stages: Path, manifests: list[Manifest], capsys: Any) -> None:
    capsys.readouterr()
    assert back(stages, "--list") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"version 1, model {manifests[0].model_version} (previous)",
        f"version 2, model {manifests[1].model_version} (live)",
    ]
    assert twice.live == "2"


def test_it_ends_a_share_of_the_traffic_that_was_left_behind(twice: Account, stages: Path) -> None:
    weights = {"AdditionalVersionWeights": {"1": 0.1}}
    client = twice.functions
    client.update_alias(FunctionName=NAME, Name="live", FunctionVersion="2", RoutingConfig=weights)
    assert back(stages, "--version", "2", "--quiet") == 0
    alias = client.get_alias(FunctionName=NAME, Name="live")
    assert alias["FunctionVersion"] == "2"
    assert not alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")


def test_without_its_package_the_model_version_is_compared(
    twice: Account, stages: Path, manifests: list[Manifest], capsys: Any
) -> None:
    s3 = twice.packages
    for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    assert back(stages) == 0
    said = capsys.readouterr().err
    assert "its package cannot be read, so only its model version is compared" in said
    assert f"✓  model {manifests[0].model_version}" in said


def test_what_comes_back_is_broken_too(twice: Account, stages: Path, capsys: Any) -> None:
    twice.broken = lambda event: answer(500, {"detail": "broken"})
    assert back(stages) == 1
    said = capsys.readouterr().err
    assert "live moved from version 2 to version 1" in said
    assert "error: " in said
    assert "/health: expected status 200, got 500 (broken)" in said
    assert twice.live == "1"


def test_a_rollback_needs_an_earlier_version(account: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    assert back(stages) == 1
    assert "lastbit-dev: nothing is deployed there" in capsys.readouterr().err
    words = ["--stage", "dev", "--stages", str(stages), "--package", str(packages[0]), "--yes", "--quiet"]
    assert deploy.main(words) == 0
    assert back(stages) == 1
    assert "no earlier version was deployed" in capsys.readouterr().err
    assert account.live == "1"


def test_an_unknown_version_is_refused_with_the_known_ones(
    twice: Account, stages: Path, manifests: list[Manifest], capsys: Any
) -> None:
    assert back(stages, "--version", "7") == 2
    assert f"no version 7; the versions are 1 ({manifests[0].model_version}), 2" in capsys.readouterr().err
    assert back(stages, "--version", "000000000000") == 2
    assert twice.live == "2"


def test_while_a_deployment_is_under_way(twice: Account, stages: Path, capsys: Any) -> None:
    twice.cloudformation.stacks["lastbit-dev"]["passing"] = ["UPDATE_IN_PROGRESS"]
    assert back(stages) == 1
    assert "aws cloudformation cancel-update-stack --stack-name lastbit-dev" in capsys.readouterr().err
    assert twice.live == "2"


def test_a_denied_rollback_leaves_the_alias_where_it_is(
    twice: Account, stages: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def denied(self: Any, *_: Any) -> None:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not yours"}}, "UpdateAlias")

    with monkeypatch.context() as patch:
        patch.setattr("botocore.client.BaseClient._make_api_call", refusing("UpdateAlias", denied))
        assert back(stages) == 1
    refusal = "access denied (AccessDeniedException: not yours); docs/operations.md lists the permissions"
    assert f"pointing the alias live of lastbit-dev-Zip to version 1: {refusal}" in capsys.readouterr().err
    assert twice.live == "2"


def refusing(operation: str, refuse: Any) -> Any:
    """Botocore's way to AWS, with one operation that is refused."""
    from botocore.client import BaseClient

    ordinary = BaseClient._make_api_call

    def call(self: Any, name: str, arguments: Any) -> Any:
        return refuse(self) if name == operation else ordinary(self, name, arguments)

    return call
