"""`python -m training.explore`: one page on a table, before any model is fitted."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("training.explore")


import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table as Grid

from cli import command
from cli.parser import Parser
from cli.progress import Progress
from storage.json_file import json_text
from storage.whole_file import out_file, write_whole
from table import read_table, synthetic_table
from training.exploration import explore
from training.options import add_columns, add_input, settings_from
from training.settings import Settings
from validation.report.pages import render
from validation.report.weights import EXPLORED

SHOWN = 10

EPILOG = """\
Exit status: 0 done; 1 failed, with one line that says why; 2 wrong flags or settings.

examples:
  python -m training.explore
  python -m training.explore --config examples/german_credit/settings.toml --out german.html
  python -m training.explore --data loans.csv --target Class --positive bad --id "" --numbers income,age
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)

    def explore_and_write() -> None:
        settings, page = settings_from(args), out_file("--out", args.out)
        figures = out_file("--json", args.json) if "json" in args else None
        look(settings, page, figures, Progress(quiet=args.quiet))

    return command.run(explore_and_write, "the last good page is as it was")


def build_parser() -> argparse.ArgumentParser:
    """The command's options; what is not on the command line comes from the TOML or is the reference system's."""
    parser = Parser(
        prog="python -m training.explore",
        usage="python -m training.explore [--config FILE.toml] [--data FILE] [--out FILE.html] [option ...]",
        description="Show each feature's distribution, its missing values and its default rate by bin, correlated "
        "features, and features that seem to leak the outcome.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    files = parser.add_argument_group("input and output")
    add_input(files)
    files.add_argument("--out", default="exploration.html", metavar="FILE.html", help="the page, default %(default)s")
    files.add_argument("--json", metavar="FILE.json", help="JSON file for its figures")
    files.add_argument("--quiet", action="store_true", default=False, help="print errors only")
    add_columns(parser)
    sample = parser.add_argument_group("sample")
    sample.add_argument(
        "--seed", dest="split.seed", type=int, metavar="N", help="seed for the sample of more than 200,000 rows"
    )
    return parser


def look(settings: Settings, page: Path, figures: Path | None, progress: Progress) -> None:
    """Explore the settings' table and write the page and, where a file for them is given, the figures."""
    with progress.step("Reading the table"):
        schema = settings.schema
        table = synthetic_table(schema) if schema.data.file is None else read_table(schema, progress)
    for line in filter(None, (table.dropped_note, *table.remarks)):
        progress.say(f"  {escape(line)}")
    with progress.step(f"Exploring {len(settings.features)} features of {len(table.target):,} rows") as show:
        found = explore(table.frame, table.target, settings, show, table.weight)
    html = render("exploration", found=found, source=table.source, sha256=table.sha256, dropped_rows=table.dropped_rows)
    if figures is not None:
        write_whole(figures, json_text(found))
    write_whole(page, html)
    _summarise(found, page, progress)


def _summarise(found: dict[str, Any], page: Path, progress: Progress) -> None:
    grid = Grid("Feature", box=None, pad_edge=False)
    for title in ("missing", "IV", "ROC-AUC"):
        grid.add_column(title, justify="right")
    if found.get("weighted"):
        progress.say(EXPLORED)
    for entry in found["features"][:SHOWN]:
        figures = f"{entry['missing_share']:.1%}", f"{entry['iv']:.3f}", f"{entry['auc']:.3f}"
        grid.add_row(escape(entry["feature"]), *figures)
    progress.console.print(grid)
    for suspect in found["suspects"]:
        progress.say(f"[yellow]suspect:[/] {escape(suspect['feature'])} {escape(suspect['reason'])}")
    progress.say(f"Written to [bold]{escape(str(page))}[/]")
