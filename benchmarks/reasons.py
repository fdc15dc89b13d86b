"""Reasons: one applicant and many, against XGBoost's `pred_contribs`, and an explained request against a plain one.

Ratios within one run on one thread; `pred_contribs` is another value function (the tree-path one), and the only one
that XGBoost has: what is compared is the work, not the numbers.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from benchmarks.report import Row
from benchmarks.subject import SILENT, applicants, subject
from benchmarks.timing import spread, take_turns
from export.converters.classifier import boosters_of
from export.to_onnx import export
from runtime.dispatch import Handler
from runtime.explain import load_explainer
from runtime.model import Model
from runtime.openapi import example
from runtime.settings import Settings as ServingSettings
from runtime.table_file import REASONS_FILE
from training.artifacts import Artifacts, load_artifacts
from training.run import train
from training.settings import Settings

ROUNDS, CALLS = 9, 20
EXPORT, SIZE = {"default": "≤ 20", "deep": "≤ 90"}, {"default": "≤ 0.7", "deep": "≤ 30"}
ONE = {"default": "≥ 33.4", "deep": "≥ 25"}  # 0.03 and 0.04 of the time
MANY, MANY_OF_DEEP = 10_000, 400  # applicants; pred_contribs takes 10 ms for each at depth 6
REQUEST_ROUNDS, REQUEST_CALLS = 300, 10


def measure() -> Iterator[Row]:
    """The default model, and 3 × 600 trees of depth 6."""
    default = subject()
    yield from _of("default", "default model", default.artifacts, default.folder / "model", MANY)
    yield from _requests(default.folder / "model")
    settings = Settings()
    deep = dict(settings.xgboost) | {"n_estimators": 600, "max_depth": 6}
    folder = default.folder / "deep"
    without = replace(settings.evaluation, plots=False)
    train(replace(settings, xgboost=deep, evaluation=without), folder / "artifacts", SILENT)
    deep_artifacts = load_artifacts(folder / "artifacts")
    yield from _of("deep", "3 × 600 trees of depth 6", deep_artifacts, folder / "model", MANY_OF_DEEP)


def _of(key: str, name: str, artifacts: Artifacts, model: Path, many_rows: int) -> Iterator[Row]:
    fixed = min(_cpu_seconds(_fixed_work) for _ in range(5))
    seconds = _cpu_seconds(lambda: export(artifacts, model, SILENT))
    what = f"{name}: export with reasons and both certificates, CPU s"
    yield Row(what, f"{seconds:.0f}", EXPORT[key], f"{key}-export")
    yield Row(f"  × a fixed piece of work ({fixed:.2f} s)", f"{seconds / fixed:.0f}", "")
    compared: dict[str, Any] = json.loads((model / "certificate.json").read_text())["reasons"]
    size = (model / REASONS_FILE.name).stat().st_size
    yield Row(f"{name}: reasons.bin, MB", f"{size / 1e6:.2f}", SIZE[key], f"{key}-size")
    off = f"{compared['largest_difference']:.1e}"
    yield Row(f"{name}: largest difference of reasons from the leaf rule, margin", off, "≤ 2e-7", f"{key}-exact")
    served = Model.load(str(model))
    begin = time.perf_counter()
    explainer = load_explainer(served)
    first = f"{(time.perf_counter() - begin) * 1e3:.1f}"
    yield Row(f"{name}: the first explanation reads and checks, ms", first, "", f"{key}-first")
    tables = explainer._tables
    preparation = artifacts.pipeline[0]
    frame = applicants(many_rows)
    raw, prepared = preparation.raw_inputs(frame), preparation.transform(frame)
    boosters = [booster.get_booster() for booster in boosters_of(artifacts.pipeline[1])]
    for booster in boosters:
        booster.set_param({"nthread": 1})
    rows = list(zip(raw["numbers"].tolist(), raw["categories"].tolist(), strict=True))
    several = iter(range(10**9))

    def ours() -> object:
        return tables.contributions(*rows[next(several) % many_rows])

    def theirs_of(these: "np.ndarray[Any, Any]") -> object:
        matrix = xgboost.DMatrix(these, nthread=1)
        return [booster.predict(matrix, pred_contribs=True) for booster in boosters]

    def theirs() -> object:
        return theirs_of(prepared[next(several) % many_rows][None, :])

    def graph() -> object:
        one = rows[next(several) % many_rows]
        return served.predict([one[0]], [one[1]])

    yield from _ratio(key, f"{name}: contributions of one applicant", ours, theirs, graph)
    many = take_turns(
        {
            "ours": lambda: tables.contributions_of(raw["numbers"], raw["categories"]),
            "pred_contribs": lambda: theirs_of(prepared),
        },
        3,
        clock=time.thread_time,
    )
    quotient = many["pred_contribs"] / many["ours"]
    what = f"{name}: contributions of {many_rows:,} applicants, times as fast as pred_contribs"
    yield Row(what, f"{quotient:.1f}", "≥ 25", f"{key}-many", spread(many["pred_contribs"], many["ours"], ".1f"))


def _fixed_work() -> None:
    """Multiplications and additions in Python and in numpy, which show whether the machine or the code is slow."""
    values = np.arange(200_000, dtype=np.float64)
    for _ in range(50):
        values = np.sort(np.sqrt(values[::-1] + 1.0))
    sum(i * i for i in range(500_000))


def _cpu_seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _ratio(
    key: str, name: str, ours: Callable[[], object], theirs: Callable[[], object], graph: Callable[[], object]
) -> Iterator[Row]:
    found = take_turns({"ours": ours, "pred_contribs": theirs, "graph": graph}, ROUNDS, CALLS, time.thread_time)
    yield Row(f"{name}, µs (graph {found['graph'] * 1e6:.0f})", f"{found['ours'] * 1e6:.0f}", "")
    us, them = found["ours"], found["pred_contribs"]
    what = f"{name}, times as fast as pred_contribs of the same boosters"
    yield Row(what, f"{them / us:.1f}", ONE[key], f"{key}-one", spread(them, us, ".1f"))


def _requests(model: Path) -> Iterator[Row]:
    handler = Handler(ServingSettings({"MODEL_DIR": str(model)}))
    body = json.dumps(example(handler.service.model.manifest))
    about = {"http": {"method": "POST"}}

    def asked(query: str) -> Callable[[], object]:
        event = {"requestContext": about, "rawPath": "/predict", "rawQueryString": query, "body": body}
        return lambda: handler(event, None)

    contestants = {"plain": asked(""), "explained": asked("explain=true")}
    found = take_turns(contestants, REQUEST_ROUNDS, REQUEST_CALLS, time.thread_time)
    us, them = found["explained"], found["plain"]
    yield Row("an explained request against a plain one", f"{us / them:.2f}", "≤ 1.8", "request", spread(us, them))
