"""Columns of a file, of any type, in the form that training has for each type of feature."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NoReturn
from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cli.errors import UserError
from cli.words import shown
from table.amounts import Amount, Marks, is_bookkeeping_minus, marks_that_fit
from table.words import Missing, folded, truths

MISSING = ("", "NA", "NaN", "null")  # of a CSV, exactly so; "none" or "n/a" may be a level
EXAMPLES = 3
NOTHING_ELSE = Missing()
AMERICAN = Marks()
EMPTY = "correct the file or leave the cell empty"
HEADER_AGAIN = "that is the header again: delete such rows, or leave them out by data.exclude"
OTHER_WORDS = "correct the file, set the feature's true and false words, or make it a category"


@dataclass(frozen=True, slots=True)
class Source:
    """The requested columns, as the file holds them.

    `columns` are arrow chunked arrays of any type, null for missing; `places` gives the place in the file
    (`line 17`) of each of some rows, counted from 0 here; `missing` are values that stand for missing in any column.
    """

    name: str
    sha256: str
    columns: dict[str, Any]
    places: Callable[[Sequence[int]], list[str]]
    missing: Missing = NOTHING_ELSE
    marks: Marks = AMERICAN
    nfc: bool = False
    """Letters and their accents in categories become one character."""
    remarks: list[str] = field(default_factory=list)
    signs: Mapping[str, str] = field(default_factory=dict)
    """For a part of a table: the columns of numbers with signs, each with the sign of all parts."""


def numbers(source: Source, column: str, special: Collection[str] = ()) -> NDArray[np.float64]:
    """A number column as float64 [N], NaN for missing and for the `special` codes.

    Raises UserError for text and for what float32 cannot hold.
    """
    values = numbers_as_written(source, column)
    if nothing := (source.missing | Missing.of(special)).numbers:
        values = np.where(np.isin(values, nothing), np.nan, values)
    with np.errstate(over="ignore"):
        infinite = np.isinf(values.astype(np.float32))
    if infinite.any():
        refuse_cells(source, column, "a number within ±3.4e38, as float32 holds", infinite, values)
    return values


def numbers_as_written(source: Source, column: str) -> NDArray[np.float64]:
    """A number column as float64 [N] in which codes for missing stay numbers; infinities are allowed."""
    cells = decoded(source.columns[column])
    if pa.types.is_string(cells.type):
        cells = _parsed(source, column, cells)
    elif not _is_readable(cells.type):
        refuse_type(source, column, cells.type, "numbers")
    if pa.types.is_decimal(cells.type):
        cells = pc.cast(cells, pa.string())  # the only cast of a decimal that rounds once
    values: NDArray[np.float64] = pc.cast(cells, pa.float64(), safe=False).to_numpy().astype(np.float64, copy=False)
    return values


def booleans(
    source: Source, column: str, special: Collection[str] = (), true: Collection[str] = (), false: Collection[str] = ()
) -> NDArray[np.float64]:
    """A boolean column as float64 [N]: 1 true, 0 false, NaN missing. Raises UserError for any other value.

    `true` and `false` are words of this column, besides the usual ones.
    """
    levels, codes = coded_labels(source, column, special)
    known = truths(true, false)
    found = [math.nan if level is None else known.get(folded(level)) for level in levels]
    unknown = np.array([truth is None for truth in found])[codes]
    if unknown.any():
        expected = "true or false, yes or no, on or off, 1 or 0"
        refuse_cells(source, column, expected, unknown, levels[codes], OTHER_WORDS)
    return np.array(found, dtype=np.float64)[codes]


def codes_there(source: Source, column: str, special: Collection[str]) -> NDArray[np.float64]:
    """1 for each row [N] of a column that has a special code, 0 for every other."""
    levels, codes = coded_labels(source, column)
    wanted = Missing.of(special)
    return np.array([level is not None and level in wanted for level in levels], dtype=np.float64)[codes]


def labels(source: Source, column: str, special: Collection[str] = ()) -> NDArray[np.object_]:
    """A column of text as an object array [N] of str, None for missing; raises as `coded_labels` does."""
    levels, codes = coded_labels(source, column, special)
    texts: NDArray[np.object_] = levels[codes]
    return texts


def coded_labels(
    source: Source, column: str, special: Collection[str] = ()
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The different texts of a column, last None for missing, and for each row [N] its one.

    Blanks around a text do not count, and the way in which a number is stored does not matter: 36, 36.0 and the decimal
    36.00 are "36". The empty text and the `special` codes are missing. A date is its ISO text. Raises UserError for
    lists and other nested types.
    """
    cells = decoded(source.columns[column])
    if not (_is_readable(cells.type) or is_date(cells.type)):
        refuse_type(source, column, cells.type, "text")
    coded = pc.dictionary_encode(cells).combine_chunks()
    nothing = source.missing | Missing.of(special)
    if pa.types.is_string(cells.type):
        texts = [text.strip() or None for text in coded.dictionary.to_pylist()]
    else:
        texts = [label(level) for level in coded.dictionary.to_pylist()]
    if source.nfc:
        texts = [text and normalize("NFC", text) for text in texts]
    if nothing.texts:
        texts = [None if text is None or text in nothing else text for text in texts]
    place = {text: i for i, text in enumerate(dict.fromkeys(text for text in texts if text is not None))}
    codes = np.array([len(place) if text is None else place[text] for text in texts] + [len(place)])
    levels = np.array([*place, None], dtype=object)
    return levels, codes[pc.fill_null(coded.indices, len(texts)).to_numpy()]


def decoded(cells: Any) -> Any:
    """Dictionary columns as plain ones, every kind of string as `string`."""
    if pa.types.is_dictionary(cells.type):
        cells = pc.cast(cells, cells.type.value_type)
    if pa.types.is_large_string(cells.type) or pa.types.is_string_view(cells.type):
        cells = pc.cast(cells, pa.string())
    return cells


def present(texts: Any, missing: Missing) -> Any:
    """Texts without spaces around them, null for the texts that mean missing in a CSV and in this table."""
    trimmed = pc.utf8_trim_whitespace(texts)
    words = pa.array([*MISSING, *missing.texts], pa.string())
    return pc.if_else(pc.is_in(trimmed, words), pa.scalar(None, pa.string()), trimmed)


def only_of(source: Source, kept: NDArray[np.bool_], columns: Iterable[str]) -> Source:
    """The source with texts of some columns only in the `kept` rows: rows that are left out need not be readable."""
    if kept.all():
        return source
    read = dict(source.columns)
    for column in set(columns) & read.keys():
        cells = decoded(read[column])
        if pa.types.is_string(cells.type):
            read[column] = pc.if_else(pa.array(kept), cells, pa.scalar(None, pa.string()))
    return replace(source, columns=read)


def with_rows(source: Source, kept: NDArray[np.bool_]) -> Source:
    """The source with the `kept` rows alone, [N] of its rows; their places are those in the file."""
    if kept.all():
        return source
    at, mask = np.flatnonzero(kept), pa.array(kept)
    return replace(
        source,
        columns={name: cells.filter(mask) for name, cells in source.columns.items()},
        places=lambda rows: source.places([int(at[row]) for row in rows]),
    )


def refuse_cells(
    source: Source,
    column: str,
    expected: str,
    wrong: NDArray[np.bool_],
    values: Sequence[Any] | NDArray[Any],
    remedy: str = EMPTY,
) -> NoReturn:
    """Raise a UserError that names the first of the wrong cells, with their places in the file."""
    rows = np.flatnonzero(wrong).tolist()
    places = source.places(rows[:EXAMPLES])
    cells = ", ".join(f"{_shown(values[row])} ({place})" for row, place in zip(rows, places, strict=False))
    more = f" and {len(rows) - EXAMPLES} more" if len(rows) > EXAMPLES else ""
    raise UserError(f"{source.name}: column {column}: expected {expected}, got {cells}{more}; {remedy}")


def _parsed(source: Source, column: str, cells: Any) -> Any:
    texts = present(cells, source.missing)
    if column not in source.signs and (plain := _plain_numbers(source, texts)) is not None:
        return plain
    coded = pc.dictionary_encode(texts).combine_chunks()
    levels = coded.dictionary.to_pylist()
    found = [source.marks.amount(text) for text in levels]
    _refuse_amounts(source, column, cells, found, coded)
    amounts = {text: amount for text, amount in zip(levels, found, strict=True) if amount is not None}
    source.remarks.extend(read_as(source, column, examples_of_signs(amounts).values()))
    values = pa.array([amount.value for amount in amounts.values()], pa.float64())
    return pa.chunked_array([pc.take(values, coded.indices)])


def _plain_numbers(source: Source, texts: Any) -> Any | None:
    """The texts as float64, None where a mark or a sign has to be read."""
    if source.marks.decimal != ".":
        return None
    try:
        return pc.cast(texts, pa.float64())
    except pa.ArrowInvalid:
        return None


def written_amounts(source: Source, column: str) -> dict[str, Amount] | None:
    """The distinct texts of a number column with their amounts, in the order of the rows.

    None for a column that is not text, or that Arrow reads; texts that are not amounts are left out.
    """
    cells = decoded(source.columns[column])
    if not pa.types.is_string(cells.type):
        return None
    texts = present(cells, source.missing)
    if _plain_numbers(source, texts) is not None:
        return None
    levels = pc.unique(texts).drop_null().to_pylist()
    return {text: amount for text in levels if (amount := source.marks.amount(text)) is not None}


def examples_of_signs(amounts: Mapping[str, Amount]) -> dict[str, str]:
    """The first text with a `sign`, and the first with a `minus` as ledgers write it, where there are such."""
    found: dict[str, str] = {}
    for text, amount in amounts.items():
        if amount.sign:
            found.setdefault("sign", text)
        if is_bookkeeping_minus(text):
            found.setdefault("minus", text)
    return found


def read_as(source: Source, column: str, texts: Iterable[str]) -> list[str]:
    """A remark on each of some texts of a column: the number that it is."""
    amounts = {text: source.marks.amount(text) for text in texts}
    return [f"column {column}: {shown(text)} is read as {its.value:.15g}" for text, its in amounts.items() if its]


def _refuse_amounts(source: Source, column: str, cells: Any, amounts: Sequence[Amount | None], coded: Any) -> None:
    """Raise UserError for texts that are no numbers, and for numbers whose signs are not alike."""
    mark = "point" if source.marks.decimal == "." else "comma"
    levels = coded.dictionary.to_pylist()
    codes = pc.fill_null(coded.indices, len(levels)).to_numpy()

    def refuse(expected: str, wrong: Sequence[bool], remedy: str) -> NoReturn:
        refuse_cells(source, column, expected, np.array([*wrong, False])[codes], cells.to_pylist(), remedy)

    if None in amounts:
        fit = [each.in_words() for each in marks_that_fit(levels)]
        remedy = f"set {' or '.join(fit)}" if fit else HEADER_AGAIN if column in levels else EMPTY
        refuse(f"a number, with a decimal {mark}", [amount is None for amount in amounts], remedy)
    signs = [amount.sign for amount in amounts if amount]
    one = source.signs.get(column, next(filter(None, signs), ""))
    # A sum may stand without its currency; what stands without % may be a share of 1.
    wrong = [sign != one and (sign != "" or one == "%") for sign in signs]
    if any(wrong):
        refuse(f"every number with {one}", wrong, "use one format in the whole column")


def _is_readable(type_: Any) -> bool:
    types = pa.types
    kinds = (
        types.is_string,
        types.is_boolean,
        types.is_null,
        types.is_integer,
        types.is_floating,
        types.is_decimal,
    )
    return any(is_kind(type_) for is_kind in kinds)


def is_date(type_: Any) -> bool:
    """True for dates and for moments, with a time zone or without."""
    return bool(pa.types.is_date(type_) or pa.types.is_timestamp(type_))


def label(level: Any) -> str | None:
    """The text of a level: true, 36 for 36.0 and for decimal 36.00, 2016-09-01; None for a missing or blank one."""
    if isinstance(level, bool):
        return str(level).lower()
    if isinstance(level, float):
        return None if math.isnan(level) else str(int(level)) if level.is_integer() else repr(level)
    if isinstance(level, date):
        return iso_of(level)
    if isinstance(level, Decimal):
        return str(int(level)) if level == level.to_integral_value() else f"{level.normalize():f}"
    return None if level is None else str(level).strip() or None


def iso_of(moment: date | np.datetime64) -> str:
    """The ISO text of a date, 2016-09-01; of a moment that is no midnight, with the time of day."""
    its: date = moment.astype("datetime64[us]").item() if isinstance(moment, np.datetime64) else moment
    if isinstance(its, datetime) and its == datetime.combine(its.date(), time(tzinfo=its.tzinfo)):
        its = its.date()
    return its.isoformat()


def places_of(source: Source, rows: NDArray[np.bool_]) -> str:
    """Places of some rows in the file: the first ones, and the number of others."""
    found = np.flatnonzero(rows)
    more = f" and {len(found) - EXAMPLES:,} more" if len(found) > EXAMPLES else ""
    return ", ".join(source.places(found[:EXAMPLES].tolist())) + more


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else shown(value)


def refuse_type(source: Source, column: str, type_: Any, expected: str) -> NoReturn:
    """Raise a UserError for a column whose type cannot be read as what is expected."""
    problem = f"expected {expected}, got values of type {type_}; convert the column"
    raise UserError(f"{source.name}: column {column}: {problem}")
