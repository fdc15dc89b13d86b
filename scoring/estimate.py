"""Estimate of a run's time and bytes, from a sample that is scored and discarded."""

import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from cli.errors import UserError
from scoring.brought import brought
from scoring.files import open_rows
from scoring.plan import Plan
from scoring.scorer import Scorer

BATCHES = 4  # after one that warms up
UNITS = 8  # row groups, record batches or cuts that are brought for them at most
SAMPLE = 2**20  # bytes of a CSV, from which the length of its lines is guessed


@dataclass(frozen=True)
class Estimate:
    """Rows and bytes of the files, and seconds for one process; `is_counted` False where rows are guessed by bytes."""

    rows: int
    is_counted: bool
    size: int
    row_bytes: float
    rows_per_second: float

    def seconds(self, workers: int) -> float:
        """The time of a run, reading, scoring and writing."""
        return self.rows / self.rows_per_second / workers


def estimate(plan: Plan, scorer: Scorer, work: Path) -> Estimate:
    """Score the first batches of the first file with rows. Raises UserError where no file has any."""
    from scoring.part import Writer  # the parts' own way of writing

    for file in plan.files:
        stop = min(len(file.units), UNITS) if file.units is not None else 0
        stop = 1 if file.starts is not None else stop
        with brought(file, range(stop), scorer.reading.columns, work) as (path, cuts):
            rows = open_rows(file.name, path, scorer.reading, cuts, file.said)
        stop = stop or len(rows.units or ())
        begin, batches = time.perf_counter(), rows.batches(0, stop)
        _, warm = next(batches, (0, None))
        if warm is None:
            continue
        scorer.score(warm, is_csv=rows.is_csv)
        count, begin = 0, time.perf_counter()
        with Writer(work / "sample", scorer.schema) as writer:
            for _, batch in islice(batches, BATCHES):
                writer.add(scorer.score(batch, is_csv=rows.is_csv).rows)
                count += batch.num_rows
            if not count:
                writer.add(scorer.score(warm, is_csv=rows.is_csv).rows)
                count = warm.num_rows
        seconds = time.perf_counter() - begin
        total = plan.rows
        of_row = file.size / sum(rows.units) if rows.units else _line(path)
        guessed = max(count, round(plan.size / of_row))
        return Estimate(total if total is not None else guessed, total is not None, plan.size, of_row, count / seconds)
    raise UserError("--data: expected rows, got files without any; name others")


def _line(path: Path) -> float:
    """Bytes of a line, unpacked, from the beginning of a text."""
    with pa.input_stream(str(path), compression="detect") as stream:
        head = stream.read(SAMPLE)
    return float(len(head) / max(head.count(b"\n"), 1))
