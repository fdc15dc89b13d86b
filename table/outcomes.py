"""The outcomes of the rows, and the rows that are left out, with the reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from cli.errors import UserError
from cli.words import did_you_mean, listed, shown
from table.cells import EXAMPLES, Source, coded_labels, places_of
from table.settings import Data
from table.times import Times
from table.words import plain

MANY = 20  # rows
NO_ROWS = "has a header and no rows; expected rows"


@dataclass(frozen=True)
class Exclusion:
    """Rows that are left out for one value of a column; `value` is None for a missing one."""

    setting: str
    column: str
    value: str | None
    rows: int


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of N rows.

    `values` are float64 [N]: 1 defaulted, 0 repaid, NaN without outcome or left out. `excluded` [N] are those that a
    setting leaves out; `exclusions` counts them by value. `found` are the target's values, `remarks` lines to be said.
    """

    values: NDArray[np.float64]
    excluded: NDArray[np.bool_]
    exclusions: tuple[Exclusion, ...]
    found: tuple[str, ...]
    remarks: tuple[str, ...]


def outcomes_of(source: Source, data: Data) -> Outcomes:
    """The outcome of every row. Raises UserError where the target's values are not those of the settings."""
    excluded, exclusions, remarks = excluded_rows(source, data.exclude)
    levels, codes = coded_labels(source, data.target)
    texts = [None if level is None else plain(level) for level in levels]
    counts = Counter[str | None]()
    for text, rows in zip(texts, np.bincount(codes[~excluded], minlength=len(levels)).tolist(), strict=True):
        counts[text] += rows
    found = sorted(text for text, rows in counts.items() if text is not None and rows)
    positive, negative = set(map(plain, data.positive)), set(map(plain, data.negative))
    others = [text for text in found if text not in positive]
    _refuse_values(source, data, _with_places(source, found, texts, codes), others)
    for name, named in (("positive", data.positive), ("negative", data.negative)):
        absent = [value for value in named if plain(value) not in found]
        if 0 < len(absent) < len(named):
            shown_values = ", ".join(map(shown, absent))
            remarks.append(f"target {data.target}: no row has {shown_values} (data.{name}), found: {listed(found)}")
    left_out = {text for text in others if negative and text not in negative}
    truths = [np.nan if text is None or text in left_out else float(text in positive) for text in texts]
    values = np.where(excluded, np.nan, np.array(truths)[codes])
    unwanted = np.array([text in left_out for text in texts])[codes] & ~excluded
    by_target = sorted(left_out, key=lambda text: (-counts[text], text))
    exclusions += [Exclusion("data.negative", data.target, text, counts[text]) for text in by_target]
    return Outcomes(values, excluded | unwanted, tuple(exclusions), tuple(found), tuple(remarks))


def refuse_one_class(source: Source, data: Data, outcomes: Outcomes) -> None:
    """Raise UserError unless some rows defaulted and some repaid."""
    where = f"{source.name}: target {data.target}"
    if not len(outcomes.values):
        raise UserError(f"{source.name}: {NO_ROWS}")
    if sum(each.rows for each in outcomes.exclusions if each.setting == "data.exclude") == len(outcomes.values):
        refuse_no_rows_left(source)
    if not outcomes.found:
        raise UserError(f"{where}: every row is missing; expected two values")
    if len(outcomes.found) == 1:
        raise UserError(f"{where}: expected two values, found only: {outcomes.found[0]}; add rows of the other class")
    for name, truth in (("positive", 1), ("negative", 0)):
        if not (outcomes.values == truth).any():
            named = ", ".join(map(shown, getattr(data, name))) or "any other value"
            problem = f"no row has {named} (data.{name}), found: {listed(outcomes.found)}"
            raise UserError(f"{where}: {problem}; set data.{name} to some of them")


def refuse_no_rows_left(source: Source) -> NoReturn:
    """Raise UserError: every row has a value of `data.exclude`."""
    raise UserError(f"{source.name}: data.exclude leaves out every row; exclude fewer")


def left_out_note(source: Source, outcomes: Outcomes, time: Times | None) -> str:
    """Remark on the rows that are left out; empty if none is."""
    notes = [_missing_note(source, outcomes, time), excluded_note(source, outcomes.excluded, outcomes.exclusions)]
    return "; ".join(note for note in notes if note)


def excluded_note(source: Source, excluded: NDArray[np.bool_], exclusions: Sequence[Exclusion]) -> str:
    """Remark on the rows left out by values of columns, with the places of a few; empty if none is."""
    notes = exclusion_notes(exclusions)
    if 0 < excluded.sum() <= EXAMPLES and len(notes) == 1:
        notes[-1] += f" ({places_of(source, excluded)})"
    return "; ".join(notes)


def exclusion_notes(exclusions: Sequence[Exclusion]) -> list[str]:
    """A remark for each column that leaves rows out."""
    by_column: dict[str, list[Exclusion]] = {}
    for exclusion in exclusions:
        by_column.setdefault(exclusion.column, []).append(exclusion)
    return [_note(column, its) for column, its in by_column.items()]


def _refuse_values(source: Source, data: Data, found: list[str], others: list[str]) -> None:
    """Raise UserError where the values found leave it open who defaulted and who repaid."""
    if data.negative or len(found) < 2:
        return
    where = f"{source.name}: target {data.target}"
    named = ", ".join(map(shown, data.positive))
    if len(others) == len(found):
        remedy = "set data.positive to one of them"
        if len(found) > 2:
            remedy = "set data.positive and data.negative to some of them, and rows with any other value are left out"
        raise UserError(f"{where}: no row has {named} (data.positive), found: {listed(found)}; {remedy}")
    if len(others) > 1:
        remedy = "name those who repaid as data.negative, and rows with any other value are left out"
        raise UserError(f"{where}: expected two values, found: {listed(found)}; {remedy}")


def _with_places(
    source: Source, found: list[str], texts: list[str | None], codes: NDArray[np.integer[Any]]
) -> list[str]:
    """The values found; of more than two, each that a single row of many has comes with its place: totals, mostly."""
    if len(found) < 3 or len(codes) < MANY:
        return found
    rows = np.bincount(codes, minlength=len(texts))
    alone = {text: np.flatnonzero(codes == at)[0] for at, text in enumerate(texts) if rows[at] == 1}
    return [f"{text} ({source.places([int(alone[text])])[0]})" if text in alone else text for text in found]


def excluded_rows(
    source: Source, exclude: Mapping[str, Sequence[str]]
) -> tuple[NDArray[np.bool_], list[Exclusion], list[str]]:
    """Which of the N rows the values of `exclude` leave out, how many by value, and remarks on values of no row.

    A row is counted with the first value that it has. The columns have to be there.
    """
    excluded, exclusions, remarks = np.zeros(len(next(iter(source.columns.values()))), dtype=bool), [], []
    for column, values in exclude.items():
        texts, codes = plain_labels(source, column)
        for value in values:
            rows = np.array([text == plain(value) for text in texts])[codes]
            if not rows.any():
                known = sorted({text for text in texts if text})
                remarks.append(f"data.exclude: no row has {shown(value)} as {column}; {did_you_mean(value, known)}")
                continue
            exclusions.append(Exclusion("data.exclude", column, value or None, int((rows & ~excluded).sum())))
            excluded |= rows
    return excluded, exclusions, remarks


def plain_labels(source: Source, column: str) -> tuple[list[str], NDArray[np.int64]]:
    """The different texts of a column in one way of writing, "" for missing, and for each row [N] its one."""
    levels, codes = coded_labels(source, column)
    return ["" if level is None else plain(level) for level in levels], codes


def _note(column: str, exclusions: list[Exclusion]) -> str:
    total = sum(exclusion.rows for exclusion in exclusions)
    values = [f"{each.rows:,} {'without one' if each.value is None else shown(each.value)}" for each in exclusions]
    return f"{total:,} row{'' if total == 1 else 's'} left out by {column} ({listed(values)})"


def _missing_note(source: Source, outcomes: Outcomes, time: Times | None) -> str:
    """Rows without a target. Those later than all others have one that is not known yet."""
    without = np.isnan(outcomes.values) & ~outcomes.excluded
    if not without.any():
        return ""
    count = int(without.sum())
    note = f"{count:,} row{'s' if count > 1 else ''} without a target left out ({places_of(source, without)})"
    if time is None:
        return note
    last = time.of(~np.isnan(outcomes.values) & ~time.missing()).values.max()
    later = int((time.of(without).values > last).sum())
    if not later:
        return f"{note}; none is later than the last one with a target, {time.shown(last)}"
    share = "all" if later == count else f"{later:,} of them"
    return f"{note}; {share} later than the last one with a target, {time.shown(last)}: the outcome is not known yet"
