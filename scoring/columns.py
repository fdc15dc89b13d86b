"""Columns of an Arrow record batch as the graph takes them, and which of their cells need a look of their own.

A cell unlike those of training is only marked here: `JsonValue` is the value that a request would have in its place,
and runtime.validate, which alone knows the rules, gives the verdict.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from runtime.validate import EXACT_LIMIT
from scoring.reading import is_text
from table.amounts import Marks
from table.cells import decoded, label, present
from table.settings import Feature
from table.words import Missing, folded, truths

JsonValue: TypeAlias = Callable[[int], Any]
"""The value of a row, counted from 0 in the batch, as JSON has it."""
WHOLE = re.compile(r"[+-]?\d+")
NUMBERED = 100_000  # levels of a category that are remembered


@dataclass
class Cells:
    """A column: float64 with NaN, or objects with "", for missing; rows to look at, if any; and their values."""

    values: NDArray[Any]
    odd: NDArray[np.bool_] | None
    of: JsonValue
    missing: int = 0


def numbers(cells: Any, feature: Feature, missing: Missing, marks: Marks, *, nullable: bool) -> Cells:
    """A number feature: NaN is missing; an infinity, a whole number beyond 2**53 or other text are odd."""
    cells = decoded(cells)
    nothing = missing | Missing.of(feature.special) if feature.special else missing
    odd: NDArray[np.bool_] | None = None
    if pa.types.is_decimal(cells.type):
        cells = pc.cast(cells, pa.string())
    if is_text(cells.type):
        values, odd = _parsed(cells, nothing, marks)
    else:
        if pa.types.is_integer(cells.type) and cells.type.bit_width == 64:
            whole = pc.fill_null(cells, 0).to_numpy(zero_copy_only=False)
            odd = (whole > EXACT_LIMIT) | (whole < -EXACT_LIMIT)
        values = pc.cast(cells, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    if nothing.numbers:
        is_nothing = np.isin(values, nothing.numbers)
        values = np.where(is_nothing, math.nan, values)
    count = 0
    if not np.isfinite(values).all():
        gone = np.isnan(values)
        wrong = np.isinf(values)
        odd = wrong if odd is None else wrong | odd
        count = int(np.count_nonzero(gone & ~odd))
        if not nullable:
            odd |= gone

    def of(row: int) -> Any:
        if math.isnan(values[row]):
            return None
        raw = cells[row].as_py()
        return _json_number(raw, float(values[row])) if isinstance(raw, str) else raw

    return Cells(values, odd, of, count)


def booleans(cells: Any, feature: Feature, missing: Missing, *, nullable: bool) -> Cells:
    """A boolean feature: 1, 0, NaN for missing; any word that is neither true nor false is odd."""
    if pa.types.is_boolean(cells.type) and feature.indicates is None:
        values = pc.cast(cells, pa.float64()).to_numpy(zero_copy_only=False)
        gone = np.isnan(values)
        odd = None if nullable else gone
        return Cells(values, odd, lambda row: cells[row].as_py(), int(np.count_nonzero(gone)))
    known = truths(feature.true, feature.false)
    nothing = missing | Missing.of(feature.special)
    coded = pc.dictionary_encode(decoded(cells))
    texts = [label(level) for level in coded.dictionary.to_pylist()]
    if feature.indicates is not None:  # true where the column has a special code, false everywhere else
        special = Missing.of(feature.special)
        truth = [float(text is not None and text in special) for text in texts] + [0.0]
    else:
        truth = [math.nan if text is None or text in nothing else known.get(folded(text), math.inf) for text in texts]
        truth.append(math.nan)
    values = np.array(truth)[pc.fill_null(coded.indices, len(texts)).to_numpy(zero_copy_only=False)]
    odd, gone = np.isinf(values), np.isnan(values)
    count = int(np.count_nonzero(gone))

    def of(row: int) -> Any:
        value = float(values[row])
        if math.isnan(value):
            return None
        raw = cells[row].as_py()
        return bool(value) if math.isfinite(value) else float(raw) if isinstance(raw, Decimal) else raw

    return Cells(values, odd if nullable else odd | gone, of, count)


@dataclass
class Levels:
    """Readings of the texts of a category feature, remembered because a column repeats them."""

    feature: Feature
    vocabulary: frozenset[str]
    missing: Missing
    spelt: Callable[[str], str]
    nullable: bool
    _known: dict[Any, tuple[str, bool]] = field(default_factory=dict)

    def read(self, cells: Any) -> tuple[Cells, int]:
        """The column, and how many cells have a level that training did not see."""
        coded = pc.dictionary_encode(decoded(cells)) if not pa.types.is_dictionary(cells.type) else cells
        if len(self._known) > NUMBERED:
            self._known.clear()
        levels = [self._read(level) for level in coded.dictionary.to_pylist()]
        texts = np.array([*(text for text, _ in levels), ""], dtype=object)
        codes = pc.fill_null(coded.indices, len(levels)).to_numpy(zero_copy_only=False)
        counts = np.bincount(codes, minlength=len(texts)).tolist()
        values = texts[codes]
        gone = np.array([text == "" for text in texts])
        missing = sum(count for count, is_gone in zip(counts, gone, strict=True) if is_gone)
        unseen = sum(count for count, (_, seen) in zip(counts, levels, strict=False) if not seen)
        odd = None if self.nullable or not missing else gone[codes]

        def of(row: int) -> Any:
            return values[row] or ("" if cells[row].as_py() == "" else None)

        return Cells(values, odd, of, missing), unseen

    def _read(self, level: Any) -> tuple[str, bool]:
        if (found := self._known.get((type(level), level))) is None:
            found = self._known[type(level), level] = self._found(level if isinstance(level, str) else label(level))
        return found

    def _found(self, text: str | None) -> tuple[str, bool]:
        """Level of a text as runtime.validate reads it, and True if training saw it."""
        if text is None or text == "" or text in self.missing:
            return "", True
        if text in self.vocabulary:
            return text, True
        if (spelt := self.spelt(text)) in self.vocabulary or (spelt == "" and self.nullable):
            return spelt, True
        return text, False


def _parsed(cells: Any, missing: Missing, marks: Marks) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """Texts as numbers, and which of them float64 cannot hold."""
    texts = present(decoded(cells), missing)
    if marks.decimal == "." and marks.thousands is None:
        try:
            values = pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            pass
        else:
            return values, _beyond(values, texts)
    coded = pc.dictionary_encode(texts)
    found = [marks.amount(text) for text in coded.dictionary.to_pylist()]
    known = np.array([math.inf if amount is None else amount.value for amount in found] + [math.nan])
    codes = pc.fill_null(coded.indices, len(found)).to_numpy(zero_copy_only=False)
    values = known[codes]
    beyond = _beyond(values, texts)
    return values, np.isinf(values) if beyond is None else beyond | np.isinf(values)


def _beyond(values: NDArray[np.float64], texts: Any) -> NDArray[np.bool_] | None:
    """Whole numbers of which float64 has only a neighbour."""
    large = np.flatnonzero(np.abs(values) >= EXACT_LIMIT)
    if not len(large):
        return None
    beyond = np.zeros(len(values), dtype=bool)
    beyond[large] = [
        bool(WHOLE.fullmatch(text := texts[row].as_py().strip())) and abs(int(text)) > EXACT_LIMIT
        for row in large.tolist()
    ]
    return beyond


def _json_number(text: str, value: float) -> Any:
    """A number in text as JSON has it, whole or not; other text stays text."""
    if math.isfinite(value):
        return int(text) if WHOLE.fullmatch(text.strip()) else value
    try:
        infinite = math.isinf(float(text))
    except ValueError:
        return text
    return value if infinite else text  # Python reads more than is a number elsewhere: 1_000
