"""One and ten million applicants from Parquet: time a row, and the largest memory of the process."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

import population
from benchmarks.public import ROOT
from benchmarks.report import Row

MILLION = 1_000_000


def measure() -> Iterator[Row]:
    """The whole command, with evaluation and report."""
    with TemporaryDirectory() as folder:
        a_row: dict[int, float] = {}
        for millions in (1, 10):
            table = Path(folder) / f"{millions}.parquet"
            write_population(table, millions)
            seconds, memory = _train(table, Path(folder) / "artifacts")
            a_row[millions] = seconds / (millions * MILLION)
            what = f"{millions} million rows × 24 from Parquet"
            yield Row(f"{what}: training and report, seconds", f"{seconds:.0f}", "", f"seconds-{millions}")
            yield Row(f"{what}: largest memory, GiB", f"{memory:.1f}", "≤ 16", f"memory-{millions}")
        yield Row("time a row, 10 million against 1", f"{a_row[10] / a_row[1] - 1:+.0%}", "± 25 %", "a-row")


def write_population(path: Path, millions: int) -> None:
    """Millions of applicants, drawn and written one million at a time, each with a seed of its own."""
    writer = None
    for part in range(millions):
        rows = pa.Table.from_pandas(population.draw(MILLION, seed=part), preserve_index=False)
        writer = writer or pq.ParquetWriter(path, rows.schema)
        writer.write_table(rows)
    if writer is not None:
        writer.close()


def _train(table: Path, out: Path) -> tuple[float, float]:
    """Wall seconds and GiB."""
    begin = time.perf_counter()
    words = [sys.executable, "-m", "training.run", "--quiet", "--data", str(table), "--out", str(out)]
    process = subprocess.Popen(words, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"training on {table.name} failed")
    return time.perf_counter() - begin, usage.ru_maxrss / 2**20
