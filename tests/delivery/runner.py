"""Runs the steps of a job as GitHub's runner would, in a copy of the project.

Scripts run under bash -e with the variables of workflow, job and step, and what they hand on reaches the next step. Of
the actions, artifacts are kept in a folder and attestations in a file; the others (checkout, Python, credentials) have
nothing to do here. `docker` and `gh` are the stand-ins in commands/. An expression that is more than a look-up is
refused, not guessed.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.delivery.workflow_files import ROOT, Job, job

COMMANDS = Path(__file__).parent / "commands"
EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")
COMMIT = "27b9857e6ff8c4efe01c2fa7b93ec0c8f2c3a4d1"
DEFAULTS = {
    "GITHUB_SHA": COMMIT,
    "GITHUB_REPOSITORY": "bank/lastbit",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_ACTIONS": "true",
    "CI": "true",
    "LANG": "C.UTF-8",
}
# What a job needs of the project; the rest would only be copied.
PARTS = (
    "examples",
    "Makefile",
    "pyproject.toml",
    "requirements",
    "cli",
    "population",
    "runtime",
    "storage",
    "table",
    "training",
    "trees",
    "validation",
    "export",
    "delivery",
    "deploy",
    "Dockerfile.lambda",
)


@dataclass
class Outcome:
    """`status` is that of the step that failed, or 0; `log` is all that was written, `outputs` by step and name."""

    status: int
    log: str
    summary: str
    outputs: dict[str, dict[str, str]]


@dataclass
class Runner:
    """A repository with its variables; `folder` keeps what outlives a job."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call of a stand-in, in order."""
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def workspace(self) -> Path:
        """A fresh copy of the project. Lock files are older than any environment there, so none is made anew."""
        copy = self.folder / "workspace"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir(parents=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / part)
        for path in (copy / "requirements").iterdir():
            os.utime(path, (0, 0))
        (copy / ".venv").symlink_to(sys.prefix)
        (copy / ".venv-release").symlink_to(ROOT / ".venv-release")
        (copy / "build").mkdir()
        (ROOT / "build" / "wheels").mkdir(parents=True, exist_ok=True)
        (copy / "build" / "wheels").symlink_to(ROOT / "build" / "wheels")
        return copy

    def run(self, workflow: str, name: str, workspace: Path | None = None, **context: Any) -> Outcome:
        """Run a job's steps up to the first one that fails. `context` is what `inputs`, `matrix`, `needs` hold."""
        one = job(workflow, name)
        run = _Run(self, one, workspace or self.workspace(), context)
        for step in one.steps:
            if run.step(step):
                break
        return run.outcome


class _Run:
    """A job that is running."""

    def __init__(self, runner: Runner, one: Job, workspace: Path, context: Mapping[str, Any]) -> None:
        self.runner, self.workspace = runner, workspace
        self.context = {
            **context,
            "vars": runner.variables,
            "github": {"run_id": "77", "run_attempt": "1", "token": "t"},
        }
        self.job_environment = {name: self.text(value) for name, value in one.content.get("env", {}).items()}
        self.outcome = Outcome(0, "", "", {})

    def step(self, step: Mapping[str, Any]) -> int:
        """Its exit status."""
        assert "if" not in step, "a condition is not understood here"
        if "run" in step:
            self.outcome.status = self._script(step)
        elif action := self._action(step["uses"].partition("@")[0]):
            action({name: self.text(value) for name, value in step.get("with", {}).items()})
        return self.outcome.status

    def _action(self, name: str) -> Callable[[Mapping[str, str]], None] | None:
        return {
            "actions/upload-artifact": self._upload,
            "actions/download-artifact": self._download,
            "actions/attest": self._attest,
        }.get(name)

    def text(self, value: object) -> str:
        """A value with its expressions looked up."""
        return EXPRESSION.sub(lambda match: self._value(match[1]), str(value))

    def _value(self, expression: str) -> str:
        for alternative in expression.split(" || "):
            if found := self._look_up(alternative):
                return found
        return ""

    def _look_up(self, expression: str) -> str:
        if " && " in expression:
            condition, _, then = expression.partition(" && ")
            return self._look_up(then) if self._look_up(condition) in ("true", "True") else ""
        if re.fullmatch(r"'[^']*'", expression):
            return expression[1:-1]
        assert re.fullmatch(r"[\w.-]+", expression), f"not understood: {expression}"
        first, *rest = expression.split(".")
        if first == "env":
            return self.job_environment[rest[0]]
        if first == "steps":
            return self.outcome.outputs[rest[0]].get(rest[2], "")
        found: Any = self.context.get(first, {})
        for name in rest:
            found = found.get(name, "") if isinstance(found, Mapping) else ""
        return str(found)

    def _script(self, step: Mapping[str, Any]) -> int:
        files = {name: self.runner.folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.write_text("")
        own = {name: self.text(value) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.workspace,
            env={
                **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
                **DEFAULTS,
                "HOME": str(self.runner.folder),
                "PATH": f"{COMMANDS}:{os.environ['PATH']}",
                "STAND_IN": str(self.runner.folder),
                **{name: str(path) for name, path in files.items()},
                **self.runner.environment,
                **self.job_environment,
                **own,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        self.outcome.log += done.stdout
        self.outcome.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        pairs = (line.partition("=") for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        self.outcome.outputs.setdefault(step.get("id", ""), {}).update({name: value for name, _, value in pairs})
        return done.returncode

    def _upload(self, given: Mapping[str, str]) -> None:
        target = self.runner.artifacts / given["name"]
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for line in given["path"].split():
            source = self.workspace / line
            assert source.exists(), f"{line}: nothing to upload"
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copy(source, target)

    def _download(self, given: Mapping[str, str]) -> None:
        target = self.workspace / given["path"]
        if "name" in given:
            shutil.copytree(self.runner.artifacts / given["name"], target, dirs_exist_ok=True)
        else:
            for source in self.runner.artifacts.glob(given["pattern"]):
                shutil.copytree(source, target / source.name, dirs_exist_ok=True)

    def _attest(self, given: Mapping[str, str]) -> None:
        if "subject-path" in given:
            digest = "sha256:" + hashlib.sha256((self.workspace / given["subject-path"]).read_bytes()).hexdigest()
        else:
            digest = given["subject-digest"]
            assert given["subject-name"]
        predicate = "https://slsa.dev/provenance/v1"
        if "sbom-path" in given:
            document = json.loads((self.workspace / given["sbom-path"]).read_text())
            predicate = "https://cyclonedx.org/bom"
            if document.get("bomFormat") != "CycloneDX":
                predicate = f"https://spdx.dev/Document/v{document['spdxVersion'].removeprefix('SPDX-')}"
        with (self.runner.folder / "attestations").open("a") as file:
            file.write(f"{digest} {predicate} {COMMIT}\n")
