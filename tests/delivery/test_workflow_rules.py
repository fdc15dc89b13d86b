"""Rules for every workflow: pinned actions, few permissions, no keys, scripts that exist."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.workflow_files import ACTIONS, ROOT, WORKFLOWS, Job, jobs, read, steps

PINS = tomllib.loads((Path(__file__).parent / "actions.toml").read_text(encoding="utf-8"))["actions"]
USES = re.compile(r"^\s*(?:- )?uses: (\S+?)(?:@(\S+)(?: # (\S+))?)?\s*$", re.MULTILINE)
# The one reason to give a job more than reading the code: what it does with it.
REASONS = {
    "id-token": (
        "aws-actions/configure-aws-credentials@",
        "actions/attest@",
        "./.github/workflows/deploy.yml",
        "actions/deploy-pages@",
    ),
    "pages": ("actions/deploy-pages@",),
    "attestations": ("actions/attest@",),
    "actions": ("gh workflow run ",),
    "issues": ("delivery.weekly_issue",),
    "contents": ("delivery.version --publish",),
}
LONGEST_RUN = 4  # lines
# Started by a stranger's pull request, with the permissions of this repository.
TRIGGERS_FOR_FORKS = {"pull_request_target", "workflow_run", "issue_comment", "issues", "discussion"}
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
    assert not TRIGGERS_FOR_FORKS & set(document["on"])
    if "pull_request" in document["on"]:
        assert [job for job in document["jobs"].values() if "write" in str(job.get("permissions"))] == []
    assert document["concurrency"]["group"]
    # A deployment that is cut off half-way is worse than one that is late.
    cancels = document["concurrency"]["cancel-in-progress"]
    assert path.name in ("ci.yml", "weekly.yml") or cancels is False


@JOBS
def test_a_job_may_write_what_one_of_its_steps_writes_and_nothing_else(job: Job) -> None:
    permissions: dict[str, str] = job.content.get("permissions", {})
    done = [str(job.content.get("uses", "")), *(f"{step.get('uses', '')} {step.get('run', '')}" for step in job.steps)]
    needed = {name for name, acts in REASONS.items() if any(act in step for act in acts for step in done)}
    assert {name for name, level in permissions.items() if level == "write"} == needed
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


def before(name: str, content: dict[str, Any]) -> set[str]:
    """Every job that has to succeed before this one."""
    needs = content[name].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(before(job, content) for job in direct))


def test_prod_comes_after_dev_and_dev_after_a_green_main() -> None:
    content = read(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    stages = {job["with"]["stage"]: name for name, job in content.items() if "stage" in job.get("with", {})}
    [ci] = [name for name, job in content.items() if job.get("uses") == "./.github/workflows/ci.yml"]
    assert stages.keys() == {"dev", "prod"}
    assert stages["dev"] in before(stages["prod"], content)
    assert before(stages["dev"], content) == set(content) - {*stages.values(), "figures"}
    assert "figures" in before(stages["prod"], content)
    for name in set(content) - {ci}:
        assert ci in before(name, content)
        assert "always()" not in str(content[name].get("if")), "would continue after a failure"
    guarded = [name for name, job in content.items() if job.get("if") == "github.ref == 'refs/heads/main'"]
    assert set(guarded) & before(stages["dev"], content)


def test_a_stage_is_deployed_by_one_run_at_a_time_after_its_environment_agreed() -> None:
    deploy = read(ROOT / ".github" / "workflows" / "deploy.yml")
    assert [job["environment"] for job in deploy["jobs"].values()] == ["${{ inputs.stage }}"] * len(deploy["jobs"])
    assert "${{ inputs.stage }}" in deploy["concurrency"]["group"]
