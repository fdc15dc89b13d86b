"""Reading a Parquet file: the columns that are needed, of the types that they have."""

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cli.errors import UserError

MAGIC = b"PAR1"
SUFFIXES = (".parquet", ".pq")


class ParquetFile:
    """A Parquet file, which the user calls `name`, and its columns.

    Raises UserError where it is none, or is cut short.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise UserError(f"{name}: is no Parquet file, whatever its name; expected Parquet, or a CSV named .csv")
            file.seek(max(file.seek(0, os.SEEK_END) - len(MAGIC), len(MAGIC)))
            if file.read() != MAGIC:
                raise UserError(f"{name}: the Parquet file is cut short: its footer is missing; copy it again")
        try:
            self._file = pq.ParquetFile(path, pre_buffer=False)  # or it would hold all of its bytes beside the columns
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error
        self.columns: list[str] = self._file.schema_arrow.names

    def read(self, columns: Collection[str]) -> dict[str, Any]:
        """Some columns as arrow arrays [N] of the file's types, null for missing."""
        try:
            table = self._file.read(columns=list(columns))
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error
        return {name: table.column(name) for name in columns}

    def batches(self) -> Iterator[Any]:
        """All columns, some thousand rows at a time."""
        try:
            yield from self._file.iter_batches(batch_size=8_192)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error

    def places(self, rows: Sequence[int]) -> list[str]:
        """`row 17` for each of some rows counted from 0."""
        return [f"row {row + 1}" for row in rows]

    def _unreadable(self, error: Exception) -> UserError:
        return UserError(f"{self.name}: the Parquet file is damaged: {str(error).splitlines()[0]}; copy it again")
