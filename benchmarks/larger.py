"""Training past the memory: from the disk and on two Dask workers beside a run in memory, the same rows, in turns.

Time is that of the processors, with that of all workers: other programs move it less than the time of the clock.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.public import ROOT
from benchmarks.report import Row
from benchmarks.scale import MILLION, write_population

MILLIONS = 1
WAYS = {
    "in memory": (),
    "--external-memory": ("--external-memory",),
    "--workers 2": ("--workers", "2"),
}


def measure() -> Iterator[Row]:
    """The whole command, with evaluation and report."""
    with TemporaryDirectory() as folder:
        table = Path(folder) / "rows.parquet"
        write_population(table, MILLIONS)
        found = {}
        for name, words in WAYS.items():
            seconds, memory, loss = _train(table, Path(folder) / "artifacts", words)
            found[name] = seconds, loss
            a_row = 1e6 * seconds / (MILLIONS * MILLION)
            yield Row(f"{MILLIONS} million rows {name}: CPU µs a row; GiB at most", f"{a_row:.0f}; {memory:.1f}", "")
        base, expected = found.pop("in memory")
        for name, (seconds, loss) in found.items():
            reach = "≤ 1.25" if name == "--external-memory" else ""
            what, key = f"{MILLIONS} million rows, {name}", name.split()[0].strip("-")
            yield Row(f"{what}: CPU time a row, against in memory", f"{seconds / base:.2f}", reach, f"{key}-time")
            off = f"{loss / expected - 1:+.2%}"
            yield Row(f"{what}: log loss of the test, against in memory", off, "± 0.5 %", f"{key}-loss")


def _train(table: Path, out: Path, words: Sequence[str]) -> tuple[float, float, float]:
    """CPU seconds of the command and its children, GiB of the command, and the log loss of the test."""
    command = [sys.executable, "-m", "training.run", "--quiet", "--data", str(table), "--out", str(out), *words]
    process = subprocess.Popen(command, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"training {' '.join(words) or 'in memory'} failed")
    loss = json.loads((out / "run.json").read_text())["metrics"]["test"]["log_loss"]
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20, float(loss)
