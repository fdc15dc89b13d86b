"""`python -m training.run`: from a table to artifacts/ — fit, calibrate, evaluate, save."""

import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.table import Table as Grid
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline

from training import artifacts, command
from training.assembly import assemble
from training.evaluation.evidence import Part
from training.evaluation.gather import answer, figures_of, gather, write_tables
from training.evaluation.report import METRICS, figure, page
from training.folder import replaced_folder
from training.options import build_parser, out_folder, settings_from
from training.schema import schema_of
from training.settings import Settings, settings_as_dict
from training.table import Table, read_table, synthetic_table

SAMPLE_ROWS = 50_000
PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops", "xgboost")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = build_parser().parse_args(arguments)

    def train_and_save() -> None:
        settings, out = settings_from(args), out_folder(args)
        train(settings, out, command.Progress(quiet=args.quiet))

    return command.run(train_and_save, "the last good artifacts are as they were")


def train(settings: Settings, out: Path, progress: command.Progress) -> None:
    """Fits on the training part of the table, evaluates on both parts, and replaces `out` when all is done."""
    with replaced_folder(out, artifacts.RUN) as folder:
        with progress.step("Reading the table"):
            table = synthetic_table(settings) if settings.data.file is None else read_table(settings)
        if table.dropped_rows:
            progress.say(f"  {table.dropped_rows:,} rows without a target were left out")
        train_rows, test_rows = train_test_split(
            np.arange(len(table.target)),
            test_size=settings.split.test_size,
            random_state=settings.split.seed,
            stratify=table.target,
        )
        what = (
            f"Fitting {settings.model.folds} × {settings.xgboost['n_estimators']:,} trees on {len(train_rows):,} rows"
        )
        with progress.step(what):
            pipeline = assemble(settings).fit(table.frame.iloc[train_rows], table.target[train_rows])
        with progress.step("Evaluating"):
            run = _save(settings, table, pipeline, {"train": train_rows, "test": test_rows}, folder)
    _summarise(run, out, progress)


def _save(
    settings: Settings, table: Table, pipeline: Pipeline, parts: dict[str, NDArray[np.intp]], folder: Path
) -> dict[str, Any]:
    """Writes every artifact into `folder` and returns the content of run.json."""
    answers = {
        name: answer(settings, pipeline, table.frame.iloc[rows], table.target[rows]) for name, rows in parts.items()
    }
    evidence = gather(settings, pipeline, answers)
    write_tables(folder, evidence)
    figures = figures_of(evidence)
    artifacts.write_json(folder / artifacts.METRICS, figures["metrics"])
    artifacts.write_json(folder / artifacts.SCHEMA, schema_of(settings, pipeline, table.frame.iloc[parts["train"]]))
    _sample(table.frame, parts["test"], parts["train"]).to_parquet(folder / artifacts.SAMPLE, index=False)
    artifacts.save_pipeline(pipeline, folder / artifacts.PIPELINE)
    pictures = _draw(folder, settings, answers, evidence.edges)
    run = {
        "schema_version": artifacts.SCHEMA_VERSION,
        "data": {
            "source": table.source,
            "sha256": table.sha256,
            "rows": len(table.target),
            "dropped_rows": table.dropped_rows,
        },
        "settings": settings_as_dict(settings),
        "seed": settings.split.seed,
        **figures,
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
        "same_bytes_again": "the same data, settings and versions, on the same kind of processor",
    }
    (folder / "report.html").write_text(page(run, evidence.metrics, evidence.bands, pictures), encoding="utf-8")
    run["files"] = {
        str(path.relative_to(folder)): artifacts.sha256_of(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    artifacts.write_json(folder / artifacts.RUN, run)
    return run


def _sample(frame: pd.DataFrame, test_rows: NDArray[np.intp], train_rows: NDArray[np.intp]) -> pd.DataFrame:
    """Real rows for the certificate, those of the test part first. Raw columns only, without ids and target."""
    rows = np.concatenate([test_rows, train_rows])[:SAMPLE_ROWS]
    return frame.iloc[rows].reset_index(drop=True)


def _draw(folder: Path, settings: Settings, parts: dict[str, Part], edges: list[float]) -> list[tuple[str, str]]:
    if not settings.evaluation.plots:
        return []
    from training.evaluation import plots  # matplotlib costs a second that --no-plots saves

    (folder / "plots").mkdir()
    discrimination, distribution = folder / "plots" / "discrimination.svg", folder / "plots" / "scores.svg"
    plots.draw_discrimination(discrimination, *((part.target, part.probability) for part in parts.values()))
    plots.draw_scores(distribution, (parts["test"].target, parts["test"].score), edges)
    return [
        ("ROC curve and precision-recall curve, train and test", discrimination.read_text(encoding="utf-8")),
        ("Distribution of test scores by class", distribution.read_text(encoding="utf-8")),
    ]


def _summarise(run: dict[str, Any], out: Path, progress: command.Progress) -> None:
    grid = Grid("", *run["metrics"], "95 % of test", box=None, pad_edge=False)
    for column in grid.columns[1:]:
        column.justify = "right"
    for name, title in METRICS.items():
        values = [figure(figures[name]) for figures in run["metrics"].values()]
        grid.add_row(title, *values, " to ".join(map(figure, run["intervals"]["test"].get(name, ()))))
    progress.console.print(grid)
    bands = json.dumps([int(edge) if edge.is_integer() else edge for edge in run["bands"]])
    progress.say(f"Bands {bands}".replace("[", r"\["))
    progress.say(run["calibration"]["reason"])
    for alarm in run["alarms"]:
        progress.say(f"[yellow]![/] {alarm['message']}")
    progress.say(f"Written to [bold]{out}/[/] (open report.html). Next: python -m export.to_onnx")


if __name__ == "__main__":
    sys.exit(main())
