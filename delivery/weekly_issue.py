"""`python -m delivery.weekly_issue`: one issue for as long as the weekly run fails; further failures comment on it."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.weekly_issue")


import argparse
import json
import subprocess
from collections.abc import Sequence

from cli import command
from cli.errors import UserError
from cli.parser import Parser
from delivery import workflow

LABEL = "weekly"
TITLE = "The weekly run fails"
TEXT = """\
What failed: {run}

If tests fail, with the newest versions or with pre-releases of the dependencies: each job keeps the versions that it
ran with as an artefact. Either adapt the code, or exclude a version in `pyproject.toml` and say why beside it. Shipped
packages are not affected: their versions are locked.

If a locked version has a known vulnerability: `make lock FLAGS=--upgrade`, or accept it in
`requirements/accepted.toml` with a reason and a date on which to look again.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser().parse_args(arguments)
    return command.run(report, "no issue was written")


def parser() -> argparse.ArgumentParser:
    """The command's options: none, it asks the workflow."""
    return Parser(
        prog="python -m delivery.weekly_issue",
        description="Open an issue that names this run (GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID), or "
        "comment on the open one. Needs gh.",
    )


def report() -> None:
    """Raise UserError where gh fails."""
    repository = workflow.variable("GITHUB_REPOSITORY")
    run = f"{workflow.variable('GITHUB_SERVER_URL')}/{repository}/actions/runs/{workflow.variable('GITHUB_RUN_ID')}"
    found = json.loads(_gh("issue", "list", "--repo", repository, "--label", LABEL, "--json", "number", "--limit", "1"))
    text = TEXT.format(run=run)
    if found:
        _gh("issue", "comment", str(found[0]["number"]), "--repo", repository, "--body", text)
    else:
        _gh("label", "create", LABEL, "--repo", repository, "--force", "--description", "Newest and coming versions")
        _gh("issue", "create", "--repo", repository, "--label", LABEL, "--title", TITLE, "--body", text)


def _gh(*words: str) -> str:
    try:
        said = subprocess.run(["gh", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError("gh: no such command; GitHub's own runners have it") from None
    if said.returncode:
        raise UserError(f"gh {' '.join(words[:2])}: {' '.join(said.stderr.split()) or said.returncode}")
    return said.stdout
