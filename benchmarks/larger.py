"""Training past the memory: from the disk and on two Dask workers beside runs in memory of the same rows.

Time is that of the processors, with that of all workers: other programs move it less than the time of the clock.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.public import ROOT
from benchmarks.report import Row
from benchmarks.scale import write_population

COMPARED = (1, 10)
"""Millions of rows that are trained in memory, too."""
BEYOND = 50
"""Millions of rows that are trained from the disk only."""
DISK, CLUSTER = ("--external-memory",), ("--workers", "2")


class Trained(NamedTuple):
    """Cost of a run, and worth of its model."""

    seconds: float  # of the processors, with those of all children
    memory: float  # largest of the command, GiB
    loss: float  # log loss of the test


def measure() -> Iterator[Row]:
    """The whole command, with evaluation and report."""
    with TemporaryDirectory() as folder:
        table, out = Path(folder) / "rows.parquet", Path(folder) / "artifacts"
        for millions in COMPARED:
            write_population(table, millions)
            what = f"{millions} million rows"
            memory, disk = _train(table, out), _train(table, out, *DISK)
            yield Row(
                f"{what}: largest memory in memory; --external-memory, GiB",
                f"{memory.memory:.1f}; {disk.memory:.1f}",
                "",
                f"memory-{millions}",
            )
            yield from _against(memory, disk, f"{what}, --external-memory", "≤ 1.25", f"external-{millions}")
            if millions == min(COMPARED):
                yield from _against(memory, _train(table, out, *CLUSTER), f"{what}, --workers 2", "", "workers")
        write_population(table, BEYOND)
        beyond = _train(table, out, *DISK)
        a_row = beyond.seconds / BEYOND / (memory.seconds / max(COMPARED))
        what = f"{BEYOND} million rows, --external-memory"
        yield Row(f"{what}: largest memory, GiB", f"{beyond.memory:.1f}", "≤ 6", "memory-beyond")
        against = f"CPU time a row against {max(COMPARED)} million in memory"
        yield Row(f"{what}: {against}", f"{a_row:.2f}", "≤ 1.25", "time-beyond")


def _against(memory: Trained, other: Trained, what: str, reach: str, key: str) -> Iterator[Row]:
    a_row = f"{other.seconds / memory.seconds:.2f}"
    yield Row(f"{what}: CPU time a row, against in memory", a_row, reach, f"{key}-time")
    off = f"{other.loss / memory.loss - 1:+.2%}"
    yield Row(f"{what}: log loss of the test, against in memory", off, "± 0.5 %", f"{key}-loss")


def _train(table: Path, out: Path, *words: str) -> Trained:
    command = [sys.executable, "-m", "training.run", "--quiet", "--data", str(table), "--out", str(out), *words]
    process = subprocess.Popen(command, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"training {' '.join(words) or 'in memory'} failed")
    loss = json.loads((out / "run.json").read_text())["metrics"]["test"]["log_loss"]
    return Trained(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20, float(loss))
