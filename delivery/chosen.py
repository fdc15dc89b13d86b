"""`python -m delivery.chosen`: which published model a release takes.

The newest, unless one is named. A release that moves all traffic at once comes after a rollback, as a rule, and the
newest model is then the one that was rolled back: there it has to be named.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.chosen")


import os
import re
from collections.abc import Sequence

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from delivery import workflow
from delivery.release_record import VERSION

NEWEST = "latest"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser().parse_args(arguments)
    return command.run(hand_on, "nothing was released")


def parser() -> Parser:
    """The command's options: none, it asks the workflow."""
    return Parser(
        prog="python -m delivery.chosen",
        description="Set the output `version` to MODEL, or to `latest` if MODEL is empty. AT_ONCE=true needs MODEL.",
    )


def hand_on() -> None:
    """Raise UserError, exit status 2, where a model must be named and is not, or the name is not a version."""
    workflow.output("version", chosen(os.environ.get("MODEL", "").strip(), os.environ.get("AT_ONCE", "").strip()))


def chosen(model: str, at_once: str) -> str:
    """The version of a published model, or `latest`."""
    if at_once not in ("", "true", "false"):
        raise UserError(f"AT_ONCE: expected true or false, got {at_once!r}", WRONG_USAGE)
    if model and model != NEWEST and not re.fullmatch(VERSION, model):
        raise UserError(f"MODEL: expected 12 digits of a model's version or {NEWEST}, got {model!r}", WRONG_USAGE)
    if at_once == "true" and model in ("", NEWEST):
        raise UserError(
            f"MODEL: expected a version, got {model or 'none'}: all traffic moves at once, and after a rollback the "
            "newest model is the one that was rolled back; name one with -f model=VERSION (deploy/rollback.py --list)",
            WRONG_USAGE,
        )
    return model or NEWEST
