"""Batches by tables: raw columns to probability against XGBoost's `inplace_predict` on the prepared matrix, and bits.

Ratios of medians within one run, one thread each.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.report import Row
from benchmarks.subject import SILENT, applicants, subject
from benchmarks.timing import take_turns
from export.certificate.comparison import bits_equal
from export.certificate.tables import bits_equal_rows
from export.converters.classifier import boosters_of
from export.to_onnx import export
from runtime.model import Model
from training.artifacts import Artifacts, load_artifacts
from training.estimator.boosting import margin
from training.run import train
from training.settings import Settings

EXACT, AT_ONCE = 1_000_000, 100_000
SIZES = {64: "", 256: "", 1_000: "≥ 3", 100_000: "≥ 3.5"}


def measure() -> Iterator[Row]:
    """The default model, and 3 × 600 trees of depth 6."""
    default = subject()
    for rows, reach in SIZES.items():
        yield from _speed("default", default.artifacts, default.model, rows, reach)
    yield from _bits(default.artifacts, default.model)
    size = (default.folder / "model" / "batch.bin").stat().st_size
    yield Row("default: batch.bin, kB", f"{size / 1e3:.0f}", "≤ 110")
    settings, folder = Settings(), default.folder / "deep-batches"
    deep = dict(settings.xgboost) | {"n_estimators": 600, "max_depth": 6}
    without = replace(settings.evaluation, plots=False)
    train(replace(settings, xgboost=deep, evaluation=without), folder / "artifacts", SILENT)
    artifacts = load_artifacts(folder / "artifacts")
    export(artifacts, folder / "model", SILENT)
    yield from _speed("3 × 600 of depth 6", artifacts, Model.load(str(folder / "model")), AT_ONCE, "≥ 3.5")


def _speed(name: str, artifacts: Artifacts, model: Model, rows: int, reach: str) -> Iterator[Row]:
    preparation = artifacts.pipeline[0]
    frame = applicants(AT_ONCE).head(rows)
    inputs, prepared = preparation.raw_inputs(frame), preparation.transform(frame)
    boosters = [booster.get_booster() for booster in boosters_of(artifacts.pipeline[1])]
    for booster in boosters:
        booster.set_param({"nthread": 1})
    tables = model.batch()
    words = inputs.get("categories", np.empty((rows, 0), dtype=object))
    found = take_turns(
        {
            "tables": lambda: tables.predict(inputs["numbers"], words),
            "graph": lambda: model.ask_graph(inputs),
            "inplace_predict": lambda: [booster.inplace_predict(prepared) for booster in boosters],
        },
        rounds=5,
        calls=max(1, 20_000 // rows),
    )
    what = f"{name}: {rows:,} raw rows"
    yield Row(f"{what}, rows/s", f"{rows / found['tables']:,.0f}", "")
    yield Row("  times as fast as inplace_predict", f"{found['inplace_predict'] / found['tables']:.2f}", reach)
    yield Row("  times as fast as the graph", f"{found['graph'] / found['tables']:.2f}", "")


def _bits(artifacts: Artifacts, model: Model) -> Iterator[Row]:
    preparation, boosters = artifacts.pipeline[0], boosters_of(artifacts.pipeline[1])
    by_graph, by_xgboost, rows = 0, 0, 0
    for seed in range(EXACT // AT_ONCE):
        frame = applicants(AT_ONCE, seed + 100)
        inputs = preparation.raw_inputs(frame)
        probability, margins = model.predict(**inputs)
        of_graph = model.ask_graph(inputs)
        prepared = preparation.transform(frame)
        its_own = np.column_stack([margin(booster, prepared) for booster in boosters])
        equal = bits_equal_rows(margins, of_graph[1])
        by_graph += min(equal, bits_equal(probability, of_graph[0]))
        by_xgboost += bits_equal_rows(margins, its_own)
        rows += len(frame)
    yield Row(f"{rows:,} rows, bit-equal to the graph", f"{by_graph / rows:.4%}", "100 %")
    yield Row(f"{rows:,} rows, margins bit-equal to XGBoost's", f"{by_xgboost / rows:.4%}", "100 %")
