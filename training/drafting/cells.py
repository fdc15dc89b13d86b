"""The distinct texts of each column, their counts, and the texts of a sample of rows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from table.amounts import Marks
from table.cells import MISSING, Source, coded_labels, decoded, present

OTHER = {".": ",", ",": "."}  # the mark that a decimal mark is not


@dataclass(frozen=True)
class Cells:
    """A column of N rows: its `levels`, missing ones aside, and the `rows` of each.

    `codes` [at most 20,000] are the levels of the rows that are looked at, `len(levels)` for missing.
    """

    name: str
    levels: tuple[str, ...]
    rows: NDArray[np.int64]
    codes: NDArray[np.int64]
    missing: int
    is_number: bool = False
    """The file says that they are numbers."""
    is_boolean: bool = False
    time: str | None = None
    """The file says that they are moments, of this type."""

    @property
    def present(self) -> int:
        """Rows that are not missing."""
        return int(self.rows.sum())

    @cached_property
    def by_rows(self) -> list[str]:
        """The levels, the most frequent first."""
        order = sorted(range(len(self.levels)), key=lambda i: (-self.rows[i], self.levels[i]))
        return [self.levels[i] for i in order]

    def frequent(self, most: int) -> list[str]:
        """The most frequent levels, at most this many."""
        return [self.levels[i] for i in np.argsort(-self.rows, kind="stable")[:most]]

    @cached_property
    def plain_values(self) -> NDArray[np.float64] | None:
        """The levels as numbers, where all of them are with a decimal point."""
        if self.is_boolean:
            return None
        try:
            values: NDArray[np.float64] = pc.cast(pa.array(self.levels, pa.string()), pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            return None
        return values if np.isfinite(values).all() else None

    def values(self, marks: Marks) -> NDArray[np.float64]:
        """The levels as numbers, NaN for other texts and for those beyond float64, such as 1e400."""
        if self.plain_values is not None and (self.is_number or "." not in (marks.thousands, OTHER[marks.decimal])):
            return self.plain_values
        amounts = [marks.amount(level) for level in self.levels]
        values = np.array([np.nan if amount is None else amount.value for amount in amounts], dtype=np.float64)
        return np.where(np.isinf(values), np.nan, values)

    def without(self, words: frozenset[str]) -> "Cells":
        """The column with some levels as missing."""
        if words.isdisjoint(self.levels):
            return self
        kept = [i for i, level in enumerate(self.levels) if level not in words]
        place = np.full(len(self.levels) + 1, len(kept))
        place[kept] = np.arange(len(kept))
        rows = self.rows[kept]
        return Cells(
            self.name,
            tuple(self.levels[i] for i in kept),
            rows,
            place[self.codes],
            self.missing + self.present - int(rows.sum()),
            self.is_number,
            self.is_boolean,
            self.time,
        )

    def labels(self) -> NDArray[np.object_]:
        """The texts of the rows that are looked at, None for missing."""
        texts: NDArray[np.object_] = np.array([*self.levels, None], dtype=object)[self.codes]
        return texts


def cells_of(source: Source, name: str, looked_at: NDArray[np.int64]) -> Cells:
    """A column of the source. Raises UserError for lists and the like."""
    arrow: Any = decoded(source.columns[name])
    types = pa.types
    if types.is_date(arrow.type) or types.is_timestamp(arrow.type):
        here = len(arrow) - arrow.null_count
        return Cells(
            name, (), np.array([here]), np.zeros(0, np.int64), arrow.null_count, time="dates" if here else None
        )
    if types.is_string(arrow.type) and set(MISSING) <= source.missing.texts:  # as coded_labels, for many texts
        coded = pc.dictionary_encode(present(arrow, source.missing)).combine_chunks()
        texts = coded.dictionary.to_pylist()
        levels = np.array([*texts, None], dtype=object)
        codes = pc.fill_null(coded.indices, len(texts)).to_numpy().astype(np.int64)
    else:
        levels, codes = coded_labels(source, name)
    rows = np.bincount(codes, minlength=len(levels))
    return Cells(
        name,
        tuple(levels[:-1]),
        rows[:-1],
        codes[looked_at],
        int(rows[-1]),
        types.is_integer(arrow.type) or types.is_floating(arrow.type) or types.is_decimal(arrow.type),
        types.is_boolean(arrow.type),
    )
