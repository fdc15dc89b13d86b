"""`python -m benchmarks.stale`: names the figures whose modules have changed since they were measured.

A warning by itself; with `--strict`, as before a release to prod, exit status 1.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("benchmarks.stale")


import sys
from collections.abc import Iterator, Sequence

from benchmarks.figures import Figure, read
from cli import command
from cli.errors import UserError
from cli.parser import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 1 with `--strict` where a figure is stale."""
    parser = Parser(
        prog="python -m benchmarks.stale",
        description="Name the figures of docs/benchmarks.json whose modules have changed since they were measured.",
    )
    parser.add_argument("--strict", action="store_true", help="fail if a figure is stale")
    options = parser.parse_args(arguments)
    return command.run(lambda: check(read(), strict=options.strict), "nothing was changed")


def check(figures: Sequence[Figure], *, strict: bool) -> None:
    """Print a line for each group with stale figures; raise UserError if there are any and `strict` is set."""
    lines = list(stale(figures))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    if lines and strict:
        groups = " ".join(line.partition(":")[0] for line in lines)
        raise UserError(f"docs/benchmarks.json: expected no stale figure; python -m benchmarks {groups}")


def stale(figures: Sequence[Figure]) -> Iterator[str]:
    """A line for each group with stale figures: how many, and what has changed."""
    for group in dict.fromkeys(figure.group for figure in figures):
        its = [figure for figure in figures if figure.group == group]
        old = [figure for figure in its if figure.changed]
        if old:
            changed = sorted({name for figure in old for name in figure.changed})
            yield f"{group}: {len(old)} of {len(its)} figures are stale: {', '.join(changed)}"
