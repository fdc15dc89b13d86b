"""Starts and memory of the packaged task with reasons, against the same task with a model that has none.

Ratios of the lower quartiles of processor times within one run, all in turns. The same start is in it twice: what its
ratio is off by, the others may be. Loads of the model alone, repeated in one process, show smaller differences.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import quantiles

from benchmarks.deployed import bodies, lastbit
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
    plain = replace(task, environment={**task.environment, "MODEL_DIR": str(_without_reasons())})
    starts = {
        "without": plain,
        "again": plain,
        "on-request": task,
        "always": replace(task, environment={**task.environment, **AT_ONCE}),
    }
    times = run_in_turns(starts, ROUNDS)
    found = {name: quantiles(its.cpu.rounds, n=4)[0] for name, its in times.items()}
    base = found["without"]
    yield Row("start to the first answer, model without reasons, CPU ms", f"{base * 1e3:.1f}", "")
    yield Row("  × the same once more", f"{found['again'] / base:.3f}", "")
    for name, what, reach in (
        ("on-request", "EXPLAIN=on-request", "≤ 1.01"),
        ("always", "EXPLAIN=always, the first answer explained", "≤ 1.1"),
    ):
        ratio = f"{found[name] / base:.3f}"
        yield Row(f"start with reasons against one without, {what}, CPU time", ratio, reach, name)
    load, more = (_load(folder) for folder in (_without_reasons(), subject().folder / "model"))
    yield Row("load of the model, without and with reasons, CPU ms", f"{load:.2f} {more:.2f}", "")
    with serving(lastbit(), **AT_ONCE) as explained, serving(lastbit()) as silent:
        peak, other = (peak_memory(process)[0] for process in (explained, silent))
    what = f"peak memory, start and {len(bodies()):,} requests, all explained, MiB"
    yield Row(what, f"{peak:.1f}", "≤ 66", "memory")
    yield Row("  the same, none explained", f"{other:.1f}", "")


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
