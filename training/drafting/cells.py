"""The different texts of each column, how often each is there, and which of them some rows have."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from table.cells import Source, coded_labels, decoded
from table.words import number_of


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

    @cached_property
    def plain_numbers(self) -> bool:
        """True if all levels are numbers with a decimal point."""
        return self.is_number or (not self.is_boolean and all(number_of(level) is not None for level in self.levels))

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
