"""deploy/deploy.py as the workflow runs it: S3, STS and Lambda are moto's, over HTTP; CloudFormation is ours."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.deploy import main
from runtime.manifest import Manifest
from tests.deploy.conftest import BUCKET, NAME, Account
from tests.deploy.served import answer

ROOT = Path(__file__).parents[2]


pytestmark = [pytest.mark.usefixtures("no_pause"), pytest.mark.tier("land")]


def deploy(stages: Path, package: Path, *words: object) -> int:
    return main([*map(str, ("--stage", "dev", "--stages", stages, "--package", package, *words))])


def error(capsys: Any) -> str:
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(said) == 1
    return str(said[0])


def test_a_first_deployment_creates_the_stack_and_prints_its_url(
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
    assert "Nothing changes: this release is deployed already." in said
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


def test_without_a_terminal_a_deployment_needs_yes(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    assert deploy(stages, packages[0]) == 2
    assert "to deploy without confirmation, pass --yes" in error(capsys)
    assert account.cloudformation.stacks == {}


@pytest.mark.parametrize(("typed", "goes_ahead"), [("y\n", True), ("yes\n", True), ("\n", False), ("no\n", False)])
def test_a_deployment_waits_for_a_yes(
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


def test_the_script_deploys_in_a_process_of_its_own(account: Account, stages: Path, packages: list[Path]) -> None:
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
    # Of what failed nothing is left, nor to go back to.
    account.fails = ""
    assert deploy(stages, packages[1], "--yes", "--at-once") == 0
    assert (account.live, account.alias("previous")) == ("2", "1")


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


def test_a_deployment_beside_another_is_refused(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    assert deploy(stages, packages[0], "--yes") == 0
    account.cloudformation.stacks["lastbit-dev"]["passing"] = ["UPDATE_IN_PROGRESS"]
    capsys.readouterr()
    assert deploy(stages, packages[1], "--yes") == 1
    assert "lastbit-dev: is UPDATE_IN_PROGRESS: another deployment is under way" in error(capsys)


def test_an_alias_between_two_versions_is_refused(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
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
