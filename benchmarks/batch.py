"""Batches by tables: raw columns to probability against XGBoost's `inplace_predict` on the prepared matrix, and bits.

Ratios of medians within one run, one thread each.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.deployed import bodies, event
from benchmarks.public import ROOT
from benchmarks.report import Row
from benchmarks.subject import SILENT, Subject, applicants, subject
from benchmarks.timing import Median, spread, take_turns
from export.batch import build
from export.certificate.comparison import bits_equal
from export.certificate.tables import bits_equal_rows
from export.converters.classifier import boosters_of
from export.to_onnx import export
from runtime.dispatch import Handler
from runtime.model import Model
from runtime.settings import Settings as ServiceSettings
from training.artifacts import Artifacts, load_artifacts
from training.estimator.boosting import margin
from training.run import train
from training.settings import Settings

EXACT, AT_ONCE = 1_000_000, 100_000
BATCH, ROUTE_ROUNDS, START_ROUNDS = 1_000, 30, 41
SIZES = {64: "", 256: "", 1_000: "≥ 3", 100_000: "≥ 3.5"}


def measure() -> Iterator[Row]:
    """The default model, and 3 × 600 trees of depth 6."""
    default = subject()
    for rows, reach in SIZES.items():
        yield from _speed("default model", default.artifacts, default.model, rows, reach)
    yield from _bits(default.artifacts, default.model)
    yield from _route(default.folder / "model")
    yield from _start(default)
    size = (default.folder / "model" / "batch.bin").stat().st_size
    yield Row("default model: batch.bin, kB", f"{size / 1e3:.0f}", "≤ 110", "size")
    settings, folder = Settings(), default.folder / "deep-batches"
    deep = dict(settings.xgboost) | {"n_estimators": 600, "max_depth": 6}
    without = replace(settings.evaluation, plots=False)
    train(replace(settings, xgboost=deep, evaluation=without), folder / "artifacts", SILENT)
    artifacts = load_artifacts(folder / "artifacts")
    export(artifacts, folder / "model", SILENT)
    yield from _speed("3 × 600 trees of depth 6", artifacts, Model.load(str(folder / "model")), AT_ONCE, "≥ 3.5")


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
    yield Row(
        f"{what}, one core, times as fast as inplace_predict of the same boosters on the prepared matrix",
        f"{found['inplace_predict'] / found['tables']:.2f}",
        reach,
        f"{'default' if name.startswith('default') else 'deep'}-{rows}",
        spread(found["inplace_predict"], found["tables"]),
    )
    yield Row("  times as fast as the graph", f"{found['graph'] / found['tables']:.2f}", "")


def _route(folder: Path) -> Iterator[Row]:
    """The Lambda's batch route, with tables and by the graph with its rows in order; CPU time."""
    asked = event("/predict/batch", {"applicants": bodies(BATCH)})
    tables, graph = (Handler(ServiceSettings({"MODEL_DIR": str(folder)})) for _ in "12")
    graph.service.model.manifest.batch_size = 0
    seconds: dict[str, list[float]] = {"tables": [], "graph": []}
    for _ in range(ROUTE_ROUNDS):
        for name, handler in (("tables", tables), ("graph", graph)):
            begin = time.process_time()
            answer: Any = handler(asked, None)
            seconds[name].append(time.process_time() - begin)
            if answer["statusCode"] != 200:
                raise RuntimeError(str(answer["body"]))
    quotient = min(seconds["tables"]) / min(seconds["graph"])
    what = f"a batch of {BATCH:,} by the Lambda's route, CPU time against the graph's"
    yield Row(what, f"{quotient:.2f}", "≤ 0.75", "route")


def _start(default: Subject) -> Iterator[Row]:
    """A process that opens the model, with and without batch.bin; CPU time."""
    without = default.folder / "without-tables"
    largest, build.LARGEST = build.LARGEST, 0
    try:
        export(default.artifacts, without, SILENT)
    finally:
        build.LARGEST = largest
    code = (
        "import sys; from runtime.model import Model; Model.load(sys.argv[1]); import time; print(time.process_time())"
    )
    seconds: dict[Path, list[float]] = {default.folder / "model": [], without: []}
    for _ in range(START_ROUNDS):
        for folder, its in seconds.items():
            done = subprocess.run(
                [sys.executable, "-c", code, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, check=True
            )
            its.append(float(done.stdout))
    ours, base = Median(seconds[default.folder / "model"]), Median(seconds[without])
    what = "start, CPU time against a model without batch.bin"
    yield Row(what, f"{ours / base:.3f}", "≤ 1.01", "start", spread(ours, base, ".3f"))


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
    yield Row(f"{rows:,} applicants by tables, bit-equal to the graph", f"{by_graph / rows:.4%}", "100 %", "bits")
    what = f"{rows:,} applicants by tables, margins bit-equal to XGBoost's"
    yield Row(what, f"{by_xgboost / rows:.4%}", "100 %", "xgboost-bits")
