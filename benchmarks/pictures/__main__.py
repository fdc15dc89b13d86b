"""`python -m benchmarks.pictures`: draws docs/pictures/, or says which pictures no longer show what the code makes.

A check is a warning by itself; with `--strict`, as before a release to prod, exit status 1.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("benchmarks.pictures.__main__")


import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.pictures import record
from cli import command
from cli.errors import UserError
from cli.parser import Parser
from cli.progress import Progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 1 with `--check --strict` where a picture is stale."""
    parser = Parser(
        prog="python -m benchmarks.pictures",
        description="Train the built-in model, export it, and draw docs/pictures/ in headless Chromium "
        "(Debian: apt-get install chromium).",
    )
    parser.add_argument("--check", action="store_true", help="draw nothing; name pictures whose code has changed since")
    parser.add_argument("--strict", action="store_true", help="with --check: fail if there are any")
    parser.add_argument("--quiet", action="store_true", help="without progress")
    options = parser.parse_args(arguments)
    if options.check:
        return command.run(lambda: check(strict=options.strict), "nothing was changed")
    return command.run(lambda: draw(Progress(quiet=options.quiet)), f"{record.FOLDER} is as it was")


def check(*, strict: bool) -> None:
    """Print a line for each stale picture; raise UserError if there are any and `strict` is set."""
    lines = list(record.stale(record.read()))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    if lines and strict:
        raise UserError("docs/pictures: expected no stale picture; make pictures")


def draw(progress: Progress) -> None:
    """Draw every picture in a folder of its own, then replace those of docs/pictures."""
    from benchmarks.pictures import scenes  # training's and Chromium's libraries, which a check does without

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        scenes.draw(folder, progress)
        record.keep({path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()})
