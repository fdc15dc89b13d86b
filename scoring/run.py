"""`python -m scoring.run`: a table of any size through the exact model, on every core or on a Dask cluster."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("scoring.run")


import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.settings.flags import add_flags
from cli.words import counted
from scoring.estimate import estimate
from scoring.output import held, output_of
from scoring.plan import Job, Plan, identity, plan_of
from scoring.reading import WRITTEN
from scoring.resume import begin
from scoring.scorer import Scorer
from scoring.settings import ID, Scoring, settings_from
from scoring.shown import duration
from scoring.steps import Run
from storage.address import is_remote
from table.flags import add_exclude
from table.settings import Data

EPILOG = """\
Parts of the output have the rows of the input in its order. A stopped run resumes when the same command
is given again: finished parts are compared with their digests and kept. docs/scoring.md has recipes for
DuckDB, Polars and xargs.
Exit status: 0 everything is scored; 1 failed, with one line that says why; 2 wrong flags or settings.

examples:
  python -m scoring.run --data 'book/*.parquet' --out scored
  python -m scoring.run --data s3://book/2026/ --out s3://scored/2026 --explain
  python -m scoring.run --data book.csv --out scored --dry-run
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    return command.run(lambda: _run(args), "finished parts are kept; run again to resume")


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = Parser(
        prog="python -m scoring.run",
        usage="python -m scoring.run --data FILES --out FOLDER [--model DIR] [option ...]",
        description="Score a table of any size: Parquet, CSV or Arrow in, Parquet parts out.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    files = parser.add_argument_group("input and output")
    files.add_argument("--data", required=True, metavar="FILES", help="a file, a folder, a pattern or s3://...")
    files.add_argument("--out", metavar="FOLDER", help="a new folder, that of the run to resume, or s3://...")
    files.add_argument(
        "--model", default="model", metavar="DIR", help="folder of the exported model, default %(default)s"
    )
    files.add_argument(
        "--id", dest=f"data.{ID}", metavar="COLUMN", help="column of the id, default the model's, '' for none"
    )
    files.add_argument(
        "--config",
        metavar="FILE.toml",
        help="settings that the model was trained with: id, formats of cells, special codes, rows to leave out",
    )
    files.add_argument("--explain", action="store_true", default=False, help="points of each feature, and reasons")
    files.add_argument(
        "--dry-run", action="store_true", default=False, help="print rows, bytes and time; write nothing"
    )
    files.add_argument("--quiet", action="store_true", default=False, help="print errors only")
    add_flags(parser.add_argument_group("the run"), Scoring, "scoring")
    table = parser.add_argument_group("the table")
    add_flags(table, Data, "data", *WRITTEN)
    add_exclude(table)
    return parser


def _run(args: argparse.Namespace) -> None:
    flags = {key: value for key, value in vars(args).items() if "." in key}
    settings = settings_from(flags, getattr(args, "config", None))
    scoring = settings.scoring
    if scoring.scheduler is not None and scoring.workers is not None:
        raise UserError(
            "--scheduler: expected it without --workers, which are the cluster's; leave one out", WRONG_USAGE
        )
    if not args.dry_run and not getattr(args, "out", ""):
        raise UserError("--out: expected a folder, got none; name one", WRONG_USAGE)
    progress = Progress(quiet=args.quiet)
    with progress.step("Opening the model"):
        scorer = Scorer.load(
            args.model, explain=args.explain, id=settings.id, data=settings.data, features=settings.features
        )
    with progress.step("Looking at the files"):
        plan = plan_of(args.data, scorer.reading, scoring.part_rows)
    if args.dry_run:
        _say_estimate(plan, scorer, scoring.processes, progress)
        return
    if not is_remote(args.out):
        _refuse_inside(args)
    _score(args, scorer, plan, scoring, progress)


def _score(args: argparse.Namespace, scorer: Scorer, plan: Plan, scoring: Scoring, progress: Progress) -> None:
    output, manifest = output_of(args.out), scorer.manifest
    about = identity(plan, manifest, scorer.reading, explain=args.explain, part_rows=scoring.part_rows)
    if output.names():
        begin(args.out, output, about)  # before anything is made there
    with held(args.out):
        digest = begin(args.out, output, about)
        model, out = (name if is_remote(name) else str(Path(name).absolute()) for name in (args.model, args.out))
        job = Job(model, manifest.model_version, args.explain, scorer.reading, out, plan.files, digest)
        Run(args.out, output, about, scorer, plan, job, scoring).complete(progress)


def _say_estimate(plan: Plan, scorer: Scorer, workers: int, progress: Progress) -> None:
    with progress.step("Scoring a sample"), tempfile.TemporaryDirectory(prefix="lastbit-") as work:
        found = estimate(plan, scorer, Path(work))
    about = "" if found.is_counted else "about "
    print_ = progress.console.print
    sizes = f"{found.size:,} bytes, {about}{counted(found.rows, 'row')}"
    print_(f"{counted(len(plan.files), 'file')}, {sizes}, {counted(len(plan.pieces), 'part')}")
    print_(
        f"{found.rows_per_second:,.0f} rows/s in one process, about {duration(found.seconds(workers))} in {workers}; "
        "nothing was written"
    )


def _refuse_inside(args: argparse.Namespace) -> None:
    """Raise UserError where the output would be a part of the input."""
    out, data = Path(args.out).absolute(), Path(args.data).absolute()
    if not is_remote(args.data) and data.is_dir() and (out == data or data in out.parents):
        raise UserError(f"--out: {args.out} is in --data {args.data}; name a folder outside of it", WRONG_USAGE)
