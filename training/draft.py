"""`python -m training.draft`: a table becomes a commented configuration."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("training.draft")


import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.settings.flags import add_flags, names
from cli.words import escaped
from storage.files import local_file
from storage.whole_file import out_file, write_whole
from table.settings import Data
from training.drafting.page import NO_OUTCOME
from training.drafting.whole import Asked, drafted
from training.settings import settings_from_dict

WRITTEN = ("data.separator", "data.encoding", "data.sheet")  # that the user tells where the draft cannot see it

EPILOG = """\
Exit status: 0 done; 1 failed, with one line that says why and nothing written; 2 wrong flags.

examples:
  python -m training.draft loans.csv > loans.toml
  python -m training.draft loans.csv --target status --positive bad,lost > loans.toml
  python -m training.draft 'parts/*.parquet' --out loans.toml && python -m training.run --config loans.toml
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)

    def draft() -> None:
        if args.positive and args.target is None:
            raise UserError("--positive needs --target; name the column of the outcome too", WRONG_USAGE)
        progress = Progress(quiet=args.quiet)
        page = None if args.out is None else out_file("--out", args.out)
        folder = Path() if page is None else page.parent
        told = {key: value for key, value in vars(args).items() if key in WRITTEN and value is not None}
        data = settings_from_dict({}, told).data
        asked = Asked(
            *(args.table, folder, args.target, args.positive, args.seed),
            sheet=data.sheet,
            encoding=data.encoding,
            separator=data.separator,
        )
        with local_file(args.table, progress) as path, progress.step("Looking at the table") as show:
            text = drafted(asked, path, show)
        if NO_OUTCOME in text:
            progress.say("[yellow]![/] No outcome was detected; the draft asks for it. Name it with --target COLUMN.")
        if page is None:
            sys.stdout.buffer.write(text.encode())
            sys.stdout.flush()
        else:
            write_whole(page, text)
            then = shlex.join(["python", "-m", "training.run", "--config", str(page)])
            progress.say(f"Written to [bold]{escaped(page)}[/]. Next: {escaped(then)}")

    return command.run(draft, "nothing was written")


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = Parser(
        prog="python -m training.draft",
        usage="python -m training.draft FILE [--out FILE.toml] [option ...]",
        description="Draft a complete, commented configuration from a table's columns.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    files = parser.add_argument_group("input and output")
    files.add_argument(
        "table",
        metavar="FILE",
        help="CSV, Parquet, Feather, JSON lines or Excel, compressed or not; a folder or a pattern of them; "
        "or s3://bucket/key",
    )
    add_flags(files, Data, "data", *(key.removeprefix("data.") for key in WRITTEN))
    files.add_argument("--out", metavar="FILE.toml", help="the configuration; default standard output")
    files.add_argument("--quiet", action="store_true", help="print errors only")
    outcome = parser.add_argument_group("outcome")
    outcome.add_argument("--target", metavar="COLUMN", help="column of the outcome; default detected")
    outcome.add_argument("--positive", type=names, default=(), metavar="A,B", help="its values that mean default")
    sample = parser.add_argument_group("sample")
    sample.add_argument(
        "--seed",
        type=int,
        default=99,
        metavar="N",
        help="seed for the 20,000 rows that are searched for leaks; default 99",
    )
    return parser
