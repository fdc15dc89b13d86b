"""Reading a sheet of an Excel workbook: the columns below its first row, of the types that their cells have."""

import io
import warnings
import zipfile
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from cli.errors import UserError
from cli.words import listed, nearest, shown
from storage.damaged import DAMAGED
from table.header import UNNAMED, HeaderBelowError, header_below

# Texts that a formula leaves without a value; pandas reads each as missing, too.
ERRORS = frozenset(
    {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!"}
)
DAMAGES = (*DAMAGED, KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError, OSError)
TEXT = "str"  # type of a formula whose value is text
SHOWN = 5
SAMPLE = 50  # rows in which a header is looked for


class Workbook:
    """A sheet of the workbook `content`, which the user calls `name`: `sheet`, or the first that is not hidden.

    Its row `header` is the header, None for its first with a cell; rows without one are left out. A formula is its
    value of the last time that Excel saved it. `decimal` is the mark of numbers that are text, for columns that hold
    both. Raises UserError where openpyxl is missing, for a damaged workbook, a sheet that is not there, and a formula
    without a value.
    """

    introduction = "its columns"

    def __init__(
        self, name: str, content: bytes, sheet: str | None = None, decimal: str = ".", header: int | None = None
    ) -> None:
        self.name = name
        self._decimal = decimal
        try:
            import openpyxl
        except ImportError:
            remedy = "pip install 'lastbit[excel]' (openpyxl), or save the sheet as CSV UTF-8"
            raise UserError(f"{name}: an Excel workbook needs openpyxl, which is not installed; {remedy}") from None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles and lists of choices, which are no values
                book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
                its = self._chosen(book, sheet)
                self.sheet, rows = its.title, list(_rows(its))
                if _holds_formulas(content):
                    formulas = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
                    self._refuse_without_value(its, formulas[self.sheet])
        except DAMAGES as fault:
            reason = " ".join(str(fault).split())[:100] or type(fault).__name__
            problem = f"the workbook cannot be read ({reason}); open it in Excel and save it again"
            raise UserError(f"{name}: {problem}") from fault
        self.sheets: list[str] = [each.title for each in book.worksheets]
        if not rows:
            raise UserError(f"{name}: sheet {shown(self.sheet)} is empty; expected a header and rows")
        if header is not None:
            rows = [(number, cells) for number, cells in rows if number >= header]
            if not rows or rows[0][0] != header:
                raise UserError(f"{name}: row {header} (data.header) is empty; expected the names of the columns")
        self.columns, self._row_numbers, self._cells = self._table(rows)

    def read(self, columns: Collection[str], numbers: Collection[str]) -> dict[str, Any]:
        """Some columns as arrow arrays [N]: numbers, booleans, times or texts, texts where they are mixed."""
        return {
            name: pa.chunked_array([_array(self._cells[self.columns.index(name)], self._decimal)]) for name in columns
        }

    def places(self, rows: Sequence[int]) -> list[str]:
        """`row 17` of the sheet for each of some rows counted from 0."""
        return [f"row {self._row_numbers[row]}" for row in rows]

    def remarks(self, wanted: Collection[str], sheet: str | None) -> list[str]:
        """One-line remark on the sheet, if none is set, and on errors in the wanted columns."""
        said = []
        others = [each for each in self.sheets if each != self.sheet]
        if sheet is None and others:
            said.append(f"sheet {shown(self.sheet)} is read, not {_named(others)}; data.sheet names another")
        for name in wanted:
            if name in self.columns:
                errors = [each for each in self._cells[self.columns.index(name)] if _is_error(each)]
                if errors:
                    cells = "cells hold errors" if len(errors) > 1 else "cell holds an error"
                    said.append(f"column {name}: {len(errors):,} {cells} ({errors[0]}) and count as missing")
        return ["; ".join(said)] if said else []

    def _chosen(self, book: Any, sheet: str | None) -> Any:
        sheets = book.worksheets
        if not sheets:
            raise UserError(f"{self.name}: the workbook has no sheet of cells; expected a header and rows")
        if sheet is None:
            return next((each for each in sheets if each.sheet_state == "visible"), sheets[0])
        names = [each.title for each in sheets]
        if sheet not in names:
            suggestion = nearest(sheet, names)
            guess = f"did you mean {shown(suggestion)}? " if suggestion else ""
            raise UserError(f"{self.name}: no sheet {shown(sheet)} (data.sheet); {guess}its sheets: {_named(names)}")
        return sheets[names.index(sheet)]

    def _refuse_without_value(self, values: Any, formulas: Any) -> None:
        """Raise UserError for a formula that no program has worked out; one that is worked out may be empty text."""
        values.reset_dimensions()
        formulas.reset_dimensions()
        for number, rows in enumerate(zip(values.iter_rows(), formulas.iter_rows(), strict=True), 1):
            for value, formula in zip(*rows, strict=True):
                if value.value is None and formula.value is not None and value.data_type != TEXT:
                    problem = f"row {number} holds a formula without a value, {shown(str(formula.value))}"
                    raise UserError(f"{self.name}: {problem}; open the workbook in Excel and save it")

    def _table(self, rows: Sequence[tuple[int, Sequence[Any]]]) -> tuple[list[str], list[int], list[list[Any]]]:
        (line, header), *body = rows
        if not body:
            raise UserError(f"{self.name}: sheet {shown(self.sheet)} has a header and no rows; expected rows")
        width = max(len(cells) for _, cells in rows)
        columns = [_text(cell, ".") or "" for cell in (*header, *[None] * (width - len(header)))]
        columns[0] = columns[0] or UNNAMED
        if "" in columns:
            texts = [(number, [_text(cell, ".") or "" for cell in cells]) for number, cells in rows[:SAMPLE]]
            below = header_below(texts)
            if below is not None:
                raise HeaderBelowError(self.name, "row", below)
            cell = f"{_letters(columns.index(''))}{line}"
            raise UserError(f"{self.name}: cell {cell} has no name above its values; name each column in row {line}")
        padded = [(*cells, *[None] * (width - len(cells))) for _, cells in body]
        return columns, [number for number, _ in body], [list(column) for column in zip(*padded, strict=True)]


def is_workbook(members: Collection[str]) -> bool:
    """True if a zip with these members is a workbook."""
    return "[Content_Types].xml" in members and "xl/workbook.xml" in members


def _rows(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Each row that has a cell, by its number; what is empty at its end is cut off."""
    sheet.reset_dimensions()  # some programs write them wrong
    for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        filled = [at for at, cell in enumerate(cells) if cell is not None and cell != ""]
        if filled:
            yield number, tuple(cells[: filled[-1] + 1])


def _holds_formulas(content: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return any(
            b"<f>" in (xml := packed.read(name)) or b"<f " in xml
            for name in packed.namelist()
            if name.startswith("xl/worksheets/") and name.endswith(".xml")
        )


def _array(cells: Sequence[Any], decimal: str) -> Any:
    values = [None if _is_error(cell) or cell == "" else cell for cell in cells]
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {datetime}:
        return pa.array(values, pa.timestamp("us"))
    return pa.array([_text(value, decimal) for value in values], pa.string())


def _text(value: Any, decimal: str) -> str | None:
    """A cell as a CSV would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value).replace(".", decimal)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    return None if value is None else str(value)


def _is_error(cell: Any) -> bool:
    return isinstance(cell, str) and cell in ERRORS


def _named(sheets: Sequence[str]) -> str:
    return listed([shown(name) for name in sheets[:SHOWN]] + (["…"] if len(sheets) > SHOWN else []))


def _letters(column: int) -> str:
    """Excel's name of a column, counted from 0."""
    name, left = "", column + 1
    while left:
        left, letter = divmod(left - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
