"""Starts and memory of the packaged task with reasons, against the same task with a model that has none.

Ratios of the lower quartiles of processor times within one run, all in turns; the same start is in it twice, whose ratio
says how much the others can be trusted. Loads of the model are repeated in one process, which tells smaller differences.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import quantiles

from benchmarks.deployed import lastbit
from benchmarks.report import Row
from benchmarks.startup import answering, run_in_turns
from benchmarks.subject import SILENT, subject
from benchmarks.warm import peak_memory, serving
from export.to_onnx import export
from runtime.model import Model
from training.settings import settings_from_dict
from training.settings.reasons import NONE

ROUNDS, LOADS = 161, 40
AT_ONCE = {"EXPLAIN": "always"}


def measure() -> Iterator[Row]:
    """A start to its first answer, which `always` explains; peak memory with every answer explained."""
    task = answering(lastbit())
    plain = {"MODEL_DIR": str(_without_reasons())}
    starts = {
        "without": replace(task, environment={**task.environment, **plain}),
        "without, again": replace(task, environment={**task.environment, **plain}),
        "on-request": task,
        "always": replace(task, environment={**task.environment, **AT_ONCE}),
    }
    found = {name: spent.cpu for name, spent in run_in_turns(starts, ROUNDS, of=lower_quartile).items()}
    base = found["without"]
    yield Row("start to the first answer, model without reasons, CPU ms", f"{base * 1e3:.1f}", "")
    yield Row("  × the same once more", f"{found['without, again'] / base:.3f}", "")
    yield Row("  × with reasons, EXPLAIN=on-request", f"{found['on-request'] / base:.3f}", "≤ 1.01")
    yield Row("  × with EXPLAIN=always, the first answer explained", f"{found['always'] / base:.3f}", "≤ 1.1")
    loads = {
        name: _load(folder) for name, folder in (("plain", _without_reasons()), ("with", subject().folder / "model"))
    }
    yield Row("load of the model, without and with reasons, CPU ms", "{plain:.2f} {with:.2f}".format(**loads), "")
    with serving(lastbit(), **AT_ONCE) as explained, serving(lastbit()) as asked_for_none:
        for title, process in (("every answer explained", explained), ("no answer explained", asked_for_none)):
            reach = "≤ 66" if process is explained else ""
            yield Row(f"peak memory, start and 10,000 requests, {title}, MiB", f"{peak_memory(process)[0]:.1f}", reach)


def lower_quartile(seconds: Iterable[float]) -> float:
    """The time that a quarter of all are below."""
    return quantiles(seconds, n=4)[0]


def _load(folder: Path) -> float:
    """The least milliseconds of processor time to load a model."""
    spent = []
    for _ in range(LOADS):
        begin = time.thread_time()
        Model.load(str(folder))
        spent.append(time.thread_time() - begin)
    return min(spent) * 1e3


@cache
def _without_reasons() -> Path:
    """The same model, exported without reasons."""
    its = subject()
    settings = settings_from_dict(its.artifacts.run["settings"])
    folder = its.folder / "without"
    export(its.artifacts, folder, SILENT, replace(settings, reasons=replace(settings.reasons, reference=NONE)))
    return folder
