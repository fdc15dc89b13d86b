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
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from training import artifacts, command
from training.assembly import assemble
from training.evaluation.bands import band_edges, band_table, scores_of
from training.evaluation.metrics import evaluate
from training.evaluation.report import METRICS, page
from training.folder import replaced_folder
from training.options import build_parser, out_folder, settings_from
from training.schema import schema_of
from training.settings import Settings, settings_as_dict, settings_as_toml
from training.split import split, split_facts
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
        settings, out = settings_from(args), out_folder(args)
        train(settings, out, command.Progress(quiet=args.quiet))

    return command.run(train_and_save, "the last good artifacts are as they were")


def train(settings: Settings, out: Path, progress: command.Progress) -> None:
    """Fits on the training part of the table, evaluates on both parts, and replaces `out` when all is done."""
    with replaced_folder(out, artifacts.RUN) as folder:
        with progress.step("Reading the table"):
            table = synthetic_table(settings) if settings.data.file is None else read_table(settings)
        if table.dropped_rows:
            progress.say(f"  {command.escaped(table.dropped_note)}")
        parts = split(table, settings)
        train_rows, tuning = parts["train"], None
        # A sum of BLAS hangs on how many threads share it; on one, cores change no bit of the model.
        with threadpool_limits(1, user_api="blas"):
            if settings.tuning.trials:
                from training.tuning import search, study_file  # Optuna costs a second that only a search needs

                found = search(settings, table, train_rows, study_file(settings, out), progress)
                settings, tuning = found.settings, found.record
            trees = settings.xgboost["n_estimators"]
            with progress.step(f"Fitting {settings.model.folds} × {trees:,} trees on {len(train_rows):,} rows"):
                groups = {} if table.group is None else {"classify__groups": table.group.codes[train_rows]}
                pipeline = assemble(settings).fit(table.frame.iloc[train_rows], table.target[train_rows], **groups)
        with progress.step("Evaluating"):
            run = _save(settings, table, pipeline, parts, tuning, folder)
    _summarise(run, out, progress)


def _save(
    settings: Settings,
    table: Table,
    pipeline: Pipeline,
    parts: dict[str, NDArray[np.intp]],
    tuning: dict[str, Any] | None,
    folder: Path,
) -> dict[str, Any]:
    """Writes every artifact into `folder` and returns the content of run.json."""
    target = {name: table.target[rows] for name, rows in parts.items()}
    probability = {name: pipeline.predict_proba(table.frame.iloc[rows])[:, 1] for name, rows in parts.items()}
    scores = {name: scores_of(p, settings.score) for name, p in probability.items()}
    edges = band_edges(scores["train"], settings.score)
    metrics = {name: evaluate(target[name], probability[name], settings.evaluation.threshold) for name in parts}
    bands = {name: band_table(scores[name], target[name], edges) for name in ("test", "train")}
    for name, content in bands.items():
        content.to_csv(folder / f"bands_{name}.csv", index=False)
    artifacts.write_json(folder / artifacts.METRICS, metrics)
    artifacts.write_json(folder / artifacts.SCHEMA, schema_of(settings, pipeline, table.frame.iloc[parts["train"]]))
    _sample(table.frame, parts["test"], parts["train"]).to_parquet(folder / artifacts.SAMPLE, index=False)
    (folder / artifacts.SETTINGS).write_text(settings_as_toml(settings), encoding="utf-8")
    artifacts.save_pipeline(pipeline, folder / artifacts.PIPELINE)
    pictures = _draw(folder, settings, target, probability, scores, edges)
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
        "bands": edges,
        "metrics": metrics,
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
        "same_bytes_again": SAME_BYTES_AGAIN,
    }
    (folder / "report.html").write_text(page(run, metrics, bands, pictures), encoding="utf-8")
    run["files"] = {
        str(path.relative_to(folder)): artifacts.sha256_of(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    artifacts.write_json(folder / artifacts.RUN, run)
    return run


def _sample(frame: pd.DataFrame, test_rows: NDArray[np.intp], train_rows: NDArray[np.intp]) -> pd.DataFrame:
    """Real rows for the certificate, those of the test part first. Raw columns only, without ids and target."""
    rows = np.concatenate([test_rows, train_rows])[:SAMPLE_ROWS]
    return frame.iloc[rows].reset_index(drop=True)


def _draw(
    folder: Path,
    settings: Settings,
    target: dict[str, NDArray[np.int8]],
    probability: dict[str, NDArray[np.float64]],
    scores: dict[str, NDArray[np.float64]],
    edges: list[float],
) -> list[tuple[str, str]]:
    if not settings.evaluation.plots:
        return []
    from training.evaluation import plots  # matplotlib costs a second that --no-plots saves

    (folder / "plots").mkdir()
    discrimination, distribution = folder / "plots" / "discrimination.svg", folder / "plots" / "scores.svg"
    plots.draw_discrimination(discrimination, *((target[name], probability[name]) for name in ("train", "test")))
    plots.draw_scores(distribution, (target["test"], scores["test"]), edges)
    return [
        ("ROC curve and precision-recall curve, train and test", discrimination.read_text(encoding="utf-8")),
        ("Distribution of test scores by class", distribution.read_text(encoding="utf-8")),
    ]


def _summarise(run: dict[str, Any], out: Path, progress: command.Progress) -> None:
    grid = Grid("", *run["metrics"], box=None, pad_edge=False)
    for column in grid.columns[1:]:
        column.justify = "right"
    for name, title in METRICS.items():
        values = [figures[name] for figures in run["metrics"].values()]
        grid.add_row(title, *(f"{v:,}" if isinstance(v, int) else f"{v:.4f}" for v in values))
    progress.console.print(grid)
    bands = json.dumps([int(edge) for edge in run["bands"]])
    progress.say(f"Bands {bands}".replace("[", r"\["))
    progress.say(f"Written to [bold]{out}/[/] (open report.html). Next: python -m export.to_onnx")


if __name__ == "__main__":
    sys.exit(main())
