"""Whole tables: Parquet to Parquet against the fitted pipeline, explained against `pred_contribs`, a book of a night.

CPU seconds where one core is compared with one core, so that what else the machine does counts less; wall seconds where
processes share the cores.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost

from benchmarks import book as books
from benchmarks.report import Row
from benchmarks.subject import Subject, subject
from benchmarks.timing import Median, spread
from export.converters.classifier import boosters_of
from scoring.output import output_of
from scoring.part import Parts
from scoring.plan import Job, identity, plan_of
from scoring.resume import begin
from scoring.scorer import Scorer

ROUNDS = 3
ROWS, CHUNK, EXPLAINED = 200_000, 50_000, 5_000
MILLION = 1_000_000


def measure() -> Iterator[Row]:
    """Rows of the default model."""
    its = subject()
    with TemporaryDirectory() as folder:
        book = Path(folder) / "book.parquet"
        books.write(book, ROWS)
        yield from _one_core(its, book, Path(folder))
        yield from books.measure(its.folder / "model", Path(folder))


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
