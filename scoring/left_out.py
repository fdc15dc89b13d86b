"""Rows that `data.exclude` leaves out, such as tests and totals: neither scored nor rejected, but counted by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scoring.reading import is_text
from table.cells import Source, decoded
from table.outcomes import Exclusion, plain_labels
from table.short_rows import place_of
from table.words import Missing, has_one_writing, plain


@dataclass(frozen=True)
class LeftOut:
    """Values of columns whose rows are left out; `nfc` as in table.cells.Source."""

    exclude: Mapping[str, Sequence[str]]
    nfc: bool = False

    @property
    def values(self) -> list[tuple[str, str]]:
        """Each column with each of its values."""
        return [(column, value) for column, values in self.exclude.items() for value in values]

    def of(self, batch: pa.RecordBatch, missing: Missing) -> NDArray[np.intp]:
        """For each of the N rows the first of `values` that it has, by position; -1 for a row that is not left out.

        A column that the batch does not have leaves no row out.
        """
        first = np.full(batch.num_rows, -1, dtype=np.intp)
        place = 0
        for column, values in self.exclude.items():
            if column in batch.schema.names:
                cells = decoded(batch.column(column))
                rows = self._candidates(cells, values, missing)
                its = self._places(cells.take(pa.array(rows)), values, missing)
                first[rows] = np.where((first[rows] < 0) & (its >= 0), place + its, first[rows])
            place += len(values)
        return first

    def of_line(self, cells: Mapping[str, str], missing: Missing) -> int:
        """As `of`, for a line of a CSV with too few cells; `cells` are those that it has."""
        return place_of(cells, self.exclude, missing, nfc=self.nfc)

    def _candidates(self, cells: pa.Array, values: Sequence[str], missing: Missing) -> NDArray[np.intp]:
        """Rows that may have one of the values. Arrow narrows texts down, which takes Python fifty times as long."""
        words = [value.strip() for value in values]
        words += missing.texts if "" in words else ()
        if self.nfc or not is_text(cells.type) or not all(map(has_one_writing, words)):
            return np.arange(len(cells))
        found = pc.is_in(pc.utf8_trim_whitespace(cells), pa.array(words, pa.string()))
        if "" in words:
            found = pc.or_(found, cells.is_null())
        return np.flatnonzero(found.to_numpy(zero_copy_only=False))

    def _places(self, cells: pa.Array, values: Sequence[str], missing: Missing) -> NDArray[np.intp]:
        """For each of the N cells the place of its value among `values`, -1 for any other."""
        source = Source("the batch", "", {"": pa.chunked_array([cells])}, _no_places, missing, nfc=self.nfc)
        texts, codes = plain_labels(source, "")
        wanted = {plain(value): place for place, value in reversed(list(enumerate(values)))}
        return np.array([wanted.get(text, -1) for text in texts], dtype=np.intp)[codes]

    def counted(self, counts: Sequence[int]) -> list[Exclusion]:
        """The rows left out for each of `values`, of those that have any."""
        its = zip(self.values, counts, strict=True)
        return [Exclusion("data.exclude", column, value or None, rows) for (column, value), rows in its if rows]


def _no_places(rows: Sequence[int]) -> list[Any]:
    return []
