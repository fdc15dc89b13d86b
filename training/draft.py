"""`python -m training.draft`: a table's header and a sample of its rows become a commented configuration."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("training.draft")


import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cli import command
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped
from storage.whole_file import out_file, write_whole
from training.drafting.page import drafted
from training.drafting.sample import draw

EPILOG = """\
Exit status: 0 done; 1 failed, with one line that says why and nothing written; 2 wrong flags.

examples:
  python -m training.draft loans.csv > loans.toml
  python -m training.draft loans.parquet --out loans.toml && python -m training.run --config loans.toml
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = build_parser().parse_args(arguments)

    def draft() -> None:
        progress = Progress(quiet=args.quiet)
        page = None if args.out is None else out_file("--out", args.out)
        with progress.step("Reading a sample") as show:
            sample = draw(args.table, args.seed, show)
        with progress.step(f"Looking at {len(sample.columns)} columns"):
            text = drafted(sample, Path() if page is None else page.parent)
        if page is None:
            sys.stdout.buffer.write(text.encode())
            sys.stdout.flush()
        else:
            write_whole(page, text)
            progress.say(f"Written to [bold]{escaped(page)}[/]. Next: python -m training.run --config {escaped(page)}")

    return command.run(draft, "nothing was written")


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = Parser(
        prog="python -m training.draft",
        usage="python -m training.draft FILE [--out FILE.toml] [option ...]",
        description="Draft a complete, commented configuration from a table's header and a sample of its rows.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    files = parser.add_argument_group("input and output")
    files.add_argument("table", metavar="FILE", help="CSV or Parquet")
    files.add_argument("--out", metavar="FILE.toml", help="the configuration; default standard output")
    files.add_argument("--quiet", action="store_true", help="print errors only")
    sample = parser.add_argument_group("sample")
    sample.add_argument(
        "--seed", type=int, default=99, metavar="N", help="of the rows that are drawn of more than 20,000; default 99"
    )
    return parser
