"""`python -m delivery.registry`: the account whose registry has the images, for the step that logs in there.

A stage in an account of its own runs images of the account that builds them.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.registry")


import re
from collections.abc import Sequence

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from delivery import workflow

REGISTRY = re.compile(r"(\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9._/-]+")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser().parse_args(arguments)
    return command.run(hand_on, "nothing was changed")


def parser() -> Parser:
    """The command's options: none, it asks the workflow."""
    return Parser(
        prog="python -m delivery.registry",
        description="Set the output `account` to the account of the registry in IMAGE_REPOSITORY.",
    )


def hand_on() -> None:
    """Raise UserError, exit status 2, for a value that is not an ECR repository."""
    repository = workflow.variable("IMAGE_REPOSITORY")
    found = REGISTRY.fullmatch(repository)
    if found is None:
        raise UserError(
            f"IMAGE_REPOSITORY: expected ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME, got {repository!r}", WRONG_USAGE
        )
    workflow.output("account", found[1])
