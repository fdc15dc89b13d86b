"""Reading a Parquet file: the columns that are needed, of the types that they have."""

from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from training.errors import UserError

MAGIC = b"PAR1"
SUFFIXES = (".parquet", ".pq")


class ParquetFile:
    """The content of a Parquet file and its columns. Raises UserError where it is none, or is cut short."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        if not content.startswith(MAGIC):
            raise UserError(f"{name}: is no Parquet file, whatever its name; expected Parquet, or a CSV named .csv")
        if not content.endswith(MAGIC) or len(content) == len(MAGIC):
            raise UserError(f"{name}: the Parquet file is cut short: its footer is missing; copy it again")
        try:
            self._file = pq.ParquetFile(pa.BufferReader(content))
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

    def places(self, rows: Sequence[int]) -> list[str]:
        """`row 17` for each of some rows counted from 0."""
        return [f"row {row + 1}" for row in rows]

    def _unreadable(self, error: Exception) -> UserError:
        return UserError(f"{self.name}: the Parquet file is damaged: {str(error).splitlines()[0]}; copy it again")
