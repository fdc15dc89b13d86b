"""What every workflow has to keep: pinned actions, few permissions, no keys, scripts that are there."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.workflow_files import ACTIONS, ROOT, WORKFLOWS, Job, jobs, read, steps

PINS = tomllib.loads((Path(__file__).parent / "actions.toml").read_text(encoding="utf-8"))["actions"]
USES = re.compile(r"^\s*(?:- )?uses: (\S+?)(?:@(\S+)(?: # (\S+))?)?\s*$", re.MULTILINE)
# What a job may be given beyond reading the code, and for what.
WRITES = {
    ("train.yml", "train"): {"id-token"},
    ("train.yml", "release"): {"actions"},
    ("release.yml", "model"): {"id-token"},
    ("release.yml", "build"): {"id-token", "attestations"},
    ("release.yml", "dev"): {"id-token"},
    ("release.yml", "prod"): {"id-token"},
    ("deploy.yml", "deploy"): {"id-token"},
    ("weekly.yml", "issue"): {"issues"},
}
LONGEST_RUN = 4  # lines
# A fork's code must not run with our permissions.
TRIGGERS = {
    "ci.yml": {"pull_request", "merge_group", "workflow_call"},
    "deploy.yml": {"workflow_call"},
    "release.yml": {"push", "workflow_dispatch"},
    "train.yml": {"schedule", "workflow_dispatch"},
    "weekly.yml": {"schedule", "workflow_dispatch"},
}
JOBS = pytest.mark.parametrize("job", list(jobs()), ids=str)
FILES = pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: f"{path.parent.name}/{path.name}")


@FILES
def test_every_action_is_pinned_as_the_list_says(path: Path) -> None:
    found = USES.findall(path.read_text(encoding="utf-8"))
    assert len(found) == str(read(path)).count("'uses':")
    for name, commit, tag in found:
        if name.startswith("./"):
            assert (ROOT / name).exists()
            assert not commit
        else:
            assert {"tag": tag, "commit": commit} == PINS[name]


def test_the_list_has_no_action_that_is_not_used() -> None:
    used = {name for path in [*WORKFLOWS, *ACTIONS] for name, *_ in USES.findall(path.read_text(encoding="utf-8"))}
    assert {name for name in used if not name.startswith("./")} == set(PINS)
    assert all(re.fullmatch("[0-9a-f]{40}", pin["commit"]) for pin in PINS.values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_reads_the_code_and_no_more(path: Path) -> None:
    document = read(path)
    assert document["permissions"] == {"contents": "read"}
    assert set(document["on"]) == TRIGGERS[path.name]
    assert document["concurrency"]["group"]
    # A deployment that is cut off half-way is worse than one that is late.
    cancels = document["concurrency"]["cancel-in-progress"]
    assert path.name in ("ci.yml", "weekly.yml") or cancels is False


@JOBS
def test_a_job_may_write_what_it_has_to(job: Job) -> None:
    permissions: dict[str, str] = job.content.get("permissions", {})
    writes = {name for name, level in permissions.items() if level == "write"}
    assert writes == WRITES.get((job.workflow, job.name), set())
    assert {name for name, level in permissions.items() if level == "read"} <= {"contents", "attestations"}


@JOBS
def test_a_job_ends_by_itself(job: Job) -> None:
    if "uses" not in job.content:  # a called workflow's jobs have their own
        assert 0 < job.content["timeout-minutes"] <= 230


@JOBS
def test_a_checkout_leaves_no_credentials_behind(job: Job) -> None:
    for step in job.steps:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_a_step_is_a_script_of_the_repository() -> None:
    for where, step in steps():
        lines = step.get("run", "").splitlines()
        assert len(lines) <= LONGEST_RUN, where
        # An expression in a script is replaced before the shell reads it, quotes and all.
        assert "${{" not in step.get("run", ""), where


def test_what_a_step_calls_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = 0
    for where, step in steps():
        run = step.get("run", "")
        for module in re.findall(r"python3? -m ([\w.]+)", run):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file() or module == "pip", where
            called += 1
        for target in re.findall(r"\bmake ([a-z-]+)", run):
            assert target in targets, where
            called += 1
        for workflow in re.findall(r"gh workflow run (\S+)", run):
            assert (ROOT / ".github" / "workflows" / workflow).is_file(), where
            called += 1
    assert called > 15


def test_variables_that_a_script_reads_are_set() -> None:
    """In the workflow, or by the runner itself."""
    for job in jobs():
        known = {*job.content.get("env", {}), "GITHUB_REPOSITORY"}
        for step in job.steps:
            run = step.get("run", "")
            asked = re.findall(r"delivery\.needed ([A-Z_ ]+)", run)
            names = {*re.findall(r"\$\{?([A-Z_]+)", run), *" ".join(asked).split()}
            assert names <= known | set(step.get("env", {})), job


def test_no_secret_is_read_and_no_key_is_kept() -> None:
    """Roles are taken on by the identity of the job (OIDC); the token of the run is the one secret, by its own name."""
    for path in [*WORKFLOWS, *ACTIONS]:
        text = path.read_text(encoding="utf-8")
        assert "secrets." not in text
        assert not re.search(r"aws-(?:access-key-id|secret-access-key)|AKIA|password", text, re.IGNORECASE), path


def test_roles_are_taken_on_by_identity() -> None:
    taken = 0
    for job in jobs():
        for step in job.steps:
            if step.get("uses", "").startswith("aws-actions/configure-aws-credentials@"):
                given: dict[str, Any] = step["with"]
                assert set(given) <= {"aws-region", "role-to-assume", "role-duration-seconds"}, job
                assert re.fullmatch(r"\$\{\{ env\.\w+_ROLE_ARN \}\}", given["role-to-assume"]), job
                assert job.content["permissions"]["id-token"] == "write", job
                taken += 1
    assert taken == 4


def test_the_last_job_of_ci_needs_all_others() -> None:
    content = read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    required = content.pop("required")
    assert set(required["needs"]) == set(content)
    assert required["if"] == "always()"


def test_prod_comes_after_dev_and_dev_after_a_green_main() -> None:
    content = read(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    assert {name: job.get("needs") for name, job in content.items()} == {
        "ci": None,
        "model": "ci",
        "build": "model",
        "dev": "build",
        "prod": "dev",
    }
    assert content["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert content["model"]["if"] == "github.ref == 'refs/heads/main'"
    assert [content[stage]["with"]["stage"] for stage in ("dev", "prod")] == ["dev", "prod"]
    deploy = read(ROOT / ".github" / "workflows" / "deploy.yml")
    assert deploy["jobs"]["deploy"]["environment"] == "${{ inputs.stage }}"
    assert deploy["concurrency"]["group"] == "deploy-${{ inputs.stage }}"
