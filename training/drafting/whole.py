"""From a table to the text of its draft."""

import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cli.errors import UserError
from cli.words import listed, shown
from table import column_of
from table.cells import MISSING, Source
from table.header import UNNAMED
from table.settings import Data
from table.short_rows import excluded_by
from table.words import Missing
from training.drafting.cells import Cells, cells_of
from training.drafting.guess import ID_NAME, UUID, Guess, guess, suspected, with_doubtful_points
from training.drafting.opened import Opened, open_all, other_sheets, reason_of
from training.drafting.outcome import Candidate, candidates, convincing, named
from training.drafting.page import Draft, likeliest, page_of
from training.drafting.strays import strays_of
from training.drafting.writing import POINT, writing_of
from training.settings import settings_from_dict
from training.settings.checks import REQUEST_ID

ROWS = 20_000  # that are looked at for what knows the outcome


@dataclass(frozen=True)
class Asked:
    """The user's statements on a table called `name`; the draft names its file from `folder`.

    `sheet`, `encoding` and `separator` are detected where they are None.
    """

    name: str
    folder: Path
    target: str | None = None
    positive: tuple[str, ...] = ()
    seed: int = 99
    sheet: str | None = None
    encoding: str | None = None
    separator: str | None = None


def drafted(asked_for: Asked, path: Path, show: Callable[[str], None]) -> str:
    """The draft for the table at `path`.

    Raises UserError for what is no table, and where no column can be the target or a feature; of a workbook whose
    first sheet is read, the error names the others.
    """
    try:
        return _drafted(asked_for, path, show)
    except UserError as error:
        others = () if asked_for.sheet is not None else other_sheets(asked_for.name, path)
        if not others:
            raise
        known = f"the workbook has other sheets: {listed(others)}"
        remedy = f"name one with --sheet, as --sheet {shown(others[0])}"
        raise UserError(f"{error}; {known}; {remedy}", error.exit_status) from error


def _drafted(asked_for: Asked, path: Path, show: Callable[[str], None]) -> str:
    name = asked_for.name
    told = Data(name, asked_for.separator, sheet=asked_for.sheet, encoding=asked_for.encoding)
    opened = open_all(name, path, told, show)
    looked_at = _looked_at(opened.rows, asked_for.seed)
    columns, left_out = _cells(opened, looked_at, show)
    writing = writing_of(columns, opened.data.separator)
    short = opened.table.short()
    strays = strays_of(opened.source, columns, writing.marks, short)
    is_left_out = excluded_by(
        strays.values if strays else {}, Missing.of((*MISSING, *writing.missing)), nfc=writing.nfc
    )
    for file, row in short.values():
        if is_left_out is None or not is_left_out(file.short[row]):
            file.refuse_short(row)
    if strays is not None:
        opened = replace(opened, source=strays.others_of(opened.source))
        looked_at = _looked_at(opened.rows - len(strays.rows), asked_for.seed)
        columns, left_out = _cells(opened, looked_at, show)
        writing = writing_of(columns, opened.data.separator)
    missing = frozenset(writing.missing)
    columns = [cells.without(missing) for cells in columns]
    target = None
    if asked_for.target is not None:
        target = named(name, columns, asked_for.target, asked_for.positive)
    found = [target] if target else candidates(columns)
    if not found:
        few = "expected a column with two values, or with words such as Fully Paid and Charged Off"
        raise UserError(f"{name}: no column can be the target: {few}; add the outcome")
    target = convincing(found)
    guesses = [guess(cells, writing.marks) for cells in columns]
    if writing.marks == POINT:
        guesses = [with_doubtful_points(its, cells) for its, cells in zip(guesses, columns, strict=True)]
    identifier = _identifier(guesses)
    data = replace(
        opened.data,
        id=identifier,
        decimal="," if writing.marks.decimal == "," else ".",
        thousands=writing.marks.thousands,
        missing=writing.missing,
        normalization="NFC" if writing.nfc else "none",
    )
    source = replace(
        opened.source,
        missing=opened.source.missing | Missing.of(writing.missing),
        marks=writing.marks,
        nfc=writing.nfc,
    )
    outcome = _outcome(next((cells for cells in columns if target and cells.name == target.name), None), target)
    unsettled = {each.name for each in likeliest(found) if each.score} if target is None else set()
    kept = []
    for its, cells in zip(guesses, columns, strict=True):
        show(its.feature.name)
        if target is not None and cells.name == target.name:
            continue
        if its.reason is None and cells.name in unsettled:
            its = replace(its, reason="may be the target")
        if outcome is not None:
            its = suspected(its, cells, writing.marks, outcome)
        kept.append(_as_read(its, source))
    asked = dict(writing.asked)
    if opened.accented:
        asked["encoding"] = f"is this right: {opened.accented.strip()}? Else draft it with --encoding"
    if opened.data.header is not None:
        asked["header"] = "is a title above it?"
    if opened.other_sheets:
        asked["sheet"] = f"or {', '.join(opened.other_sheets)}?"
    if all(its.reason is not None for its in kept):
        raise UserError(f"{name}: no column can be a feature: {listed([its.feature.name for its in kept])}; add some")
    page = page_of(Draft(data, opened.rows, found, target, kept, left_out, asked, strays), asked_for.folder)
    settings_from_dict(tomllib.loads(page))  # what it refuses is no draft
    return page


def _looked_at(rows: int, seed: int) -> NDArray[np.int64]:
    kept = range(rows) if rows <= ROWS else sorted(random.Random(seed).sample(range(rows), ROWS))
    return np.array(kept, dtype=np.int64)


def _cells(
    opened: Opened, looked_at: NDArray[np.int64], show: Callable[[str], None]
) -> tuple[list[Cells], dict[str, str]]:
    """The columns, and those that are no feature of any type with the reason."""
    columns, left_out = [], dict(opened.unread)
    for column in opened.source.columns:
        show(column)
        try:
            columns.append(cells_of(opened.source, column, looked_at))
        except UserError as error:
            left_out[column] = reason_of(error, opened.source.name, column)
    return columns, left_out


def _identifier(guesses: list[Guess]) -> str | None:
    named = [its.feature.name for its in guesses if its.names_rows and _is_name_of_id(its.feature.name)]
    return named[0] if named else None


def _is_name_of_id(name: str) -> bool:
    return name == UNNAMED or ID_NAME.search(name.strip()) is not None


def _outcome(cells: Cells | None, target: Candidate | None) -> NDArray[np.int8] | None:
    """1 for a default, 0 for repayment, -1 for neither, of the rows that are looked at."""
    if cells is None or target is None or not target.settles:
        return None
    negative = set(target.negative) or set(cells.levels) - set(target.positive)
    truth = [1 if level in target.positive else 0 if level in negative else -1 for level in cells.levels]
    return np.array([*truth, -1], dtype=np.int8)[cells.codes]


def _as_read(its: Guess, source: Source) -> Guess:
    """The guess, left out where training could not read the column so."""
    if its.reason is not None:
        return its
    name = its.feature.name
    if name == REQUEST_ID:
        return replace(its, reason=UUID)
    if name == UNNAMED:
        return replace(its, reason="the first column has no name: an index?")
    try:
        column_of(source, its.feature)
    except UserError as error:
        return replace(its, reason=reason_of(error, source.name, name))
    return its
