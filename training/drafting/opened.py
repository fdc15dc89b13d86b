"""A table with all its columns, and the settings of its format."""

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from cli.errors import UserError
from table.cells import Source
from table.csv_file import SAMPLE_ROWS, SEPARATORS, CsvFile, records
from table.header import HeaderBelowError, header_below
from table.packed import MARKS, ZIP, unpacked
from table.parquet_file import FEATHER, MAGIC, SUFFIXES
from table.parts import parts_of
from table.settings import Data, Schema
from table.sources import OpenTable
from table.words import number_of
from table.workbook import DAMAGES, Workbook

WINDOWS, ANY_BYTE = "cp1252", "latin-1"
SHOWN = 40
NOT_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True)
class Opened:
    """A table of N `rows`, all of it read, cells of a CSV as text.

    `data` holds the settings by which it was read, `unread` the columns that cannot be, with the reason; `accented` is
    a text of the file in the encoding that is supposed.
    """

    table: OpenTable
    source: Source
    data: Data
    rows: int
    unread: dict[str, str]
    accented: str = ""
    other_sheets: tuple[str, ...] = ()


def open_all(name: str, path: Path, data: Data, show: Callable[[str], None]) -> Opened:
    """Open `path`, which the user calls `name`; separator, encoding and sheet are detected where they are None.

    Raises UserError where it is no table of columns and rows.
    """
    encoding, accented = _encoding(name, path) if data.encoding is None else (data.encoding, "")
    data = replace(data, encoding=encoding)
    try:
        table = _table(name, path, data)
    except HeaderBelowError as found:
        data = replace(data, header=found.header)
        table = _table(name, path, data)
    first = table.files[0]
    if isinstance(first, CsvFile):
        data = replace(data, separator=None if first.written == "," else first.written)
    others: tuple[str, ...] = ()
    if isinstance(first, Workbook):
        others = tuple(each for each in first.sheets if each != first.sheet)
        data = replace(data, sheet=first.sheet if others else None)
    unread = {column: "has no name; name it in the header" for column in table.columns if column == ""}
    twice = {column for column in table.columns if table.columns.count(column) > 1} - {""}
    unread |= dict.fromkeys(sorted(twice), "is there twice; name each column once")
    unread |= {column: "has a name that is not text" for column in table.columns if not _is_text(column)}
    columns = [column for column in table.columns if column not in unread]
    if len(columns) < 2:
        what = f"one column, {columns[0]}" if columns else "columns without names of their own"
        remedy = "is it a table?"
        if columns and re.search(r"\S[ \t]{2,}\S", columns[0]):
            remedy = "are its columns of fixed width? then save it as CSV"
        raise UserError(f"{name}: expected a target and features, got {what}; {remedy}")
    show(f"{len(columns)} columns")
    source = _read(table, data, columns, unread)
    if not source.columns:
        raise UserError(f"{name}: no column can be read; is it a table?")
    rows = len(next(iter(source.columns.values())))
    if not rows:
        raise UserError(f"{name}: has a header and no rows; expected rows")
    return Opened(table, source, data, rows, unread, accented, others)


def _table(name: str, path: Path, data: Data) -> OpenTable:
    """The open table; raises UserError for a CSV without a header, and HeaderBelowError."""
    table = OpenTable.at(name, path, data, (), completes=lambda _: True)
    if isinstance(table.files[0], CsvFile):
        _refuse_no_header(name, table.files[0])
    return table


def other_sheets(name: str, path: Path) -> tuple[str, ...]:
    """The sheets of the workbook at `path` that are not read unless named; none of what cannot be read as one."""
    try:
        with path.open("rb") as file:
            if not file.peek(len(ZIP)).startswith(ZIP):
                return ()
            content = unpacked(name, file.read())
        import openpyxl

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles, which are no sheets
            sheets = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets
    except (UserError, ImportError, *DAMAGES):
        return ()
    first = next((each for each in sheets if each.sheet_state == "visible"), None)
    return tuple(each.title for each in sheets if each is not (first or sheets[0]))


def _read(table: OpenTable, data: Data, columns: list[str], unread: dict[str, str]) -> Source:
    """The columns together, or each alone where one of them cannot be read; that one goes to `unread`."""
    schema = Schema(data, ())
    try:
        return table.read(schema, dict.fromkeys(columns, "the draft"))
    except UserError:
        if isinstance(table.files[0], CsvFile) and len(table.parts) == 1:
            raise
    sources: dict[str, Source] = {}
    problem: UserError | None = None
    for column in columns:
        try:
            sources[column] = table.read(schema, {column: "the draft"})
        except UserError as error:
            problem, unread[column] = error, reason_of(error, table.name, column)
    if not sources:
        raise problem or UserError(f"{table.name}: no column can be read; is it a table?")
    read: dict[str, Any] = {column: its.columns[column] for column, its in sources.items()}
    return replace(next(iter(sources.values())), columns=read)


def reason_of(error: UserError, name: str, column: str) -> str:
    """Text of an error about a column, without its place."""
    said = str(error).removeprefix(f"{name}: ")
    return said.removeprefix(f"column {column}: ")


def _encoding(name: str, path: Path) -> tuple[str | None, str]:
    """The encoding of the text, None for UTF-8 and what says its own; and a line of it that another would spoil."""
    for part in parts_of(name, path):
        try:
            with part.path.open("rb") as file:
                if file.peek(len(MAGIC)).startswith(MAGIC) or part.path.suffix.lower() in SUFFIXES:
                    return None, ""
                content = unpacked(part.name, file.read())
        except (OSError, ValueError):
            return None, ""  # said when the table is opened
        if content.startswith((MAGIC, FEATHER, *(mark for mark, _ in MARKS))):
            continue
        if wide := _of_two_bytes(content):
            return wide, ""
        if b"\0" in content:
            continue
        try:
            content.decode()
        except UnicodeDecodeError as error:
            _refuse_broken_utf8(part.name, content, error.start)
            return _of_one_byte(content, error.start)
    return None, ""


def _refuse_broken_utf8(name: str, content: bytes, at: int) -> None:
    """Raise UserError for a text that is UTF-8 in most places with other letters than those of ASCII."""
    text = content.decode(errors="surrogateescape")
    broken = sum("\udc80" <= letter <= "\udcff" for letter in NOT_ASCII.findall(text))
    if len(NOT_ASCII.findall(text)) > 2 * broken:
        line = content.count(b"\n", 0, at) + 1
        problem = f"line {line} is not UTF-8 text, which the others are"
        raise UserError(f"{name}: {problem}; correct it, or name the encoding of all with --encoding")


def _of_two_bytes(content: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of Western text is 0."""
    start = content[:1000]
    if len(start) >= 4 and len(start) % 2 == 0:
        for encoding, zeros, others in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
            if zeros.count(0) > 0.9 * len(zeros) and others.count(0) == 0:
                return encoding
    return None


def _of_one_byte(content: bytes, at: int) -> tuple[str, str]:
    begin = max(content.rfind(b"\n", 0, at) + 1, at - SHOWN // 2)
    piece = content[begin : at + SHOWN // 2].partition(b"\n")[0]
    try:
        content.decode(WINDOWS)
    except UnicodeDecodeError:
        return ANY_BYTE, piece.decode(ANY_BYTE)
    return WINDOWS, piece.decode(WINDOWS)


def _refuse_no_header(name: str, file: CsvFile) -> None:
    """Raise UserError for a first row of numbers, as rows have, for names in single quotes, and a title above them."""
    rows = _first_rows(file, file.separator)
    as_wide = sum(len(cells) == len(file.columns) for _, cells in rows)
    is_doubtful = len(file.columns) == 1 or 2 * as_wide <= len(rows)  # a title has separators of its own
    for separator in SEPARATORS if is_doubtful else (file.separator,):
        if below := header_below(_first_rows(file, separator)):
            raise HeaderBelowError(name, "line", below)
    header = file.columns
    if all(len(column) > 1 and column[0] == column[-1] == "'" for column in header):
        problem = f"line 1: names are in single quotes ({header[0]}, …), which belong to cells in a CSV"
        raise UserError(f'{name}: {problem}; write " in place of them')
    numbers = [column for column in header if number_of(column.strip()) is not None]
    if (len(numbers) > 1 and 2 * len(numbers) >= len(header)) or (len(numbers) and len(set(header)) < len(header)):
        first = ", ".join(header[:4])
        raise UserError(
            f"{name}: line 1 looks like data, not like a header ({first}, …); add a line of column names above it"
        )


def _first_rows(file: CsvFile, separator: str) -> list[tuple[int, list[str]]]:
    return [each for _, each in zip(range(SAMPLE_ROWS), records(file.content, separator), strict=False)]


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_nested(type_: Any) -> bool:
    """True for lists, structs and maps, which no feature holds."""
    return bool(pa.types.is_nested(type_))
