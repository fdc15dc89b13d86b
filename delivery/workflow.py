"""Inputs that a step gets from its workflow, and outputs that it returns; printed outside of a workflow."""

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
    """Pass a one-line value to later steps."""
    if "\n" in value or "\r" in value:
        raise UserError(f"{name}: expected one line, got {value!r}")
    _append("GITHUB_OUTPUT", f"{name}={value}\n")


def summary(markdown: str) -> None:
    """Append to the run's summary page."""
    _append("GITHUB_STEP_SUMMARY", markdown)


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    else:
        sys.stdout.write(text)
