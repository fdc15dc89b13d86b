"""`python -m delivery.needed NAME ...`: stops a workflow at its start where variables were not set, and names them."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.needed")


import os
from collections.abc import Sequence

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = Parser(
        prog="python -m delivery.needed", description="Check that environment variables are set and not empty."
    )
    options.add_argument("names", nargs="+", metavar="NAME", help="name of a variable")
    args = options.parse_args(arguments)
    return command.run(lambda: refuse_missing(args.names), "nothing was changed")


def refuse_missing(names: Sequence[str]) -> None:
    """Raise UserError, exit status 2, with the names of missing variables."""
    missing = [name for name in names if not os.environ.get(name, "").strip()]
    if missing:
        raise UserError(f"not set: {', '.join(missing)}; docs/delivery.md says what each is and where", WRONG_USAGE)
