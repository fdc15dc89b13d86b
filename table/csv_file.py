"""Reader of CSV files: detects the separator, reads cells by type, names faults by line."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from cli.errors import UserError
from cli.words import shown
from table.blanks import BLANK, fields_of, with_tabs
from table.cells import MISSING
from table.header import completed, without_title
from table.short_rows import WIDEST_NOTE, Wanted, completed_rows

SEPARATORS = (";", ",", "\t", "|")
SAMPLE_BYTES = 65_536
SAMPLE_ROWS = 50
THREE_FIGURES = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
SEPARATOR_LINE = re.compile(rb"""(?P<mark>\xef\xbb\xbf)?"?sep=(?P<separator>[;,\t|])"?(?=\r|\n)""", re.I)
ANOTHER_ENCODING = 'save the file as UTF-8, or set data.encoding, for example "cp1252"'
BLOCK_BYTES = 16 * 2**20  # a row has to fit


class CsvFile:
    """The text of a CSV, its separator and its header. Raises UserError if it is not a CSV."""

    def __init__(
        self,
        name: str,
        content: bytes,
        separator: str | None,
        wanted: Collection[str],
        missing: Collection[str] = MISSING,
        decimal: str = ".",
        header: int | None = None,
        completes: Wanted | None = None,
    ) -> None:
        """`header` is its line, None for the first that is not empty.

        `completes` says of which rows with too few cells the others are empty, None of none.
        """
        self.name = name
        self.short: dict[int, dict[str, str]] = {}
        """The rows that were completed, from 0, each with the cells that it has."""
        self._completes = completes
        self.missing = missing
        self.decimal = decimal
        self.content = content
        self._refuse_what_is_no_text()
        said, content = without_separator_line(content)
        self.content = content if header is None else without_title(name, content, header)
        self.separator = separator or said or find_separator(self.content, wanted)
        self.written = self.separator
        self.introduction = f"its columns, separated by {shown(self.separator)}"
        if self.separator == BLANK:
            self.content, self.separator = with_tabs(content), "\t"
        rows = [record for _, record in zip(range(SAMPLE_ROWS), _sample(self.content, self.separator), strict=False)]
        self.content = completed(self.content, self.separator, rows[0] if rows else [], rows[1:])
        self.columns: list[str] = self._header()

    def read(self, columns: Collection[str], numbers: Collection[str]) -> dict[str, Any]:
        """Some columns as arrow arrays [N]: `numbers` float64, or text if a cell is not a number, the rest text.

        Missing is null: a cell that is one of the words for it, quoted or not.
        """
        types = {name: pa.float64() if name in numbers else pa.string() for name in columns}
        try:
            return self._read(types)
        except pa.ArrowInvalid as error:
            if self._completed():
                return self.read(columns, numbers)
            self._refuse_broken_rows()
            try:
                return self._read(dict.fromkeys(columns, pa.string()))
            except pa.ArrowInvalid:
                self._refuse(f"cannot be read as CSV: {str(error).splitlines()[0]}")

    def refuse_short(self, row: int) -> NoReturn:
        """Raise UserError for a row that was completed."""
        self._refuse_width(self.places([row])[0], len(self.short[row]))

    def places(self, rows: Sequence[int]) -> list[str]:
        """`line 17` for each of some rows, counted from 0 and ascending.

        It is the line in which the row starts; the header is line 1.
        """
        wanted, lines = iter(rows), []
        row = next(wanted, None)
        for index, line in enumerate(starts(self.content, self.separator)):
            if row is None:
                break
            if index == row + 1:
                lines.append(f"line {line}")
                row = next(wanted, None)
        return lines

    def points_that_may_mark_thousands(self, read: dict[str, Any]) -> list[str]:
        """Remark on each column whose numbers all have three digits after the point, such as 1.230.

        Without `;` between the cells, as in files of points, others of its numbers have no point: 996 beside 8.620.
        """
        if self.decimal != ".":
            return []
        columns = [name for name, cells in read.items() if pa.types.is_floating(cells.type) and _in_thousandths(cells)]
        found = []
        for name, cells in self._read(dict.fromkeys(columns, pa.string())).items() if columns else ():
            texts = pc.unique(cells.drop_null()).to_pylist()
            pointed = [text.strip() for text in texts if "." in text]
            is_likely = self.separator == ";" or len(pointed) < len(texts)
            if pointed and is_likely and all(THREE_FIGURES.fullmatch(text) for text in pointed):
                value = f"{shown(pointed[0])} is read as {float(pointed[0]):g}"
                remedy = 'where points mark thousands set data.decimal = "," and data.thousands = "."'
                found.append(f"column {name}: {value}; {remedy}")
        return found

    def _read(self, types: dict[str, Any]) -> dict[str, Any]:
        table = pa_csv.read_csv(
            pa.BufferReader(self.content),
            read_options=pa_csv.ReadOptions(block_size=BLOCK_BYTES),
            parse_options=pa_csv.ParseOptions(delimiter=self.separator, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                include_columns=list(types),
                column_types=types,
                decimal_point=self.decimal,
                null_values=list(self.missing),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        return {name: table.column(name) for name in types}

    def _header(self) -> list[str]:
        first = records(self.content, self.separator)
        try:
            line, header = next(first, (0, []))
            if not header:
                self._refuse("is empty; expected a header and rows")
            if any(_is_broken(column) for column in header):
                self._refuse(f"line {line} is not UTF-8 text; {ANOTHER_ENCODING}")
            if next(first, None) is None:
                self._refuse("has a header and no rows; expected rows")
        except csv.Error:
            self._refuse("at the start: a quote is opened and not closed; close it")
        return header

    def _refuse(self, problem: str) -> NoReturn:
        raise UserError(f"{self.name}: {problem}")

    def _refuse_what_is_no_text(self) -> None:
        if not self.content.strip():
            self._refuse("is empty; expected a header and rows")
        if b"\0" in self.content:
            remedy = "expected a CSV file in UTF-8, or a Parquet file; or set data.encoding"
            self._refuse(f"is neither text nor Parquet; {remedy}")

    def _refuse_broken_rows(self) -> None:
        """Raise for the first row that is not UTF-8 or has more or fewer fields than the header."""
        line = 1
        try:
            for line, record in records(self.content, self.separator):
                if any(_is_broken(cell) for cell in record):
                    self._refuse(f"line {line} is not UTF-8 text; {ANOTHER_ENCODING}")
                if len(record) != len(self.columns):
                    self._refuse_width(f"line {line}", len(record))
        except csv.Error:
            self._refuse(f"after line {line}: a quote is opened and not closed; close it")

    def _refuse_width(self, place: str, cells: int) -> NoReturn:
        expected = f"expected {len(self.columns)} fields, as in the header, got {cells}"
        remedy = "is it cut short, or a separator or a quote out of place?"
        if cells < len(self.columns) and cells <= WIDEST_NOTE:
            remedy = f"{remedy} If it is a note or a total, leave it out by data.exclude"
        self._refuse(f"{place}: {expected}; {remedy}")

    def _completed(self) -> bool:
        """Complete the short rows that are to be; False if nothing was left to complete."""
        if self._completes is None:
            return False
        try:
            self.content, short = completed_rows(self.content, self.separator, self.columns, self._completes)
        except csv.Error:  # said with its line when the rows are refused
            return False
        self.short |= short
        return bool(short)


def without_separator_line(content: bytes) -> tuple[str | None, bytes]:
    """The separator of Excel's first line `sep=;`, and the content with that line empty; None without such a line."""
    said = SEPARATOR_LINE.match(content)
    if said is None:
        return None, content
    return said["separator"].decode(), (said["mark"] or b"") + content[said.end() :]


def find_separator(content: bytes, wanted: Collection[str]) -> str:
    """The separator that gives the header most of the wanted columns, and the first rows as many fields as it has."""

    def fit(separator: str) -> tuple[int, float, int]:
        rows = [record for _, record in zip(range(SAMPLE_ROWS), _sample(content, separator), strict=False)]
        header = rows[0] if rows else []
        [(width, times)] = Counter(map(len, rows)).most_common(1) or [(0, 0)]
        alike = times / len(rows) if rows and width == len(header) else 0.0
        return len(set(header) & set(wanted)), alike if len(header) > 1 else 0.0, len(header)

    best = max(SEPARATORS, key=fit)
    if (wanted and fit(best)[0] == len(set(wanted))) or fit(best)[2] > 1:
        return best
    lines = content[:SAMPLE_BYTES].decode(errors="replace").splitlines()
    lines = [line for line in lines[:SAMPLE_ROWS] if line.strip()]
    if len(lines) > 2 and "\t" not in lines[0] and all("\t" in line for line in lines[1:-1]):
        return best  # a title of several words above tabs
    rows = [fields_of(line) for line in lines]
    if not wanted:  # the last line may be cut
        widths = {len(row) - len(rows[0]) for row in rows[1:-1]}  # 1 more where the rows have names
        return BLANK if len(rows) > 1 and len(rows[0]) > 1 and (not widths or widths in ({0}, {1})) else best
    return BLANK if len(set(rows[0] if rows else []) & set(wanted)) > fit(best)[0] else best


def records(content: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Every record that is not an empty line, with the line where it starts.

    Bytes that are not UTF-8 come as lone surrogates.
    """
    text = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=separator)
    start = 1
    for record in reader:
        if record:
            yield start, record
        start = reader.line_num + 1


def starts(content: bytes, separator: str) -> Iterator[int]:
    """The line where each record starts; without quotes each line is one, found twenty times as fast."""
    if b'"' in content or content.count(b"\r") != content.count(b"\r\n"):
        yield from (line for line, _ in records(content, separator))
    else:
        yield from (number for number, line in enumerate(io.BytesIO(content), 1) if line.strip(b"\r\n"))


def _sample(content: bytes, separator: str) -> Iterator[list[str]]:
    sample = content[:SAMPLE_BYTES]
    if len(sample) < len(content):
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    try:
        for _, record in records(sample, separator):
            yield record
    except csv.Error:  # a field of more than 131,072 characters
        return


def _in_thousandths(cells: Any) -> bool:
    """True if numbers with a fraction are there, none of more than three figures after the point, all below 1,000."""
    values = cells.drop_null().to_numpy()
    broken = values[np.isfinite(values) & (values != np.round(values))]
    return len(broken) > 0 and bool((abs(broken) < 1000).all() and np.allclose(broken * 1000, np.round(broken * 1000)))


def _is_broken(cell: str) -> bool:
    return not cell.isascii() and any("\udc80" <= character <= "\udcff" for character in cell)
