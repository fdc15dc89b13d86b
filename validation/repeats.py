"""Ids: repeated ones, rows that belong together, and customers who moved between grades."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cli.words import counted
from table.cells import Source, decoded
from validation.sections.section import Coded, Migrations


@dataclass(frozen=True)
class Ids:
    """N ids: `values` are an arrow array of texts, `codes` [N] number the different ones, -1 for missing."""

    values: Any
    codes: NDArray[np.int64]


def ids_of(source: Source, column: str) -> Ids:
    """A column of ids, of texts or numbers."""
    cells = pc.cast(decoded(source.columns[column]), pa.string())
    cells = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    cells = pc.if_else(pc.equal(cells, ""), None, cells)
    coded = pc.dictionary_encode(cells)
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    return Ids(cells, pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64))


def repeated_in(ids: Ids, periods: Coded | None) -> int:
    """Number of rows whose id an earlier row of the same period has."""
    there = ids.codes >= 0
    keys = ids.codes[there]
    if periods is not None:
        keys = keys * (len(periods.levels) + 1) + periods.codes[there] + 1
    return len(keys) - len(np.unique(keys))


def clusters_of(source: Source, group: str | None, ids: Ids | None) -> NDArray[np.int64] | None:
    """Clusters [N]: the group, else the id where ids repeat; None if each row is alone."""
    if group is not None:
        ids = ids_of(source, group)
    if ids is None:
        return None
    there = ids.codes >= 0
    if len(np.unique(ids.codes[there])) == there.sum():
        return None
    alone = np.arange(len(there)) + int(ids.codes.max(initial=0)) + 1
    return np.where(there, ids.codes, alone)


def moved_between(ids: Ids, periods: Coded, grades: NDArray[np.intp]) -> Migrations | None:
    """Customers of the first period in the last; None where nobody is in both."""
    if len(periods.levels) < 2:
        return None
    first, last = periods.codes == 0, periods.codes == len(periods.levels) - 1
    then, now = (Ids(ids.values.filter(pa.array(rows)), ids.codes[rows]) for rows in (first, last))
    found = joined(then, grades[first], now, grades[last], f"{periods.levels[0]} and {periods.levels[-1]}")
    return found if len(found.before) else None


def joined(then: Ids, grades_then: NDArray[np.intp], now: Ids, grades_now: NDArray[np.intp], words: str) -> Migrations:
    """Customers by their id, those whose id is there twice in one of the two left out."""
    old, new = _single(then), _single(now)
    before, after = then.values.take(pa.array(old)), now.values.take(pa.array(new))
    place = pc.index_in(after, value_set=before)
    both = place.is_valid().to_numpy(zero_copy_only=False)
    at = place.drop_null().to_numpy(zero_copy_only=False)
    double = len(then.codes) + len(now.codes) - len(old) - len(new)
    left_out = f"; {counted(double, 'row')} without an id of its own left out" if double else ""
    return Migrations(
        grades_then[old[at]], grades_now[new[both]], len(old) - len(at), len(new) - len(at), f"{words}{left_out}"
    )


def _single(ids: Ids) -> NDArray[np.int64]:
    """The rows whose id no other row has."""
    _, place, counts = np.unique(ids.codes, return_inverse=True, return_counts=True)
    return np.flatnonzero((counts[place] == 1) & (ids.codes >= 0))
