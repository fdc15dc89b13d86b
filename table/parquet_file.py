"""Reading Parquet and Feather: the columns that are needed, of the types that they have."""

import io
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cli.errors import UserError

MAGIC = b"PAR1"
CUT_SHORT = "the Parquet file is cut short: its footer is missing; copy it again"
SUFFIXES = (".parquet", ".pq")
FEATHER = b"ARROW1"
BUFFER = 2**20  # bytes of a column chunk that are read at a time


class ParquetFile:
    """A Parquet file, which the user calls `name`, and its columns; it is at a path, or has been unpacked.

    Raises UserError if it is not Parquet or is truncated.
    """

    introduction = "its columns"

    def __init__(self, name: str, where: Path | bytes, coded: Collection[str] = ()) -> None:
        """`coded` are columns of text to be read as dictionaries where they are written as such."""
        self.name = name
        with where.open("rb") if isinstance(where, Path) else io.BytesIO(where) as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise UserError(f"{name}: is not Parquet, despite its name; expected Parquet, or a CSV named .csv")
            file.seek(max(file.seek(0, io.SEEK_END) - len(MAGIC), len(MAGIC)))
            if file.read() != MAGIC:
                raise UserError(f"{name}: {CUT_SHORT}")
        source = where if isinstance(where, Path) else pa.BufferReader(where)
        try:
            # pre_buffer would hold all of its bytes beside the columns.
            self._file = pq.ParquetFile(
                source,
                pre_buffer=False,
                buffer_size=BUFFER,
                read_dictionary=list(coded),
                page_checksum_verification=True,  # of pages that have one
            )
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error
        self.columns: list[str] = self._file.schema_arrow.names

    def read(self, columns: Collection[str], numbers: Collection[str]) -> dict[str, Any]:
        """Some columns as arrow arrays [N] of the file's types, null for missing."""
        try:
            table = self._file.read(columns=list(columns))
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error
        return {name: table.column(name) for name in columns}

    @property
    def schema(self) -> Any:
        """Its columns with their types."""
        return self._file.schema_arrow

    @property
    def row_groups(self) -> list[int]:
        """The number of rows of each row group."""
        metadata = self._file.metadata
        return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]

    def batches(self, columns: Collection[str], groups: Sequence[int], rows: int) -> Iterator[Any]:
        """Record batches of at most `rows` rows of some columns of some row groups, read page by page."""
        try:
            yield from self._file.iter_batches(rows, list(groups), list(columns), use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error

    def places(self, rows: Sequence[int]) -> list[str]:
        """`row 17` for each of some rows counted from 0."""
        return [f"row {row + 1}" for row in rows]

    def _unreadable(self, error: Exception) -> UserError:
        return UserError(f"{self.name}: the Parquet file is damaged: {str(error).splitlines()[0]}; copy it again")


class FeatherFile:
    """A Feather file, which the user calls `name`. Raises UserError where it cannot be read."""

    introduction = "its columns"

    def __init__(self, name: str, content: bytes) -> None:
        from pyarrow import feather

        try:
            self._table = feather.read_table(pa.BufferReader(content))
        except (pa.ArrowException, OSError, ValueError) as error:
            problem = f"the Feather file is damaged: {str(error).splitlines()[0]}; copy it again"
            raise UserError(f"{name}: {problem}") from error
        self.columns: list[str] = self._table.column_names

    def read(self, columns: Collection[str], numbers: Collection[str]) -> dict[str, Any]:
        """Some columns as arrow arrays [N] of the file's types, null for missing."""
        return {name: self._table.column(name) for name in columns}

    def places(self, rows: Sequence[int]) -> list[str]:
        """`row 17` for each of some rows counted from 0."""
        return [f"row {row + 1}" for row in rows]
