"""Whole tables: Parquet to Parquet against the fitted pipeline, explained against `pred_contribs`, processes, memory.

CPU seconds where one core is compared with one core, so that what else the machine does counts less; wall seconds where
processes share the cores.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost

import population
from benchmarks.public import ROOT
from benchmarks.report import Row
from benchmarks.subject import Subject, subject
from benchmarks.timing import Median, spread
from export.converters.classifier import boosters_of
from scoring.output import output_of
from scoring.part import Parts
from scoring.plan import Job, identity, plan_of
from scoring.resume import begin
from scoring.scorer import Scorer
from storage.digest import sha256_of

ROUNDS = 5
ROWS, CHUNK, EXPLAINED = 200_000, 50_000, 5_000
MILLION = 1_000_000
ROW_GROUP = 100_000


def measure() -> Iterator[Row]:
    """Rows of the default model."""
    its = subject()
    with TemporaryDirectory() as folder:
        book = Path(folder) / "book.parquet"
        _write(book, ROWS)
        yield from _one_core(its, book, Path(folder))
        yield from _processes(its, Path(folder))
        yield from _memory(its, Path(folder))
        yield from _killed(its, Path(folder))


def _one_core(its: Subject, book: Path, folder: Path) -> Iterator[Row]:
    plain, explained = (_ours(its, book, folder / name, explain=name == "explained") for name in ("plain", "explained"))
    found = _turns({"plain": plain, "explained": explained, "pipeline": lambda: _theirs(its, book, folder / "theirs")})
    yield Row("Parquet to Parquet, rows/s a core", f"{ROWS / found['plain']:,.0f}", "")
    what = "Parquet to Parquet on one core, times as fast as the pipeline on chunks of pandas"
    yield Row(
        what, f"{found['pipeline'] / found['plain']:.2f}", "≥ 2.5", "core", spread(found["pipeline"], found["plain"])
    )
    frame = pq.read_table(book).slice(0, EXPLAINED).to_pandas()
    preparation, classifier = its.pipeline[0], its.pipeline[1]
    matrix = xgboost.DMatrix(preparation.transform(frame), nthread=1)
    boosters = [booster.get_booster() for booster in boosters_of(classifier)]
    contribs = _turns({"": lambda: [booster.predict(matrix, pred_contribs=True) for booster in boosters]}, 1)[""]
    quotient = contribs / EXPLAINED / (found["explained"] / ROWS)
    yield Row("explained, rows/s a core", f"{ROWS / found['explained']:,.0f}", "")
    yield Row("the same with reasons, times as fast as pred_contribs alone", f"{quotient:.0f}", "≥ 20", "explained")


def _processes(its: Subject, folder: Path) -> Iterator[Row]:
    book = folder / "many.parquet"
    _write(book, 10 * ROWS)
    seconds = {
        workers: min(_command(its, book, folder / f"{workers}", "--workers", workers)[0] for _ in "12")
        for workers in (1, 2)
    }
    what = f"{10 * ROWS:,} rows by scoring.run, two processes, times as fast as one"
    yield Row(what, f"{seconds[1] / seconds[2]:.2f}", "≥ 1.85", "processes")
    yield from _cluster(its, book, seconds[2])


def _cluster(its: Subject, book: Path, plain: float) -> Iterator[Row]:
    """Two Dask workers of one thread on this machine, once they are there, against two processes."""
    from distributed import LocalCluster

    folder = book.parent / "cluster"
    with LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        words = ["--scheduler", cluster.scheduler_address]
        seconds = min(_command(its, book, folder, *words)[0] for _ in "123")  # the first one imports
    yield Row("two Dask workers against two processes, wall time", f"{seconds / plain:.2f}", "≤ 1.15", "cluster")


def _killed(its: Subject, folder: Path) -> Iterator[Row]:
    """Ten million rows, a worker killed in the middle, against an undisturbed run."""
    found = {}
    for name in ("undisturbed", "killed"):
        out = folder / name
        words = ["--data", folder / "10.parquet", "--out", out, "--model", its.folder / "model", "--quiet"]
        process = subprocess.Popen([sys.executable, "-m", "scoring.run", *map(str, words), "--workers", "2"], cwd=ROOT)
        while name == "killed" and process.poll() is None:
            if len(list(out.glob("part-*"))) > 1:
                os.kill(_children(process.pid)[0], signal.SIGKILL)
                break
            time.sleep(0.05)
        if process.wait():
            raise RuntimeError(f"the run {name} failed")
        found[name] = {path.name: sha256_of(path) for path in out.iterdir() if path.is_file()}
    rows = sum(pq.read_metadata(path).num_rows for path in (folder / "killed").glob("part-*"))
    equal = "equal" if found["killed"] == found["undisturbed"] else "other"
    what = "10 million rows, a worker killed: rows out; bytes against an undisturbed run"
    yield Row(what, f"{rows:,}, {equal}", "10,000,000, equal", "killed")


def _children(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for path in tasks for child in path.read_text().split()]


def _memory(its: Subject, folder: Path) -> Iterator[Row]:
    peaks = []
    for millions in (1, 10):
        book = folder / f"{millions}.parquet"
        _write(book, millions * MILLION)
        peaks.append(_command(its, book, folder / f"memory-{millions}", "--workers", 1)[1])
        what = f"{millions} million rows: largest memory of a worker, MiB"
        yield Row(what, f"{peaks[-1] / 2**10:,.0f}", "", f"memory-{millions}")
    what = "largest memory of a worker, 10 million rows against 1"
    yield Row(what, f"{peaks[1] / peaks[0] - 1:+.1%}", "≤ 5 %", "memory")


def _write(path: Path, rows: int) -> None:
    drawn = pa.Table.from_pandas(population.draw(min(rows, MILLION), seed=3), preserve_index=False)
    with pq.ParquetWriter(path, drawn.schema) as writer:
        for first in range(0, rows, MILLION):
            writer.write_table(drawn.slice(0, rows - first), ROW_GROUP)


def _ours(its: Subject, book: Path, out: Path, *, explain: bool) -> Callable[[], object]:
    """A worker's work, without its start."""
    folder = str(its.folder / "model")
    scorer = Scorer.load(folder, explain=explain)
    plan = plan_of(str(book), scorer.reading)
    about = identity(plan, scorer.manifest, scorer.reading, explain=explain, part_rows=MILLION)
    digest = begin(str(out), output_of(str(out)), about)
    version = scorer.manifest.model_version
    parts = Parts(Job(folder, version, explain, scorer.reading, str(out), plan.files, digest))
    return lambda: [parts.score(piece, lambda rows: None) for piece in plan.pieces]


def _theirs(its: Subject, book: Path, out: Path) -> None:
    """The fitted pipeline over the same file, and its answers written."""
    writer: pq.ParquetWriter | None = None
    for batch in pq.ParquetFile(book).iter_batches(CHUNK, use_threads=False):
        frame = batch.to_pandas()
        answers = pd.DataFrame({"uuid": frame["uuid"], "probability": its.pipeline.predict_proba(frame)[:, 1]})
        table = pa.Table.from_pandas(answers, preserve_index=False)
        writer = writer or pq.ParquetWriter(out, table.schema, compression="zstd", compression_level=1)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _turns(contestants: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, Median]:
    """Median CPU seconds of each, taking turns after one that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, work in contestants.items():
            start = time.process_time()
            work()
            if turn:
                seconds[name].append(time.process_time() - start)
    return {name: Median(values) for name, values in seconds.items()}


def _command(its: Subject, book: Path, out: Path, *more: object) -> tuple[float, int]:
    """Wall seconds of a run, and the largest memory of one of its processes, KiB."""
    words = ["--data", book, "--out", out, "--model", its.folder / "model", *more, "--quiet"]
    code = "import resource, sys; from scoring import run; status = run.main(sys.argv[1:]);"
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)"
    command = [sys.executable, "-c", code, *map(str, [*words, "--part-rows", ROW_GROUP])]
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.perf_counter() - begun
    shutil.rmtree(out)
    return seconds, int(done.stdout)
