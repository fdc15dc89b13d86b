"""Deployments after one another: there, back, and there again; what failed, once more; another kind of package."""

from pathlib import Path
from typing import Any

import pytest

from deploy import deploy, rollback
from runtime.manifest import Manifest
from tests.deploy.conftest import Account
from tests.deploy.served import answer

pytestmark = [pytest.mark.usefixtures("no_pause"), pytest.mark.tier("land")]


def run(stages: Path, package: Path, *words: str) -> int:
    return deploy.main(["--stage", "dev", "--stages", str(stages), "--package", str(package), "--yes", *words])


def back(stages: Path) -> int:
    return rollback.main(["--stage", "dev", "--stages", str(stages)])


@pytest.fixture
def rolled_back(account: Account, stages: Path, packages: list[Path], capsys: Any) -> Account:
    """The first package, the second at once, and back to the first."""
    assert run(stages, packages[0], "--at-once", "--quiet") == 0
    assert run(stages, packages[1], "--at-once", "--quiet") == 0
    assert back(stages) == 0
    assert account.live == "1"
    capsys.readouterr()
    return account


def test_a_release_that_was_rolled_back_answers_when_it_is_deployed_again(
    rolled_back: Account, stages: Path, packages: list[Path], manifests: list[Manifest], capsys: Any
) -> None:
    """The change set is empty, since CloudFormation knows of no rollback; what answers is compared with the stack."""
    assert run(stages, packages[1], "--at-once") == 0
    said = capsys.readouterr().err
    assert "traffic      all at once, from version 1 back to 2, which is this release" in said
    assert "Nothing changes in the stack: a rollback has moved the traffic away" in said
    assert "this release is deployed already" not in said
    assert f"Model {manifests[1].model_version} answers at:" in said
    assert (rolled_back.live, rolled_back.alias("previous")) == ("2", "1")
    assert rolled_back.cloudformation.calls.count("ExecuteChangeSet") == 2


def test_a_dry_run_of_it_moves_nothing(rolled_back: Account, stages: Path, packages: list[Path], capsys: Any) -> None:
    assert run(stages, packages[1], "--at-once", "--dry-run") == 0
    assert "Nothing was changed." in capsys.readouterr().err
    assert rolled_back.live == "1"


def test_traffic_is_not_moved_without_asking(rolled_back: Account, stages: Path, packages: list[Path]) -> None:
    words = ["--stage", "dev", "--stages", str(stages), "--package", str(packages[1]), "--at-once"]
    assert deploy.main(words) == 2
    assert rolled_back.live == "1"


def test_a_release_that_is_still_broken_gives_the_traffic_back(
    rolled_back: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    rolled_back.broken = lambda event: answer(500, {"detail": "broken"})
    assert run(stages, packages[1], "--at-once") == 1
    assert "live is back at version 1" in capsys.readouterr().err
    assert rolled_back.live == "1"


def test_the_release_before_it_is_not_shipped_by_steps_after_a_rollback(
    rolled_back: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    for package in packages:
        assert run(stages, package) == 1
        assert "the stack left it at 2: it was rolled back" in capsys.readouterr().err
    assert rolled_back.live == "1"


def test_the_model_that_answers_becomes_the_stack_s_too(
    rolled_back: Account, stages: Path, packages: list[Path], manifests: list[Manifest], capsys: Any
) -> None:
    """The package of the model that a rollback brought back is a release of its own: the stack has it then."""
    stages.write_text(
        stages.read_text(encoding="utf-8").replace("LatencyP99 = 100", "LatencyP99 = 90"), encoding="utf-8"
    )
    assert run(stages, packages[0], "--at-once") == 0
    assert f"Model {manifests[0].model_version} answers at:" in capsys.readouterr().err
    assert rolled_back.live == "3"
    assert run(stages, packages[1]) == 0  # by steps again
    assert rolled_back.live == "4"


def test_a_canary_that_was_turned_back_can_be_tried_again(
    account: Account, stages: Path, packages: list[Path], manifests: list[Manifest], capsys: Any
) -> None:
    """The very same release: its version is gone with the change that failed."""
    assert run(stages, packages[0], "--quiet") == 0
    account.fails = "Rolled back: alarm lastbit-dev-slow is in ALARM"
    for _ in range(2):
        assert run(stages, packages[1]) == 1
        assert "alarm lastbit-dev-slow is in ALARM" in capsys.readouterr().err
        assert account.live == "1"
    account.fails = ""
    assert run(stages, packages[1]) == 0
    assert f"Model {manifests[1].model_version} answers at:" in capsys.readouterr().err
    assert account.alias("previous") == "1"


def test_an_alias_that_was_moved_meanwhile_is_no_success(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    assert run(stages, packages[0], "--quiet") == 0
    account.more_outputs = {"Version": "7"}
    assert run(stages, packages[1]) == 1
    assert "CloudFormation has deployed version 7, and live is at 2: it was moved" in capsys.readouterr().err


def test_another_kind_of_package_is_another_function(
    account: Account, stages: Path, packages: list[Path], capsys: Any
) -> None:
    """Said before; and the API gets a new deployment, since the one before names a function that is deleted."""
    assert run(stages, packages[0], "--quiet") == 0
    image = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/lastbit@sha256:{'0' * 64}"
    stages.write_text(
        stages.read_text(encoding="utf-8").replace("[common]", '[common]\nPackageType = "Image"'), encoding="utf-8"
    )
    assert run(stages, packages[0], "--image", image, "--dry-run") == 0
    said = capsys.readouterr().err
    assert "traffic      all at once, to the new function lastbit-dev-Image; the previous one is deleted" in said
    assert "the smoke test cannot" in said
    before, after = account.cloudformation.bodies
    assert before != after


def test_a_stage_that_is_protected(account: Account, stages: Path, packages: list[Path]) -> None:
    assert run(stages, packages[0], "--quiet") == 0
    assert account.cloudformation.protected == []
    stages.write_text(stages.read_text(encoding="utf-8").replace("[dev]", "[dev]\nprotected = true"), encoding="utf-8")
    assert run(stages, packages[1], "--quiet") == 0
    assert account.cloudformation.protected == ["lastbit-dev"]
