"""`python -m training.run`: from a table to artifacts/ — fit, calibrate, evaluate, save."""

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.table import Table as Grid
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from training import artifacts, command
from training.assembly import assemble
from training.evaluation.gather import answer, figures_of, gather, write_tables
from training.folder import replaced_folder
from training.options import build_parser, out_folder, settings_from
from training.report.headings import title_of
from training.report.report import write_report
from training.report.words import between, figure
from training.schema import schema_of
from training.settings import Settings, settings_as_dict, settings_as_toml
from training.split import split, split_facts
from training.stability import compare, reference_of
from training.storage.address import is_remote
from training.storage.runs import uploaded_run
from training.table import Table, read_table, synthetic_table

SAMPLE_ROWS = 50_000
PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops", "xgboost")
# tests/test_commands.py holds it.
SAME_BYTES_AGAIN = (
    "data.sha256, settings.toml, versions, and the kind of processor and C library that they run on; neither the "
    "number of cores nor an interrupted search changes a bit of model.onnx"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = build_parser().parse_args(arguments)

    def train_and_save() -> None:
        settings, progress = settings_from(args), command.Progress(quiet=args.quiet)
        if is_remote(args.out):
            with uploaded_run(args.out, progress) as out:
                train(settings, out, progress, name=args.out)
        else:
            train(settings, out_folder(args), progress)
            progress.say(f"Written to [bold]{args.out}/[/] (open report.html). Next: python -m export.to_onnx")

    return command.run(train_and_save, "the last good artifacts are as they were")


def train(settings: Settings, out: Path, progress: command.Progress, *, name: str | None = None) -> None:
    """Fits on the training part of the table, evaluates on both parts, and replaces `out` when all is done.

    `name` is what the user calls `out`, where that is another: beside it a search keeps its trials.
    """
    with replaced_folder(out, artifacts.RUN) as folder:
        with progress.step("Reading the table"):
            table = synthetic_table(settings) if settings.data.file is None else read_table(settings, progress)
        if table.dropped_rows:
            progress.say(f"  {command.escaped(table.dropped_note)}")
        parts = split(table, settings)
        train_rows, tuning = parts["train"], None
        # A sum of BLAS hangs on how many threads share it; on one, cores change no bit of the model.
        with threadpool_limits(1, user_api="blas"):
            if settings.tuning.trials:
                from training.tuning import search, study_file  # Optuna costs a second that only a search needs

                found = search(settings, table, train_rows, study_file(settings, name or out), progress)
                settings, tuning = found.settings, found.record
            trees = settings.xgboost["n_estimators"]
            with progress.step(f"Fitting {settings.model.folds} × {trees:,} trees on {len(train_rows):,} rows"):
                groups = {} if table.group is None else {"classify__groups": table.group.codes[train_rows]}
                pipeline = assemble(settings).fit(table.frame.iloc[train_rows], table.target[train_rows], **groups)
        with progress.step("Evaluating"):
            run = _save(settings, table, pipeline, parts, tuning, folder)
    _summarise(run, progress)


def _save(
    settings: Settings,
    table: Table,
    pipeline: Pipeline,
    parts: dict[str, NDArray[np.intp]],
    tuning: dict[str, Any] | None,
    folder: Path,
) -> dict[str, Any]:
    """Writes every artifact into `folder` and returns the content of run.json."""
    from training.exploration import explore  # optbinning costs a second that a mistake in the table need not wait for

    of = {name: answer(settings, pipeline, table.frame.iloc[rows], table.target[rows]) for name, rows in parts.items()}
    evidence = gather(settings, pipeline, of)
    write_tables(folder, evidence)
    figures = figures_of(evidence)
    artifacts.write_json(folder / artifacts.METRICS, figures["metrics"])
    artifacts.write_json(folder / artifacts.SCHEMA, schema_of(settings, pipeline, table.frame.iloc[parts["train"]]))
    reference = reference_of(of["train"].frame, of["train"].score, settings)
    artifacts.write_json(folder / artifacts.REFERENCE, reference)
    evidence = replace(
        evidence,
        stability=compare(reference, of["test"].frame, of["test"].score, settings.stability),
        exploration=explore(of["train"].frame, of["train"].target, settings),
    )
    _sample(table.frame, parts["test"], parts["train"]).to_parquet(folder / artifacts.SAMPLE, index=False)
    (folder / artifacts.SETTINGS).write_text(settings_as_toml(settings), encoding="utf-8")
    artifacts.save_pipeline(pipeline, folder / artifacts.PIPELINE)
    run = {
        "schema_version": artifacts.SCHEMA_VERSION,
        "data": {
            "source": table.source,
            "sha256": table.sha256,
            "rows": len(table.target),
            "dropped_rows": table.dropped_rows,
            "dropped_note": table.dropped_note,
        },
        "split": {"method": settings.split.method, **split_facts(table, parts)},
        "settings": settings_as_dict(settings),
        "seed": settings.split.seed,
        "tuning": tuning,
        **figures,
        "stability": evidence.stability,
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
        "same_bytes_again": SAME_BYTES_AGAIN,
    }
    write_report(folder, run, evidence, of)
    run["files"] = {
        str(path.relative_to(folder)): artifacts.sha256_of(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    artifacts.write_json(folder / artifacts.RUN, run)
    return run


def _sample(frame: pd.DataFrame, test_rows: NDArray[np.intp], train_rows: NDArray[np.intp]) -> pd.DataFrame:
    """Real rows for the certificate, those of the test part first. Raw columns only, without ids and target."""
    rows = np.concatenate([test_rows, train_rows])[:SAMPLE_ROWS]
    return frame.iloc[rows].reset_index(drop=True)


def _summarise(run: dict[str, Any], progress: command.Progress) -> None:
    grid = Grid("", *run["metrics"], "95 % of test", box=None, pad_edge=False)
    for column in grid.columns[1:]:
        column.justify = "right"
    for name in run["metrics"]["test"]:
        values = [figure(figures[name]) for figures in run["metrics"].values()]
        grid.add_row(title_of(name), *values, between(run["intervals"]["test"].get(name)))
    progress.console.print(grid)
    bands = json.dumps([int(edge) if edge.is_integer() else edge for edge in run["bands"]])
    progress.say(f"Bands {bands}".replace("[", r"\["))
    progress.say(command.escaped(run["calibration"]["reason"]))
    for alarm in run["alarms"]:
        progress.say(f"[yellow]![/] {command.escaped(alarm['message'])}")


if __name__ == "__main__":
    sys.exit(main())
