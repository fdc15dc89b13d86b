"""A sample of a table's rows, drawn in one pass with memory for the sample only."""

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from cli.errors import UserError
from cli.words import shown
from storage.address import REMOTE, is_remote
from table.cells import MISSING
from table.csv_file import CsvFile
from table.parquet_file import MAGIC, SUFFIXES, ParquetFile

ROWS = 20_000
HEAD_BYTES = 2**20  # of which the separator and the header are read
SHOW_EVERY = 100_000
BROKEN = "is not UTF-8 text; save the file as UTF-8"


@dataclass(frozen=True)
class Sample:
    """`columns` [N texts each, None for missing] of at most ROWS of all `rows`, in the order of the file."""

    name: str
    columns: dict[str, list[str | None]]
    rows: int

    @property
    def whole(self) -> bool:
        """True if the sample has every row."""
        return self.rows <= ROWS


def draw(name: str, seed: int, show: Callable[[str], None]) -> Sample:
    """A seeded sample of the rows of a CSV or Parquet file. Raises UserError where there is none."""
    if is_remote(name):
        raise UserError(f"{name}: expected a file here; copy it from {REMOTE} first")
    path = Path(name)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise UserError(f"{name}: cannot be read: {error.strerror}; give a CSV or Parquet file") from None
    if head.startswith(MAGIC) or path.suffix.lower() in SUFFIXES:
        parquet = ParquetFile(name, path)
        return _drawn(
            name, parquet.columns, (row for batch in parquet.batches() for row in texts_of(batch)), seed, show
        )
    text = CsvFile(name, head, None, ())
    if "" in text.columns[1:]:
        raise UserError(f"{name}: column {text.columns.index('', 1) + 1} has no name; name it in the header")
    return _drawn(name, text.columns, _records(name, path, text.separator), seed, show)


def _drawn(name: str, columns: list[str], rows: Iterator[Any], seed: int, show: Callable[[str], None]) -> Sample:
    """Algorithm R: each row is in the reservoir with the same probability."""
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        raise UserError(f"{name}: column {twice} is there {columns.count(twice)} times; name each column once")
    if len(columns) < 2:
        raise UserError(f"{name}: expected a target and features, got one column, {shown(columns[0])}; is it a table?")
    rng, kept, count = random.Random(seed), list[tuple[int, list[str]]](), 0
    for count, row in enumerate(rows, 1):
        if count <= ROWS:
            kept.append((count, row))
        elif (place := rng.randrange(count)) < ROWS:
            kept[place] = (count, row)
        if count % SHOW_EVERY == 0:
            show(f"{count:,} rows")
    if not count:
        raise UserError(f"{name}: has a header and no rows; expected rows")
    cells = zip(*(row for _, row in sorted(kept)), strict=True)
    trimmed = ([_present(cell) for cell in column] for column in cells)
    return Sample(name, dict(zip(columns, trimmed, strict=True)), count)


def _present(cell: str) -> str | None:
    stripped = cell.strip()
    return None if stripped in MISSING else stripped


def _records(name: str, path: Path, separator: str) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        try:
            width = len(next(row for row in reader if row))
            for row in reader:
                if row and len(row) != width:
                    expected = f"expected {width} fields, as in the header, got {len(row)}"
                    raise UserError(f"{name}: line {reader.line_num}: {expected}; is a separator out of place?")
                if row:
                    yield row
        except UnicodeDecodeError:
            raise UserError(f"{name}: after line {reader.line_num}: {BROKEN}") from None
        except csv.Error as error:
            raise UserError(f"{name}: line {reader.line_num}: {error}; is a quote left open?") from None


def texts_of(batch: pa.RecordBatch) -> Iterator[list[str]]:
    """The rows of a Parquet batch as a CSV has them."""
    return ([_text(cell) for cell in row.values()] for row in batch.to_pylist())


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    return "" if cell is None else str(cell)
