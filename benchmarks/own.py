"""A scikit-learn pipeline over the trees of our own training, served: its start and requests against our training's."""

import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

import population
from benchmarks.deployed import Deployed
from benchmarks.report import Row
from benchmarks.startup import answering, run_in_turns
from benchmarks.subject import SILENT, applicants
from benchmarks.timing import Median, spread
from benchmarks.warm import serving
from export.own.model import export_own
from export.own.settings import own_settings
from export.package import ROOT, Plan, package
from export.packaging.target import Target, architecture
from export.to_onnx import export
from training.artifacts import load_artifacts
from training.run import train
from training.settings import Settings

SLICE, ROUNDS, START_ROUNDS = 100, 30, 41
TEXTBOOK_ROWS = 50_000


@cache
def both() -> tuple[Deployed, Deployed]:
    """Packages of a model of our training, and of a pipeline of scikit-learn's steps in front of the same boosters."""
    folder = Path(mkdtemp(prefix="lastbit-own-"))
    settings = Settings()
    model = replace(settings.model, estimator="calibrated-cv", calibration="sigmoid", calibrate_on="probability")
    evaluation = replace(settings.evaluation, plots=False)
    train(replace(settings, model=model, evaluation=evaluation, row_max={}), folder / "artifacts", SILENT)
    artifacts = load_artifacts(folder / "artifacts")
    export(artifacts, folder / "ours" / "model", SILENT)
    pipeline = with_own_steps(artifacts.pipeline)
    export_own(pipeline, applicants(5_000), None, folder / "own" / "model", own_settings(None), SILENT)
    target = Target((sys.version_info[0], sys.version_info[1]), architecture(platform.machine()))
    found = []
    for name in ("ours", "own"):
        place = folder / name
        package(Plan(place / "model", target, place / "dist", ROOT / "build" / "wheels"), SILENT)
        found.append(Deployed(place / "dist" / "task", "runtime.handler"))
    return found[0], found[1]


def with_own_steps(pipeline: Pipeline) -> Pipeline:
    """The fitted classifier behind steps of scikit-learn that make the same columns of the raw ones."""
    preparation, classifier = pipeline[0], pipeline[-1]
    logged = set(preparation.log1p)
    numbers: list[tuple[str, Any, list[str]]] = [
        (name, FunctionTransformer(np.log1p) if name in logged else "passthrough", [name])
        for name in preparation.single_
    ]
    texts: list[tuple[str, Any, list[str]]] = [
        (name, OneHotEncoder(categories=[levels], handle_unknown="ignore"), [name])
        for name, levels in preparation.indicators().items()
    ]
    steps = ColumnTransformer([*numbers, *texts], sparse_threshold=0)
    frame = applicants(5_000)[[*preparation.numbers, *preparation.vocabularies_]]
    return Pipeline([("columns", steps.fit(frame)), ("classifier", classifier)])


def measure() -> Iterator[Row]:
    """Ratios of CPU time and of medians, all contestants in turns."""
    ours, own = both()
    started = run_in_turns({"ours": answering(ours), "own": answering(own)}, START_ROUNDS)
    us, them = started["own"].cpu, started["ours"].cpu
    what = "start of a pipeline of one's own, against our training's model of the same trees, CPU time"
    yield Row(what, f"{us / them:.2f}", "≤ 1.1", "start", spread(us, them))
    seconds: tuple[list[float], list[float]] = ([], [])
    with serving(own) as first, serving(ours) as second:
        for process in (first, second):
            process.ask("requests", 0, SLICE)
        for begin in range(0, SLICE * ROUNDS, SLICE):
            for process, spent in zip((first, second), seconds, strict=True):
                spent.append(median(process.ask("requests", begin, begin + SLICE)))
    us, them = map(Median, seconds)
    yield Row("  warm request, own pipeline and our training's, µs", f"{us * 1e6:.1f} {them * 1e6:.1f}", "")
    what = "warm request to a pipeline of one's own, against our training's model of the same trees"
    yield Row(what, f"{us / them:.2f}", "≤ 1.5", "warm", spread(us, them))
    yield from _export()


def _export() -> Iterator[Row]:
    """Export of the textbook pipeline: impute and scale, one-hot, calibrated isotonically."""
    table = population.draw(TEXTBOOK_ROWS, 1)
    X, y = table.drop(columns=["uuid", "default"]), table["default"].to_numpy()
    texts = ["merchant_group"]
    numbers = [name for name in X.columns if name not in texts]
    steps = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("texts", OneHotEncoder(handle_unknown="ignore"), texts),
        ]
    )
    trees = XGBClassifier(n_estimators=100, max_depth=4, n_jobs=1)
    fitted = make_pipeline(steps, CalibratedClassifierCV(trees, method="isotonic", cv=5)).fit(X, y)
    folder = Path(mkdtemp(prefix="lastbit-own-"))
    wall, cpu = time.perf_counter(), time.process_time()
    export_own(fitted, X, y, folder / "model", own_settings({"reasons": {"reference": "none"}}), SILENT)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    yield Row("  the next one by the clock, s", f"{wall:.1f}", "")
    what = f"export with certificate of a textbook pipeline, {TEXTBOOK_ROWS:,} rows, s of CPU time"
    yield Row(what, f"{cpu:.1f}", "≤ 20", "export")
