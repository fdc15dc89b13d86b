"""The workflows and actions of .github/, read as YAML."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))


@dataclass(frozen=True)
class Job:
    """A job with the name of its workflow. One that calls another workflow has no steps."""

    workflow: str
    name: str
    content: dict[str, Any]

    @property
    def steps(self) -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = self.content.get("steps", [])
        return steps

    def __str__(self) -> str:
        return f"{self.workflow}: {self.name}"


def read(path: Path) -> dict[str, Any]:
    """A document. The key `on` is true in YAML 1.1."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    if True in document:
        document["on"] = document.pop(True)
    return document


def jobs() -> Iterator[Job]:
    """Yield the jobs of all workflows."""
    for path in WORKFLOWS:
        for name, content in read(path)["jobs"].items():
            yield Job(path.name, name, content)


def job(workflow: str, name: str) -> Job:
    """One by its name."""
    [found] = [job for job in jobs() if (job.workflow, job.name) == (workflow, name)]
    return found


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each step, those of our own actions too, with where it is."""
    for one in jobs():
        yield from ((str(one), step) for step in one.steps)
    for path in ACTIONS:
        yield from ((str(path.parent.name), step) for step in read(path)["runs"]["steps"])
