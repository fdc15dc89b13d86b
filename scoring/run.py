"""`python -m scoring.run`: a table of any size through the exact model, on every core or on a Dask cluster."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("scoring.run")


import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.settings.flags import add_flags
from cli.words import counted, escaped
from scoring.cluster import Cluster
from scoring.estimate import estimate
from scoring.output import Output, held, output_of
from scoring.plan import SUMMARY, Job, Piece, Plan, identity, plan_of
from scoring.processes import Processes
from scoring.reading import WRITTEN
from scoring.resume import begin, finished
from scoring.scorer import Scorer, describe
from scoring.settings import ID, Scoring, settings_from
from scoring.shown import Meter, duration, shown
from scoring.summary import read_summary, refuse_too_many, summary_of, write_rejects, write_summary
from scoring.tally import Tally
from storage.address import is_remote
from table.settings import Data

EPILOG = """\
Parts of the output have the rows of the input in its order. A run that was stopped resumes when the same
command is given again: finished parts are compared with their digests and kept. docs/scoring.md has recipes for
DuckDB, Polars and xargs.
Exit status: 0 all is scored; 1 something is wrong, with one line that says what; 2 wrong flags or settings.

examples:
  python -m scoring.run --data 'book/*.parquet' --out scored
  python -m scoring.run --data s3://book/2026/ --out s3://scored/2026 --explain
  python -m scoring.run --data book.csv --out scored --dry-run
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
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
    files.add_argument("--model", default="model", metavar="DIR", help="what was exported, default %(default)s")
    files.add_argument(
        "--id", dest=f"data.{ID}", metavar="COLUMN", help="column of the id, default the model's, '' for none"
    )
    files.add_argument(
        "--config",
        metavar="FILE.toml",
        help="the settings that the model was trained with: the id, how cells are written, special codes",
    )
    files.add_argument("--explain", action="store_true", default=False, help="points of each feature, and reasons")
    files.add_argument(
        "--dry-run", action="store_true", default=False, help="print rows, bytes and time, write nothing"
    )
    files.add_argument("--quiet", action="store_true", default=False, help="print errors only")
    add_flags(parser.add_argument_group("the run"), Scoring, "scoring")
    add_flags(parser.add_argument_group("the table"), Data, "data", *WRITTEN)
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
    workers = scoring.workers or os.cpu_count() or 1
    if args.dry_run:
        _say_estimate(plan, scorer, workers, progress)
        return
    output = output_of(args.out)
    its = identity(plan, describe(scorer.manifest), scorer.reading, explain=args.explain, part_rows=scoring.part_rows)
    if not is_remote(args.out):
        _refuse_inside(args)
    if output.names():
        begin(args.out, output, its)  # before anything is made there
    with held(args.out):
        digest = begin(args.out, output, its)
        model, out = (name if is_remote(name) else str(Path(name).absolute()) for name in (args.model, args.out))
        job = Job(model, scorer.manifest.model_version, args.explain, scorer.reading, out, plan.files, digest)
        with progress.step("Looking at finished parts"):
            markers = finished(output, plan.pieces)
        left = [piece for piece in plan.pieces if piece.number not in markers]
        if not left and (summary := read_summary(output)) is not None and _fits(summary, markers):
            progress.say(escaped(f"{args.out} is complete: {summary['rows']['scored']:,} rows"))
            return
        refusal = _score(args.out, job, plan, left, markers, scoring, workers, progress)
        _finish(args.out, output, its, scorer, plan, markers, scoring, progress, refusal)


def _score(
    out: str,
    job: Job,
    plan: Plan,
    left: Sequence[Piece],
    markers: dict[int, dict[str, Any]],
    scoring: Scoring,
    workers: int,
    progress: Progress,
) -> UserError | None:
    """Scores what is left; the refusal if too many rows are rejected before the end."""
    before = sum(piece.size for piece in plan.pieces if piece.number in markers)
    tally = Tally.sum(Tally.of(marker["tally"]) for marker in markers.values())
    if markers:
        progress.say(f"  {len(markers):,} of {len(plan.pieces):,} parts are finished")
    meter = Meter(plan, len(markers), before, tally.rows + tally.rejected)
    sizes = {piece.number: piece.size for piece in left}
    with shown(progress, meter):
        for kind, content in _answers(job, left, scoring, workers):
            if kind == "rows":
                meter.add(content)
                continue
            markers[content["piece"]] = content
            meter.finish(sizes[content["piece"]])
            tally.add(Tally.of(content["tally"]))
            if plan.rows is not None:
                try:
                    refuse_too_many(out, tally, scoring.max_rejects, plan.rows)
                except UserError as refusal:
                    return refusal
    return None


def _answers(job: Job, left: Sequence[Piece], scoring: Scoring, workers: int) -> Iterator[tuple[str, Any]]:
    yield from Processes(job, left, workers) if scoring.scheduler is None else Cluster(job, left, scoring.scheduler)


def _finish(
    out: str,
    output: Output,
    its: dict[str, Any],
    scorer: Scorer,
    plan: Plan,
    markers: dict[int, dict[str, Any]],
    scoring: Scoring,
    progress: Progress,
    refusal: UserError | None,
) -> None:
    in_order = [markers[number] for number in sorted(markers)]
    with progress.step("Writing the summary"):
        write_rejects(output, in_order)
        if refusal is not None:
            raise refusal
        tally = Tally.sum(Tally.of(marker["tally"]) for marker in in_order)
        refuse_too_many(out, tally, scoring.max_rejects)
        summary = summary_of(its, scorer.manifest, in_order, output, scorer.texts)
        write_summary(output, summary)
    score = summary["score"]
    if summary["rows"]["rejected"]:
        progress.say(f"Rejected: {counted(summary['rows']['rejected'], 'row')}; rejects.csv says why")
    if summary["repeated_ids"]:
        progress.say(f"{summary['repeated_ids']:,} rows have an id that another row has too; each is scored")
    if score is not None:
        moved = f", moved (from {score['counts_from']:.3g})" if score["moved"] else ""
        progress.say(f"Stability index of the score against the training rows: {score['psi']:.4f}{moved}")
    progress.say(
        escaped(f"{summary['rows']['scored']:,} rows in {counted(len(plan.pieces), 'part')} in {out}, see {SUMMARY}")
    )


def _fits(summary: dict[str, Any], markers: dict[int, dict[str, Any]]) -> bool:
    """True if a summary is that of these parts."""
    parts = [entry["sha256"] for entry in summary["parts"]]
    return parts == [markers[number]["files"]["rows"]["sha256"] for number in sorted(markers)]


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
    """Raises UserError where the output would be a part of the input."""
    out, data = Path(args.out).absolute(), Path(args.data).absolute()
    if not is_remote(args.data) and data.is_dir() and (out == data or data in out.parents):
        raise UserError(f"--out: {args.out} is in --data {args.data}; name a folder outside of it", WRONG_USAGE)
