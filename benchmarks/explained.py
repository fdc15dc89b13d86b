"""Starts and memory of the packaged task with reasons, against the same task with a model that has none.

Ratios of the smallest processor times within one run, all in turns: of a start it is the one figure that repeats to a
hundredth on a machine with other work.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from benchmarks.deployed import lastbit
from benchmarks.report import Row
from benchmarks.startup import answering, run_in_turns
from benchmarks.subject import SILENT, subject
from benchmarks.warm import peak_memory, serving
from export.to_onnx import export
from training.settings import settings_from_dict
from training.settings.reasons import NONE

ROUNDS = 101
AT_ONCE = {"EXPLAIN": "always"}


def measure() -> Iterator[Row]:
    """A start to its first answer, which `always` explains; peak memory with every answer explained."""
    task = answering(lastbit())
    plain = {"MODEL_DIR": str(_without_reasons())}
    starts = {
        "without": replace(task, environment={**task.environment, **plain}),
        "on-request": task,
        "always": replace(task, environment={**task.environment, **AT_ONCE}),
    }
    found = {name: spent.cpu for name, spent in run_in_turns(starts, ROUNDS, of=min).items()}
    base = found["without"]
    yield Row("start to the first answer, model without reasons, CPU ms", f"{base * 1e3:.1f}", "")
    yield Row("  × with reasons, EXPLAIN=on-request", f"{found['on-request'] / base:.3f}", "≤ 1.01")
    yield Row("  × with EXPLAIN=always, the first answer explained", f"{found['always'] / base:.3f}", "≤ 1.1")
    with serving(lastbit(), **AT_ONCE) as explained, serving(lastbit()) as asked_for_none:
        for title, process in (("every answer explained", explained), ("no answer explained", asked_for_none)):
            reach = "≤ 66" if process is explained else ""
            yield Row(f"peak memory, start and 10,000 requests, {title}, MiB", f"{peak_memory(process)[0]:.1f}", reach)


@cache
def _without_reasons() -> Path:
    """The same model, exported without reasons."""
    its = subject()
    settings = settings_from_dict(its.artifacts.run["settings"])
    folder = its.folder / "without"
    export(its.artifacts, folder, SILENT, replace(settings, reasons=replace(settings.reasons, reference=NONE)))
    return folder
