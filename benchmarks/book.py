"""A book of ten million rows by `scoring.run`: one process, two and two Dask workers in turns, memory, a killed worker.

A run of one batch gives the seconds of a start and an end, which such a book hides and a small one overstates.
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import population
from benchmarks import machine
from benchmarks.public import ROOT
from benchmarks.report import Row
from benchmarks.timing import Median, spread
from storage.digest import sha256_of

MILLION = 1_000_000
MILLIONS = 10
START = 16_384  # rows of one batch
ROW_GROUP = 100_000
ROUNDS = 2
WAYS = {"one process": ("--workers", "1"), "two processes": ("--workers", "2"), "two Dask workers": ()}


def measure(model: Path, folder: Path) -> Iterator[Row]:
    """Rows of a model in a folder, with books and outputs in another."""
    books = {rows: folder / f"{rows}.parquet" for rows in (START, MILLION, MILLIONS * MILLION)}
    for rows, book in books.items():
        write(book, rows)
    start, million, whole = books.values()
    limits: dict[str, list[float]] = {name: [] for name in machine.SIZES}
    starts: dict[str, list[float]] = {name: [] for name in WAYS}
    wholes: dict[str, list[float]] = {name: [] for name in WAYS}
    peaks: dict[Path, list[int]] = {million: [], whole: []}
    digests: dict[str, str] = {}
    for _ in range(ROUNDS):
        for name, words in machine.SIZES.items():
            limits[name].append(machine.two_against_one(words))
        peaks[million].append(run(model, million, folder / "out", WAYS["one process"])[1])
        for name in ("one process", "two processes"):
            starts[name].append(run(model, start, folder / "out", WAYS[name])[0])
            kept = digests if name == "two processes" else None
            seconds, peak = run(model, whole, folder / "out", WAYS[name], kept)
            wholes[name].append(seconds)
            if name == "one process":
                peaks[whole].append(peak)
        for found, seconds in zip((starts, wholes), _on_dask(model, start, whole, folder / "out"), strict=True):
            found["two Dask workers"].append(seconds)
    yield from _speed(limits, _medians(starts), _medians(wholes))
    yield from _memory(peaks[million], peaks[whole])
    yield _killed(model, whole, folder / "killed", digests)


def write(path: Path, rows: int) -> None:
    """Write a book of so many rows, the first million of which come again and again."""
    drawn = pa.Table.from_pandas(population.draw(min(rows, MILLION), seed=3), preserve_index=False)
    with pq.ParquetWriter(path, drawn.schema) as writer:
        for first in range(0, rows, MILLION):
            writer.write_table(drawn.slice(0, rows - first), ROW_GROUP)


def run(
    model: Path, book: Path, out: Path, more: Sequence[str], digests: dict[str, str] | None = None
) -> tuple[float, int]:
    """Wall seconds of a run, and the largest memory of a process, KiB; `digests` takes those of its files."""
    code = "import resource, sys; from scoring import run; status = run.main(sys.argv[1:]);"
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)"
    begun = time.perf_counter()
    words = [sys.executable, "-c", code, *_words(model, book, out), *more]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.perf_counter() - begun
    if digests is not None:
        digests.update(_digests(out))
    shutil.rmtree(out)
    return seconds, int(done.stdout)


def _words(model: Path, book: Path, out: Path) -> list[str]:
    words = ["--data", book, "--out", out, "--model", model, "--part-rows", ROW_GROUP, "--quiet"]
    return list(map(str, words))


def _digests(out: Path) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in out.iterdir() if path.is_file()}


def _on_dask(model: Path, start: Path, whole: Path, out: Path) -> tuple[float, float]:
    """Two workers of one thread on this machine, once they are there and have imported what they need."""
    from distributed import LocalCluster

    options = {"threads_per_worker": 1, "dashboard_address": None, "silence_logs": logging.CRITICAL}
    with LocalCluster(2, **options) as cluster:
        words = ("--scheduler", cluster.scheduler_address)
        run(model, start, out, words)
        return run(model, start, out, words)[0], run(model, whole, out, words)[0]


def _medians(seconds: dict[str, list[float]]) -> dict[str, Median]:
    return {name: Median(its) for name, its in seconds.items()}


def _speed(limits: dict[str, list[float]], starts: dict[str, Median], wholes: dict[str, Median]) -> Iterator[Row]:
    one, two, dask = WAYS
    most = {name: max(found) for name, found in limits.items()}
    what = "this machine: two processes against one, numpy in a core's cache; in main memory"
    yield Row(what, f"{most['cache']:.2f}; {most['memory']:.2f}", "", "machine")
    what = f"{MILLIONS} million rows by scoring.run, two processes, times as fast as one"
    yield Row(what, f"{wholes[one] / wholes[two]:.2f}", "≥ 1.85", "processes", spread(wholes[one], wholes[two]))
    share = wholes[one] / wholes[two] / most["cache"]
    yield Row("— of what the machine gives two processes", f"{share:.2f}", "≥ 0.93", "processes-share")
    what = f"{MILLIONS} million rows, two Dask workers against two processes, wall time"
    yield Row(what, f"{wholes[dask] / wholes[two]:.2f}", "≤ 1.15", "cluster", spread(wholes[dask], wholes[two]))
    what = f"start and end of a run, seconds: {one}; {two}; {dask}"
    yield Row(what, "; ".join(f"{starts[name]:.1f}" for name in WAYS), "", "starts")
    rows = MILLIONS * MILLION - START
    what = f"rows/s without start and end: {one}; {two}; {dask}"
    yield Row(what, "; ".join(f"{rows / (wholes[name] - starts[name]):,.0f}" for name in WAYS), "", "rows")


def _memory(million: Sequence[int], whole: Sequence[int]) -> Iterator[Row]:
    for rows, peaks in ((1, million), (MILLIONS, whole)):
        what = f"{rows} million rows: largest memory of a worker, MiB, each run"
        yield Row(what, "; ".join(f"{peak / 2**10:,.0f}" for peak in peaks), "", f"memory-{rows}")
    what = f"largest memory of a worker, {MILLIONS} million rows against 1"
    yield Row(what, f"{Median(whole) / Median(million) - 1:+.1%}", "≤ 5 %", "memory")


def _killed(model: Path, book: Path, out: Path, undisturbed: dict[str, str]) -> Row:
    """Kill a worker in the middle, and compare the files with those of an undisturbed run."""
    words = [sys.executable, "-m", "scoring.run", *_words(model, book, out), *WAYS["two processes"]]
    process = subprocess.Popen(words, cwd=ROOT)
    while process.poll() is None:
        if len(list(out.glob("part-*"))) > 1:
            os.kill(_children(process.pid)[0], signal.SIGKILL)
            break
        time.sleep(0.05)
    if process.wait():
        raise RuntimeError("the run with a killed worker failed")
    rows = sum(pq.read_metadata(path).num_rows for path in out.glob("part-*"))
    equal = "equal" if _digests(out) == undisturbed else "other"
    what = f"{MILLIONS} million rows, a worker killed: rows out; bytes against an undisturbed run"
    return Row(what, f"{rows:,}, {equal}", f"{MILLIONS * MILLION:,}, equal", "killed")


def _children(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for path in tasks for child in path.read_text().split()]
