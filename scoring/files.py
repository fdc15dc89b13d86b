"""The files of a table of any size: what each is, how many rows it says it has, and its rows in batches."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from cli.errors import UserError
from cli.words import suggested_file
from scoring.csv_cuts import Cuts
from scoring.csv_rows import Broken, CsvRows
from scoring.reading import Reading
from table.parquet_file import FEATHER, MAGIC, SUFFIXES, ParquetFile

STREAM = b"\xff\xff\xff\xff"
ARROW_SUFFIXES = (".arrow", ".feather", ".ipc", ".arrows")


class Rows(Protocol):
    """An open file. `units` are its rows by row group, record batch or cut; None if only reading counts them."""

    is_csv: bool

    @property
    def schema(self) -> Any:
        """The columns with their types."""

    @property
    def units(self) -> Sequence[int] | None:
        """The rows of each unit."""

    def batches(self, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        """Record batches of some units (all of a file without), each with the number of its first row, from 1."""

    def broken(self) -> list[Broken]:
        """Lines that are not rows, since the last call."""


Said = Sequence[tuple[str, str | None]]
"""Columns that the names of a file's folders say (`year=2016`), each with its value, None for missing."""


def open_rows(name: str, path: Path, reading: Reading, cuts: Cuts | None = None, said: Said = ()) -> Rows:
    """As `open_file`; its rows have the columns that are `said`."""
    opened = open_file(name, path, reading, cuts, said)
    return _WithSaid(opened, said) if said else opened


def open_file(name: str, path: Path, reading: Reading, cuts: Cuts | None = None, said: Said = ()) -> Rows:
    """A file, which the user calls `name`, by what it begins with; a CSV with its cuts.

    Raises UserError for one that is not to be read, or lacks a column that is not `said`.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(FEATHER))
    except FileNotFoundError:
        problem = f"no such file{suggested_file(path)}; give --data existing Parquet, CSV or Arrow files"
        raise UserError(f"{name}: {problem}") from None
    except OSError as fault:
        raise UserError(f"{name}: cannot be read: {fault.strerror}") from fault
    if not start:
        raise UserError(f"{name}: is empty; expected Parquet, CSV or Arrow; copy it again or leave it out")
    if is_csv(name, start):
        opened: Rows = CsvRows(name, path, reading, cuts)
    elif start.startswith(MAGIC) or Path(name).suffix.lower() in SUFFIXES:
        opened = _ParquetRows(name, path, reading)
    else:
        opened = _ArrowRows(name, path, reading, said)
    reading.check(name, _with_said(opened.schema, said))
    return opened


def is_csv(name: str, head: bytes) -> bool:
    """False for a file that is Parquet or Arrow, by its name or its first bytes."""
    return Path(name).suffix.lower() not in (*SUFFIXES, *ARROW_SUFFIXES) and not head.startswith(
        (MAGIC, FEATHER, STREAM)
    )


def _with_said(schema: Any, said: Said) -> Any:
    return pa.schema([*schema, *((column, pa.string()) for column, _ in said)])


class _WithSaid:
    """A file whose folders' names say columns: each has one value in all rows, as text."""

    def __init__(self, opened: Rows, said: Said) -> None:
        self._opened, self._said = opened, said
        self.is_csv = opened.is_csv
        self.schema = _with_said(opened.schema, said)

    @property
    def units(self) -> Sequence[int] | None:
        return self._opened.units

    def batches(self, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        for row, batch in self._opened.batches(start, stop):
            cells = [pa.repeat(pa.scalar(value, pa.string()), batch.num_rows) for _, value in self._said]
            schema = _with_said(batch.schema, self._said)
            yield row, pa.RecordBatch.from_arrays([*batch.columns, *cells], schema=schema)

    def broken(self) -> list[Broken]:
        return self._opened.broken()


class _ParquetRows:
    is_csv = False

    def __init__(self, name: str, path: Path, reading: Reading) -> None:
        there = {field.name for field in ParquetFile(name, path).schema if not pa.types.is_nested(field.type)}
        coded = [feature.column for feature in reading.categories if feature.column in there]
        self._file = ParquetFile(name, path, coded)
        self._reading = reading
        self.schema = self._file.schema
        self.units: Sequence[int] = self._file.row_groups

    def batches(self, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        row, columns = 1 + sum(self.units[:start]), self._reading.columns_of(self.schema)
        for batch in self._file.batches(columns, range(start, stop), self._reading.rows_at_once):
            yield row, batch
            row += batch.num_rows

    def broken(self) -> list[Broken]:
        return []


class _ArrowRows:
    """An IPC file, whose record batches are its units, or an IPC stream, which has to be read to the end."""

    is_csv = False

    def __init__(self, name: str, path: Path, reading: Reading, said: Said) -> None:
        self._name, self._path, self._reading = name, path, reading
        self.units: Sequence[int] | None = None
        try:
            source = pa.OSFile(str(path))
            with path.open("rb") as file:
                self._is_stream = file.read(len(STREAM)) == STREAM
            if self._is_stream:
                self.schema = pa.ipc.open_stream(source).schema
            else:
                self._file = pa.ipc.open_file(source)
                self.schema = self._file.schema
                reading.check(name, _with_said(self.schema, said))
                fields = [self.schema.get_field_index(column) for column in reading.columns_of(self.schema)]
                options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
                self._file = pa.ipc.open_file(source, options=options)
                self.units = [self._batch(number).num_rows for number in range(self._file.num_record_batches)]
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    def batches(self, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        row = 1 + sum(self.units[:start]) if self.units is not None else 1
        at_once = self._reading.rows_at_once
        try:
            for batch in self._stream() if self.units is None else map(self._batch, range(start, stop)):
                for first in range(0, batch.num_rows, at_once):
                    piece = batch.slice(first, at_once)
                    yield row, piece
                    row += piece.num_rows
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    def broken(self) -> list[Broken]:
        return []

    def _batch(self, number: int) -> Any:
        return self._file.get_batch(number)

    def _stream(self) -> Iterator[Any]:
        reader = pa.ipc.open_stream(pa.OSFile(str(self._path)))
        for batch in reader:
            yield batch.select(self._reading.columns_of(self.schema))

    def _damaged(self, error: Exception) -> UserError:
        return UserError(f"{self._name}: the Arrow file is damaged: {str(error).splitlines()[0]}; copy it again")
