"""Which model a release takes, and whose registry its image is in."""

import re
from pathlib import Path
from typing import Any

import pytest

from cli.errors import UserError
from delivery import chosen, registry
from tests.delivery.conftest import VARIABLES
from tests.delivery.runner import Runner
from tests.delivery.workflow_files import ROOT, job, read, steps

MODEL = "c3bb2f7865ee"


@pytest.mark.parametrize(
    ("model", "at_once", "version"),
    [
        ("", "", "latest"),
        ("", "false", "latest"),
        ("latest", "false", "latest"),
        (MODEL, "false", MODEL),
        (MODEL, "true", MODEL),
    ],
)
def test_the_newest_model_unless_one_is_named(model: str, at_once: str, version: str) -> None:
    assert chosen.chosen(model, at_once) == version


@pytest.mark.parametrize("model", ["", "latest"])
def test_a_release_at_once_names_its_model(model: str) -> None:
    """After a rollback the newest model is the one that was rolled back."""
    with pytest.raises(UserError, match=f"MODEL: expected a version, got {model or 'none'}: all traffic moves at once"):
        chosen.chosen(model, "true")


@pytest.mark.parametrize(("model", "at_once"), [("newest", ""), ("C3BB2F7865EE", ""), (f"{MODEL}0", ""), ("", "yes")])
def test_what_is_no_model_or_no_switch_is_refused(model: str, at_once: str) -> None:
    with pytest.raises(UserError, match="expected "):
        chosen.chosen(model, at_once)


def test_the_documented_command_after_a_rollback_names_a_model() -> None:
    """And no page or workflow shows one that does not."""
    shown = 0
    for path in [*(ROOT / "docs").glob("*.md"), *(ROOT / ".github" / "workflows").glob("*.yml"), ROOT / "README.md"]:
        for command in re.findall(r"gh workflow run release\.yml[^`\n]*", path.read_text(encoding="utf-8")):
            if "at-once" in command:
                assert "-f model=" in command, path
                shown += 1
    assert shown


def test_a_release_at_once_without_a_model_stops_before_aws_is_asked(runner: Runner) -> None:
    outcome = runner.run("release.yml", "model", inputs={"at-once": "true", "model": ""})
    assert outcome.status == 2
    assert "MODEL: expected a version, got none" in outcome.log
    assert runner.calls == []


def test_a_push_takes_the_newest(runner: Runner) -> None:
    """A push has no inputs."""
    runner.environment["AWS_EC2_METADATA_DISABLED"] = "true"
    outcome = runner.run("release.yml", "model")
    assert outcome.outputs["chosen"] == {"version": "latest"}
    assert outcome.status != 0  # there is no S3 here
    [fetch] = [step for _, step in steps() if "export.registry fetch" in step.get("run", "")]
    assert fetch["env"]["VERSION"] == "${{ steps.chosen.outputs.version }}"


@pytest.mark.parametrize(
    ("repository", "account"),
    [
        (VARIABLES["IMAGE_REPOSITORY"], "123456789012"),
        ("999999999999.dkr.ecr.cn-north-1.amazonaws.com.cn/team/lastbit", "999999999999"),
    ],
)
def test_the_account_of_the_registry_is_read_from_its_address(
    repository: str, account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_REPOSITORY", repository)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    assert registry.main([]) == 0
    assert (tmp_path / "output").read_text() == f"account={account}\n"


@pytest.mark.parametrize("repository", ["ghcr.io/bank/lastbit", "lastbit", "1.dkr.ecr.eu.amazonaws.com/x", ""])
def test_what_is_no_repository_of_ecr_is_refused(repository: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("IMAGE_REPOSITORY", repository)
    assert registry.main([]) == 2
    assert "IMAGE_REPOSITORY: expected " in capsys.readouterr().err


@pytest.mark.parametrize(("workflow", "name"), [("deploy.yml", "deploy"), ("release.yml", "build")])
def test_images_are_fetched_from_the_account_that_has_them(workflow: str, name: str) -> None:
    """The step that logs in would take the account of the role otherwise."""
    [login] = [s for s in job(workflow, name).steps if s.get("uses", "").startswith("aws-actions/amazon-ecr-login@")]
    assert login["with"] == {"registries": "${{ steps.registry.outputs.account }}"}


def test_releases_do_not_cancel_each_other_s_ci() -> None:
    """In a called workflow `github.workflow` and `github.ref` are the caller's: the same for every release."""
    concurrency = read(ROOT / ".github" / "workflows" / "ci.yml")["concurrency"]
    found = re.fullmatch(
        r"ci-\$\{\{ github\.event_name == 'pull_request' && github\.ref \|\| github\.run_id \}\}", concurrency["group"]
    )
    assert found
    assert concurrency["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
