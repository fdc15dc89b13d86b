"""Rows with fewer cells than the header: notes and totals below a table, whose empty cells nobody wrote."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from unicodedata import normalize

from table.words import Missing, plain

WIDEST_NOTE = 2  # cells: a text, and a date or a name that it introduces

Wanted = Callable[[Mapping[str, str]], bool]
"""Says of the cells that a short row has, by column, whether the row is to be completed."""


def place_of(cells: Mapping[str, str], exclude: Mapping[str, Sequence[str]], missing: Missing, *, nfc: bool) -> int:
    """The place of the first value of `exclude` that the cells of a row have, counted over all columns; else -1.

    A missing cell does not count, for what a short row lacks says nothing. `missing` and `nfc` as in
    table.cells.Source, whose rows are left out by the same values.
    """
    place = 0
    for column, values in exclude.items():
        text = cells.get(column, "").strip()
        text = normalize("NFC", text) if nfc else text
        if text and text not in missing:
            for at, value in enumerate(values):
                if plain(value) == plain(text):
                    return place + at
        place += len(values)
    return -1


def excluded_by(exclude: Mapping[str, Sequence[str]], missing: Missing, *, nfc: bool) -> Wanted | None:
    """The rows that `data.exclude` leaves out, None if it leaves none out."""
    return None if not exclude else lambda cells: place_of(cells, exclude, missing, nfc=nfc) >= 0


def cells_of(text: str, separator: str, columns: Sequence[str]) -> dict[str, str]:
    """The cells of one row's text, by column; none of a row that has more than the header."""
    try:
        record = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    except csv.Error:
        return {}
    return _by_column(record, columns)


def completed_rows(
    content: bytes, separator: str, columns: Sequence[str], wanted: Wanted
) -> tuple[bytes, dict[int, dict[str, str]]]:
    """The content, in which the short rows that are `wanted` have all cells, and the cells that each of them had.

    Rows are counted from 0. Raises csv.Error for a quote that is not closed.
    """
    lines = content.splitlines(keepends=True)
    completed: dict[int, dict[str, str]] = {}
    for row, (end, record) in enumerate(_ends(content, separator), -1):  # the header is -1
        if len(record) < len(columns) and wanted(cells := _by_column(record, columns)):
            line = lines[end - 1]
            text = line.rstrip(b"\r\n")
            lines[end - 1] = text + separator.encode() * (len(columns) - len(record)) + line[len(text) :]
            completed[row] = cells
    return b"".join(lines) if completed else content, completed


def _ends(content: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Every record that is not an empty line, with the line where it ends."""
    text = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=separator)
    for record in reader:
        if record:
            yield reader.line_num, record


def _by_column(record: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    return dict(zip(columns, record, strict=False)) if len(record) <= len(columns) else {}
