"""The rows of a CSV of any size, block by block; rows of another width than the header's are counted and left out."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv as pa_csv

from cli.errors import UserError
from scoring.csv_cuts import Cuts, cuts_in, cuts_of, is_cuttable
from scoring.formats import foreign_bytes, foreign_text
from scoring.reading import Reading
from table.blanks import BLANK
from table.csv_file import (
    ANOTHER_ENCODING,
    SAMPLE_BYTES,
    SAMPLE_ROWS,
    find_separator,
    records,
    without_separator_line,
)
from table.header import completed_names, without_title
from table.packed import MARKS
from table.short_rows import cells_of

BLOCK_BYTES = 4 * 2**20  # a row has to fit
LONGEST_LINE = 2**16  # bytes of a last line that is compared with a broken row


class Broken(NamedTuple):
    """A line that is no row: its number, from 1, why, and the cells that it has, where rows may be left out by them."""

    row: int
    reason: str
    cells: Mapping[str, str]


class CsvRows:
    """A CSV, as it is or packed by gzip, bzip2 or zstandard. Raises UserError for what is not a CSV."""

    is_csv = True

    def __init__(self, name: str, path: Path, reading: Reading, cuts: Cuts | None = None) -> None:
        """`cuts` are its units, as `cut` found them."""
        self._name, self._path, self._reading, self._cuts = name, path, reading, cuts
        self._broken: list[Broken] = []
        try:
            with pa.input_stream(str(path), compression="detect") as stream:
                head = stream.read(SAMPLE_BYTES)
                self._is_packed = isinstance(stream, pa.CompressedInputStream)
        except (pa.ArrowException, OSError) as error:
            raise self._refusal(f"cannot be decompressed: {str(error).splitlines()[0]}; copy it again") from error
        if foreign := foreign_bytes(head, is_unpacked=self._is_packed):
            raise self._refusal(foreign)
        is_whole = len(head) < SAMPLE_BYTES
        encoding = reading.data.encoding or next((found for mark, found in MARKS if head.startswith(mark)), None)
        self._encoding = encoding or "utf-8"
        if b"\0" in head and encoding is None:
            raise self._refusal("is neither text, Parquet nor Arrow; copy it again, or name its encoding")
        if encoding is not None:
            head = head.decode(encoding, errors="ignore").encode()
        if foreign := foreign_text(name, head):
            raise self._refusal(foreign)
        if not is_whole:  # the last row is cut
            head = head[: head.rfind(b"\n") + 1] or head
        said, head = without_separator_line(head)
        self._lines_above = 0 if said is None else 1
        if reading.data.header is not None:
            head, self._lines_above = without_title(name, head, reading.data.header), reading.data.header - 1
        self._separator = reading.data.separator or said or find_separator(head, reading.columns)
        if self._separator == BLANK:
            raise self._refusal("columns separated by blanks cannot be read in pieces; convert it to Parquet")
        self._skipped = self._lines_above
        self.names: tuple[str, ...] = () if cuts is None else cuts.names
        self._complete(head)
        with self._opened(None, 0, None) as reader:
            self.schema = pa.schema([(column, pa.string()) for column in reader.schema.names])

    def _complete(self, head: bytes) -> None:
        """Find `names`, those of the columns where the header lacks one, as training does; they replace the header.

        Pieces of a file receive them: the first rows of another piece may look otherwise.
        """
        sample = list(islice(records(head, self._separator), SAMPLE_ROWS))
        if not sample:  # refused when it is opened
            return
        (line, header), *rows = sample
        if any("\ud800" <= sign <= "\udfff" for sign in "".join(header)):
            raise self._refusal(f"line {line} is not UTF-8 text; {ANOTHER_ENCODING}")
        if self._cuts is None:
            names = completed_names(header, [row for _, row in rows])
            self.names = () if names == header else tuple(names)
        if self.names:
            self._skipped = rows[0][0] - 1 if rows else len(head.splitlines())

    @property
    def units(self) -> Sequence[int] | None:
        """The rows between the cuts; None for a CSV that is not cut."""
        return None if self._cuts is None else self._cuts.rows

    def cut(self, rows: int, blocks: Iterable[bytes] | None = None) -> Cuts | None:
        """The pieces of so many rows that the file can be read in; None where it has to stay whole.

        `blocks` are all bytes of a file of which only the beginning is here.
        """
        if self._is_packed or self._lines_above or not is_cuttable(self._encoding):
            return None
        if blocks is not None:
            found = cuts_in(blocks, self._separator, rows)
        else:
            try:
                found = cuts_of(self._path, self._separator, rows)
            except OSError as fault:
                raise self._refusal(f"cannot be read: {fault.strerror}") from fault
        return None if found is None else replace(found, names=self.names)

    def batches(self, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        """The rows of some units; all of a file that is not cut."""
        good = 0
        first_row, place, end = 0, 0, None
        if self._cuts is not None:
            first_row, place = sum(self._cuts.rows[:start]), self._cuts.starts[start]
            end = self._cuts.starts[stop] if stop < len(self._cuts.starts) else None
        numbers: list[int] = []  # of broken rows met so far, from 0
        columns = self._reading.columns_of(self.schema)
        try:
            with self._opened(columns, place, end, first_row) as reader:
                for block in reader:
                    numbers = [broken.row - first_row - 1 for broken in self._met]
                    for first in range(0, block.num_rows, self._reading.rows_at_once):
                        some = block.slice(first, self._reading.rows_at_once)
                        for row, batch in self._aligned(some, good + first, numbers):
                            yield first_row + row, batch
                    good += block.num_rows
        except (pa.ArrowException, OSError, UnicodeError) as error:
            reason = str(error).splitlines()[0]
            remedy = ANOTHER_ENCODING if "UTF8" in reason or isinstance(error, UnicodeError) else "copy it again"
            raise self._refusal(f"cannot be read as CSV after row {first_row + good:,}: {reason}; {remedy}") from error

    def broken(self) -> list[Broken]:
        """Return the broken rows met since the last call."""
        found, self._broken = self._broken, []
        return found

    def _aligned(self, batch: Any, good: int, broken: list[int]) -> Iterator[tuple[int, Any]]:
        """A batch that begins with the good row `good`, cut where a broken row lies between two of its rows."""
        before = [number - rank for rank, number in enumerate(broken)]  # good rows before each broken one
        cuts = sorted({at - good for at in before if good < at < good + batch.num_rows})
        for first, last in zip([0, *cuts], [*cuts, batch.num_rows], strict=True):
            yield good + first + bisect_right(before, good + first) + 1, batch.slice(first, last - first)

    def _opened(self, columns: list[str] | None, place: int, end: int | None, before: int = 0) -> Any:
        """A reader from one byte to another; `before` are the rows in front of them."""
        self._met: list[Broken] = []
        header = self.schema.names if place else list(self.names) or None
        above = 0 if place else self._skipped

        def skip(row: Any) -> str:
            number = 0 if row.number is None else before + row.number - (header is None) - above
            reason = f"expected {row.expected_columns} fields, as in the header, got {row.actual_columns}"
            if row.actual_columns < row.expected_columns and row.text and row.text == self._last_line():
                reason += "; the last line has no end: is the file cut short?"
            told = self._reading.data.exclude and columns is not None and row.text
            met = Broken(number, reason, cells_of(row.text, self._separator, self.schema.names) if told else {})
            self._met.append(met)
            if columns is not None:
                self._broken.append(met)
            return "skip"

        types = None if columns is None else dict.fromkeys(columns, pa.string())
        try:
            return pa_csv.open_csv(
                self._stream(place, end),
                read_options=pa_csv.ReadOptions(
                    use_threads=False,
                    block_size=BLOCK_BYTES,
                    encoding=self._encoding,
                    skip_rows=above,
                    column_names=header,
                ),
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
            remedy = "copy it again" if self._is_packed and "Truncated" in reason else remedy
            raise self._refusal(f"cannot be read as CSV: {reason}; {remedy}") from error

    def _last_line(self) -> str:
        """The last line of a file that does not end with a line's end; else nothing."""
        with self._path.open("rb") as file:
            file.seek(max(0, self._path.stat().st_size - LONGEST_LINE))
            tail = file.read()
        return "" if tail.endswith((b"\n", b"\r")) else tail.rpartition(b"\n")[2].decode(self._encoding, "replace")

    def _stream(self, place: int, end: int | None) -> Any:
        if not place and end is None:
            return pa.input_stream(str(self._path), compression="detect")
        file = pa.OSFile(str(self._path))
        return file.get_stream(place, (file.size() if end is None else end) - place)

    def _refusal(self, problem: str) -> UserError:
        return UserError(f"{self._name}: {problem}")
