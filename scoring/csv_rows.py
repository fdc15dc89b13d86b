"""The rows of a CSV of any size, block by block; what is no row of the header's width is counted and left out."""

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from cli.errors import UserError
from scoring.reading import Reading
from table.blanks import BLANK
from table.csv_file import ANOTHER_ENCODING, SAMPLE_BYTES, find_separator
from table.packed import MARKS

BLOCK_BYTES = 4 * 2**20  # a row has to fit


class CsvRows:
    """A CSV, as it is or packed by gzip, bzip2 or zstandard. Raises UserError for what is not a CSV."""

    is_csv = True
    units = None

    def __init__(self, name: str, path: Path, reading: Reading) -> None:
        self._name, self._path, self._reading = name, path, reading
        self._broken: list[tuple[int, str]] = []  # by the number of the row, from 1
        try:
            with pa.input_stream(str(path), compression="detect") as stream:
                head = stream.read(SAMPLE_BYTES)
        except (pa.ArrowException, OSError) as error:
            raise self._refusal(f"cannot be unpacked: {str(error).splitlines()[0]}; copy it again") from error
        encoding = reading.data.encoding or next((found for mark, found in MARKS if head.startswith(mark)), None)
        self._encoding = encoding or "utf-8"
        if b"\0" in head and encoding is None:
            raise self._refusal("is neither text, Parquet nor Arrow; copy it again, or name its encoding")
        if encoding is not None:
            head = head.decode(encoding, errors="ignore").encode()
        self._separator = reading.data.separator or find_separator(head, reading.columns)
        if self._separator == BLANK:
            raise self._refusal("columns separated by blanks cannot be read in pieces; convert it to Parquet")
        with self._opened(None) as reader:
            self.schema = pa.schema([(column, pa.string()) for column in reader.schema.names])

    def batches(self, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        """All rows, whatever units are asked for: a CSV has none."""
        good = 0
        numbers: list[int] = []  # of broken rows met so far, from 0
        columns = self._reading.columns
        try:
            with self._opened(columns) as reader:
                for block in reader:
                    numbers = [number - 1 for number, _ in self._met]
                    for first in range(0, block.num_rows, self._reading.rows_at_once):
                        yield from self._aligned(block.slice(first, self._reading.rows_at_once), good + first, numbers)
                    good += block.num_rows
        except (pa.ArrowException, OSError, UnicodeError) as error:
            reason = str(error).splitlines()[0]
            remedy = ANOTHER_ENCODING if "UTF8" in reason or isinstance(error, UnicodeError) else "copy it again"
            raise self._refusal(f"cannot be read as CSV after row {good:,}: {reason}; {remedy}") from error

    def broken(self) -> list[tuple[int, str]]:
        found, self._broken = self._broken, []
        return found

    def _aligned(self, batch: Any, good: int, broken: list[int]) -> Iterator[tuple[int, Any]]:
        """A batch that begins with the good row `good`, cut where a broken row lies between two of its rows."""
        before = [number - rank for rank, number in enumerate(broken)]  # good rows before each broken one
        cuts = sorted({at - good for at in before if good < at < good + batch.num_rows})
        for first, last in zip([0, *cuts], [*cuts, batch.num_rows], strict=True):
            yield good + first + bisect_right(before, good + first) + 1, batch.slice(first, last - first)

    def _opened(self, columns: list[str] | None) -> Any:
        self._met: list[tuple[int, str]] = []

        def skip(row: Any) -> str:
            number = row.number - 1 if row.number is not None else 0  # the header's is 1
            met = number, f"expected {row.expected_columns} fields, as in the header, got {row.actual_columns}"
            self._met.append(met)
            if columns is not None:
                self._broken.append(met)
            return "skip"

        types = None if columns is None else dict.fromkeys(columns, pa.string())
        try:
            return pa_csv.open_csv(
                pa.input_stream(str(self._path), compression="detect"),
                read_options=pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, encoding=self._encoding),
                parse_options=pa_csv.ParseOptions(
                    delimiter=self._separator, newlines_in_values=True, invalid_row_handler=skip
                ),
                convert_options=pa_csv.ConvertOptions(include_columns=columns, column_types=types, null_values=[])
                if columns is not None
                else None,
            )
        except (pa.ArrowException, OSError, UnicodeError) as error:
            reason = str(error).splitlines()[0]
            remedy = ANOTHER_ENCODING if "UTF8" in reason else "expected a header and rows"
            raise self._refusal(f"cannot be read as CSV: {reason}; {remedy}") from error

    def _refusal(self, problem: str) -> UserError:
        return UserError(f"{self._name}: {problem}")
