"""`python -m training.run`: from a table to artifacts/ — fit, calibrate, evaluate, save."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("training.run")


import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.table import Table as Grid
from threadpoolctl import threadpool_limits

from cli import command
from cli.errors import UserError
from cli.progress import Progress
from cli.words import escaped, next_command
from storage.address import is_remote
from storage.folder import replaced_folder
from table import read_table, synthetic_table
from training import artifacts
from training.artifacts.runs import uploaded_run
from training.artifacts.save import FinishedRun, sample_of, save
from training.artifacts.schema import ranges_of
from training.beside import explored_beside
from training.documents import PoolRecord, Run
from training.estimator.assembly import assemble
from training.estimator.folds import with_folds
from training.evidence import answer, gather, of_features
from training.grading import grades_of_run
from training.labelled import fit, labelled
from training.memory import refuse_what_does_not_fit
from training.options import ARTIFACTS, build_parser, out_folder, settings_from
from training.pools import in_words, pools_of, refuse_pools_of_all
from training.reasons import read_own_rows
from training.settings import Settings
from training.split import split
from validation.fairness.groups import attributes_of
from validation.grades import counts_of, refuse_more_than_outcomes
from validation.report.headings import title_of
from validation.report.words import between, figure
from validation.stability import reference_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)

    def train_and_save() -> None:
        settings, progress = settings_from(args), Progress(quiet=args.quiet)
        if is_remote(args.out):
            with uploaded_run(args.out, progress) as out:
                run = train(settings, out, progress, name=args.out)
        else:
            run = train(settings, out_folder(args), progress)
            then = next_command("export.to_onnx", "--artifacts", args.out, ARTIFACTS)
            progress.say(f"Written to [bold]{escaped(args.out)}/[/] (open report.html). Next: {escaped(then)}")
        if args.strict and run["alarms"]:
            raise UserError(f"{args.out}: {_alarms_of(run)} (--strict); the results are written, see report.html")

    return command.run(train_and_save, "the last good artifacts are as they were")


def train(settings: Settings, out: Path, progress: Progress, *, name: str | None = None) -> Run:
    """Fit on the training part of the table, evaluate on both parts, and replace `out` when all is done.

    Returns what run.json holds. `name` is what the user calls `out`, where that is another: beside it a search keeps
    its trials.
    """
    with replaced_folder(out, artifacts.RUN) as folder:
        if settings.engine.in_parts:
            from training.in_parts.run import train_in_parts

            run = train_in_parts(settings, out, folder, progress)
        else:
            run = _train_in_memory(settings, out, folder, progress, name)
    _summarise(run, progress)
    return run


def _train_in_memory(settings: Settings, out: Path, folder: Path, progress: Progress, name: str | None) -> Run:
    with progress.step("Reading the table"):
        schema = settings.schema
        table = synthetic_table(schema) if schema.data.file is None else read_table(schema, progress)
    for line in filter(None, (table.dropped_note, *table.remarks)):
        progress.say(f"  {escaped(line)}")
    rows, tuning, own_rows = split(table, settings), None, read_own_rows(settings, progress)
    groups = None if table.group is None else table.group.codes[rows["train"]]
    settings = with_folds(settings, table.target[rows["train"]], groups)
    people = [] if table.beside is None else attributes_of(table.beside, settings.fairness)
    part_of = {name: labelled(table, its, people) for name, its in rows.items()}
    train = part_of["train"]
    refuse_more_than_outcomes(settings.grades, train.target)
    pools = _pools(settings, train.frame, progress)
    # A sum of BLAS depends on its number of threads; with one thread, cores change no bit of the model.
    with threadpool_limits(1, user_api="blas"):
        if settings.tuning.trials:
            from training.tuning import search, study_file  # Optuna costs a second that only a search needs

            found = search(settings, table, rows["train"], study_file(settings, name or out), progress)
            settings, tuning = found.settings, found.record
        trees = settings.xgboost["n_estimators"]
        with explored_beside(settings, train) as explored:
            with progress.step(f"Fitting {settings.model.folds} × {trees:,} trees on {len(rows['train']):,} rows"):
                pipeline = fit(settings, train, groups)
            with progress.step("Evaluating"):
                parts = {name: answer(settings, pipeline, its) for name, its in part_of.items()}
                scored = parts["train"]
                grades = grades_of_run(settings.grades, pipeline, train, scored.probability, groups)
                reference = reference_of(train.frame, scored.score, settings.features, settings.stability, train.weight)
                if grades is not None:
                    reference["grades"] = counts_of(grades, scored.probability, train.weight)
                if settings.data.weight is not None:
                    reference["weight"] = settings.data.weight
                counted = of_features(settings, parts, reference)
                evidence = gather(settings, pipeline, parts, parts, counted, pools, explored, own_rows, grades)
    with progress.step("Writing the report"):
        finished = FinishedRun(
            settings=settings,
            table=table,
            rows=rows,
            tuning=tuning,
            pipeline=pipeline,
            pools=pools,
            reference=reference,
            parts=parts,
            shown=parts,
            ranges=ranges_of(settings, train.frame),
            sample=sample_of(table.frame, rows["test"], rows["train"]),
            evidence=evidence,
            own_rows=own_rows,
        )
        return save(folder, finished)


def _pools(settings: Settings, frame: pd.DataFrame, progress: Progress) -> list[PoolRecord]:
    """Return and report the pools of the rows `frame`; raises UserError where they or other levels are too many."""
    preparation = assemble(settings)[0].fit(frame)
    pools = pools_of(settings, preparation, frame)
    refuse_pools_of_all(settings, pools)
    refuse_what_does_not_fit(settings, preparation, len(frame))
    for pool in pools:
        progress.say(f"  {escaped(in_words(pool))}")
    return pools


def _alarms_of(run: Run) -> str:
    names = [alarm["name"] for alarm in run["alarms"]]
    return f"{len(names)} alarm{'s were' if len(names) > 1 else ' was'} raised: {', '.join(names)}"


def _summarise(run: Run, progress: Progress) -> None:
    grid = Grid("", *run["metrics"], "95 % of test", box=None, pad_edge=False)
    for column in grid.columns[1:]:
        column.justify = "right"
    for name in run["metrics"]["test"]:
        values = [figure(figures[name]) for figures in run["metrics"].values()]
        grid.add_row(title_of(name), *values, between(run["intervals"]["test"].get(name)))
    progress.console.print(grid)
    if run["settings"]["data"]["weight"] is not None:
        train = run["split"]["train"]
        progress.say(
            f"Weighted by {escaped(run['settings']['data']['weight'])}: the {train['rows']:,} training rows are worth "
            f"{train['effective_rows']:,.0f} of equal weight"
        )
    bands = json.dumps([int(edge) if edge.is_integer() else edge for edge in run["bands"]])
    progress.say(escaped(f"Bands {bands}"))
    if grades := run.get("grades"):
        progress.say(escaped(f"Grades {', '.join(grades['names'])} from {json.dumps(grades['limits'])}"))
    progress.say(escaped(run["calibration"]["reason"]))
    for alarm in run["alarms"]:
        progress.say(f"[yellow]![/] {escaped(alarm['message'])}")
