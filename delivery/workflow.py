"""What a step has from the workflow that runs it, and what it hands back. Outside of a workflow both are seen here."""

import os
import sys
from pathlib import Path

from cli.errors import WRONG_USAGE, UserError


def variable(name: str) -> str:
    """An environment variable that has to be there. Raises UserError, exit status 2, where it is not or is empty."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise UserError(f"{name}: expected a value, got none; docs/delivery.md says where it is set", WRONG_USAGE)
    return value


def output(name: str, value: str) -> None:
    """Hands a value of one line to the steps that follow."""
    if "\n" in value or "\r" in value:
        raise UserError(f"{name}: expected one line, got {value!r}")
    _append("GITHUB_OUTPUT", f"{name}={value}\n")


def summary(markdown: str) -> None:
    """Adds to the page that people see of the run."""
    _append("GITHUB_STEP_SUMMARY", markdown)


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    else:
        sys.stdout.write(text)
