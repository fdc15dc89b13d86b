"""Each column of a prepared matrix as a function of its raw column, measured on the fitted preparation.

Of a number the trees see only between which of their thresholds its prepared value is. That changes at some raw
numbers, and bisection through the pipeline's own `transform` finds each of them to the last bit, however the steps
compute. Between two neighbouring points of its steps (export.own.steps) a column only rises or only falls, so no
change is missed. Of a category the prepared value is asked for every level, for a missing one and for unseen ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.own.cuts import CodeAt, cuts_of, settled
from export.own.faults import said_of
from export.own.prepared import MISSING, codes
from export.own.prober import UNSEEN, Prober, refused_among
from export.own.seeds import seeds_of
from export.own.trace import Column
from export.refusal import ExportRefused
from table.columns import MISSING_CATEGORY


@dataclass(frozen=True)
class Profile:
    """A prepared column as a function of its raw column.

    For a number: `cuts`, ascending, and the code in each of the len(cuts) + 1 segments; a segment holds its lower cut.
    For a category: the `values` of its levels, of a missing one and of an unseen one.
    """

    raw: int
    cuts: NDArray[np.float64]
    codes: NDArray[np.int64]
    """[len(cuts) + 1]; MISSING where the trees get a missing value."""
    missing: int
    """The code of a missing number."""
    values: NDArray[np.float32]
    """[levels + 2], of a category."""
    thresholds: NDArray[np.float32]
    """Thresholds of the splits on it, ascending."""

    def rank(self, threshold: np.float32) -> np.float32:
        """The smallest code that is not below a threshold: what a code is compared with in its place."""
        return np.float32(np.searchsorted(self.thresholds, threshold) + 1)


def profiles_of(
    prober: Prober,
    thresholds: Mapping[int, NDArray[np.float32]],
    real: Mapping[str, NDArray[Any]],
    nullable: Mapping[int, bool],
) -> dict[int, Profile]:
    """The profile of each prepared column that splits compare with `thresholds`, by position in the matrix."""
    columns = {j: prober.preparation.columns[j] for j in thresholds}
    kinds = {j: prober.input[column.raw][0] for j, column in columns.items()}
    levelled = {j: columns[j] for j in columns if kinds[j] == "categories"}
    found = _categories(prober, levelled, thresholds, nullable)
    wanted = {j: columns[j] for j in columns if kinds[j] == "numbers"}
    return found | _numbers(prober, wanted, thresholds, real, nullable)


def _categories(
    prober: Prober,
    columns: Mapping[int, Column],
    thresholds: Mapping[int, NDArray[np.float32]],
    nullable: Mapping[int, bool],
) -> dict[int, Profile]:
    if not columns:
        return {}
    places = list(columns)
    asked: dict[int, list[str]] = {}
    for raw in {column.raw for column in columns.values()}:
        levels = list(prober.table.levels[raw])
        unseen = levels[:1] * 2 if raw in prober.table.closed else UNSEEN  # no request has a level that is refused
        asked[raw] = [*levels, MISSING_CATEGORY if nullable[raw] else unseen[0], *unseen]
    try:
        seen = prober.ask(asked, places)
    except (ValueError, TypeError) as fault:
        said = said_of(fault)
        raise ExportRefused(
            f"categories: the pipeline raises for levels of its own rows ({said}); correct that step"
        ) from None
    found = {}
    for place, j in enumerate(places):
        values = seen[: len(asked[columns[j].raw]), place]
        if not np.array_equal(values[-1:], values[-2:-1], equal_nan=True):
            name = prober.table.columns[columns[j].raw].name
            raise ExportRefused(f"{name}: {columns[j].way} answers differently for two levels that it has not seen")
        none = np.empty(0)
        found[j] = Profile(columns[j].raw, none, none.astype(np.int64), MISSING, values[:-1], thresholds[j])
    return found


def _numbers(
    prober: Prober,
    columns: Mapping[int, Column],
    thresholds: Mapping[int, NDArray[np.float32]],
    real: Mapping[str, NDArray[Any]],
    nullable: Mapping[int, bool],
) -> dict[int, Profile]:
    if not columns:
        return {}
    places = list(columns)
    at = {j: place for place, j in enumerate(places)}
    seeds = {j: seeds_of(prober, j, columns[j], real, places) for j in places}

    def code_at(asked: Mapping[int, NDArray[np.float64]]) -> dict[int, NDArray[np.int64]]:
        """The code of each prepared column at its own numbers."""
        if not asked:
            return {}
        rows: dict[int, list[NDArray[np.float64]]] = {}
        start: dict[int, int] = {}
        for j, x in asked.items():
            its = rows.setdefault(columns[j].raw, [])
            start[j] = sum(map(len, its))
            its.append(x)
        values = {raw: np.concatenate(its) for raw, its in rows.items()}
        try:
            seen = prober.ask(values, places)
        except (ValueError, TypeError) as fault:
            raise refused_among(prober, values, places, fault) from None
        return {j: codes(seen[start[j] : start[j] + len(x), at[j]], thresholds[j]) for j, x in asked.items() if len(x)}

    is_boolean = {j: prober.table.columns[columns[j].raw].type == "boolean" for j in places}
    cuts = settled(code_at, cuts_of(code_at, {j: its for j, its in seeds.items() if not is_boolean[j]}))
    cuts |= _booleans_cuts(code_at, [j for j in places if is_boolean[j]])
    missing = {j: np.full(1, np.nan if nullable[columns[j].raw] else seeds[j][0]) for j in places}
    of_missing = code_at(missing)
    # A segment's code is that at its lower cut; of the first, at the lowest seed.
    starts = {j: np.concatenate([seeds[j][:1], cuts[j]]) for j in places}
    of_segments = code_at(starts)
    return {
        j: Profile(
            columns[j].raw, cuts[j], of_segments[j], int(of_missing[j][0]), np.empty(0, np.float32), thresholds[j]
        )
        for j in places
    }


def _booleans_cuts(code_at: CodeAt, columns: Sequence[int]) -> dict[int, NDArray[np.float64]]:
    """The cut at 1 where the code of 0 is another; no pipeline is asked for what is between."""
    codes_ = code_at(dict.fromkeys(columns, np.array([0.0, 1.0])))
    return {j: np.array([1.0] if codes_[j][0] != codes_[j][1] else [], dtype=np.float64) for j in columns}
