"""Raw rows that reveal a wrong export: at every split, at missing, infinite and unseen values.

A row only tries a split that it reaches. So for every split of every tree a real row is changed until it takes
the path from the root to that split, and then its own value is moved across the threshold.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from table.columns import MISSING_CATEGORY
from training.estimator.preparation import POOL
from trees.ensemble import Ensemble, Tree

Inputs = dict[str, NDArray[Any]]
FEW_POOLED = 10  # levels of a pool among random ones: the graph does not distinguish them
UNSEEN = ("no such level", " ", "\u00e9\U0001f600", "nan")


class RawSide(Protocol):
    """Methods of a preparation on raw columns; see training.estimator.preparation.Preparation."""

    @property
    def numbers(self) -> Sequence[str]:
        """Names of the number and boolean columns."""

    vocabularies_: dict[str, list[str]]
    pools_: dict[str, list[str]]

    def indicators(self) -> dict[str, list[str | None]]:
        """The levels that it distinguishes, by category."""

    def raw_columns(self) -> tuple[list[list[int]], list[tuple[int, str | None]]]:
        """The raw columns behind each column of its matrix."""


class Interval(NamedTuple):
    """The float32 values low <= x < high."""

    low: float = -np.inf
    high: float = np.inf

    def holds(self, x: float) -> bool:
        """True if the interval contains `x`."""
        return self.low <= x < self.high

    def inside(self) -> float:
        """A value that it holds."""
        if self.low > -np.inf:
            return self.low
        return float(np.nextafter(np.float32(self.high), np.float32(-np.inf))) if self.high < np.inf else 0.0


@dataclass
class RawColumns:
    """The raw columns behind each column of the prepared matrix."""

    preparation: RawSide
    binary: frozenset[str]  # the boolean columns: 0, 1 and NaN are their only values
    members: list[list[int]] = field(init=False)  # raw positions in `numbers`; several for a row maximum
    indicators: list[tuple[int, str | None]] = field(init=False)  # (position in `categories`, level or POOL)
    pools: list[frozenset[str]] = field(init=False)  # the pooled levels by position in `categories`

    def __post_init__(self) -> None:
        """Look up which raw columns each prepared column reads, and the pooled levels."""
        self.members, self.indicators = self.preparation.raw_columns()
        pools = self.preparation.pools_
        self.pools = [frozenset(pools.get(name, ())) for name in self.preparation.vocabularies_]

    def example(self, where: int, level: str | None) -> str:
        """A text whose indicator is this one."""
        return min(self.pools[where]) if level is POOL else level

    def is_binary(self, column: int) -> bool:
        """True if every raw column behind this prepared column is a boolean."""
        names = self.preparation.numbers
        return column < len(self.members) and all(names[i] in self.binary for i in self.members[column])


def at_every_split(
    ensembles: Sequence[Ensemble], columns: RawColumns, real: Inputs, at_once: int, seed: int = 0
) -> Iterator[Inputs]:
    """Yield rows that reach each split, about `at_once` at a time.

    Numbers are the threshold, the float32 below and above, and the float64 around the rounding from one to the other.
    Booleans and indicators have both values; every column is also missing once.
    """
    rows = _Rows(columns, real, np.random.default_rng(seed))
    for ensemble in ensembles:
        for tree in ensemble.trees:
            for column, threshold, way in _splits(tree):
                rows.add(column, threshold, way)
                if len(rows.numbers) >= at_once:
                    yield rows.taken()
    if rows.numbers:
        yield rows.taken()


def without_values(columns: RawColumns, real: Inputs) -> Inputs:
    """One row with nothing, and real rows with each column missing, and with each column alone."""
    n, c = len(columns.preparation.numbers), len(columns.preparation.vocabularies_)
    rows = _take(real, np.arange(1 + 2 * (n + c)) % _count(real))
    numbers, categories = _parts(rows)
    source = numbers.copy(), categories.copy()
    numbers[0], categories[0] = np.nan, MISSING_CATEGORY
    for i in range(n + c):
        without, alone = 1 + i, 1 + n + c + i
        numbers[alone], categories[alone] = np.nan, MISSING_CATEGORY
        if i < n:
            numbers[without, i] = np.nan
            numbers[alone, i] = source[0][alone, i]
        else:
            categories[without, i - n] = MISSING_CATEGORY
            categories[alone, i - n] = source[1][alone, i - n]
    return rows


def beyond_range(columns: RawColumns, real: Inputs) -> Inputs:
    """Real rows with each number infinite, huge, tiny or a negative zero, and all numbers so at once."""
    extremes = (np.inf, -np.inf, 1e300, -1e300, 1e39, 3.4028235e38, 5e-324, 1e-45, -0.0, -1.0, -1.0000001)
    free = [i for i, name in enumerate(columns.preparation.numbers) if name not in columns.binary]
    rows = _take(real, np.arange(len(extremes) * (len(free) + 1)) % _count(real))
    numbers, _ = _parts(rows)
    row = 0
    for value in extremes:
        for i in free:
            numbers[row, i] = value
            row += 1
        numbers[row, free] = value
        row += 1
    return rows


def with_unseen_categories(columns: RawColumns, real: Inputs, at_once: int) -> Iterator[Inputs]:
    """Yield real rows, `at_once` at a time, with each level of each category in turn and with unseen strings."""
    vocabularies = list(columns.preparation.vocabularies_.values())
    wanted = [(i, level) for i, levels in enumerate(vocabularies) for level in levels]
    wanted += [(i, name) for i in range(len(vocabularies)) for name in UNSEEN]
    for first in range(0, len(wanted), at_once):
        asked = wanted[first : first + at_once]
        rows = _take(real, np.arange(first, first + len(asked)) % _count(real))
        _, categories = _parts(rows)
        for row, (column, level) in enumerate(asked):
            categories[row, column] = level
        yield rows


def at_random(columns: RawColumns, real: Inputs, count: int, seed: int = 0) -> Inputs:
    """Rows whose values are drawn independently.

    Each value is a real one of its column, one moved a little, one anywhere in twice the column's range, or missing.
    """
    rng = np.random.default_rng(seed)
    rows = _take(real, rng.integers(_count(real), size=count))
    numbers, categories = _parts(rows)
    for i, name in enumerate(columns.preparation.numbers):
        observed = _parts(real)[0][:, i]
        observed = observed[np.isfinite(observed)]
        if not len(observed):
            observed = np.zeros(1)
        value = rng.choice(observed, count)
        if name not in columns.binary:
            low, high = observed.min(), observed.max()
            width = (high - low) or 1.0
            kind = rng.integers(3, size=count)
            value = np.where(kind == 1, value + rng.normal(size=count) * width * 0.01, value)
            value = np.where(kind == 2, rng.uniform(low - width / 2, high + width / 2, count), value)
        numbers[:, i] = np.where(rng.random(count) < 0.15, np.nan, value)
    for i, (name, levels) in enumerate(columns.preparation.indicators().items()):
        known = [level for level in levels if level is not POOL]
        pooled = columns.preparation.pools_.get(name, [])[:FEW_POOLED]
        categories[:, i] = rng.choice(np.array([*known, *pooled, MISSING_CATEGORY, UNSEEN[0]], dtype=object), count)
    return rows


class _Rows:
    """Rows under construction, each a real row led to a split."""

    def __init__(self, columns: RawColumns, real: Inputs, rng: np.random.Generator) -> None:
        self.columns = columns
        self.real_numbers, self.real_categories = _parts(real)
        self.rng = rng
        self.numbers: list[NDArray[np.float64]] = []
        self.categories: list[NDArray[np.object_]] = []

    def add(self, column: int, threshold: np.float32, way: Mapping[int, Interval]) -> None:
        real = self.rng.integers(len(self.real_numbers))
        numbers, categories = self.real_numbers[real].copy(), self.real_categories[real].copy()
        levels: dict[int, dict[str | None, bool]] = {}
        for passed, interval in way.items():
            if passed < len(self.columns.members):
                self._lead(numbers, passed, interval)
            else:
                where, level = self.columns.indicators[passed - len(self.columns.members)]
                levels.setdefault(where, {})[level] = interval.low > 0
        for where, wanted in levels.items():
            on = [level for level, present in wanted.items() if present]
            pooled = categories[where] in self.columns.pools[where]
            if on:
                categories[where] = self.columns.example(where, on[0])
            elif (POOL if pooled else categories[where]) in wanted:
                categories[where] = MISSING_CATEGORY
        if column >= len(self.columns.members):
            where, level = self.columns.indicators[column - len(self.columns.members)]
            for value in (self.columns.example(where, level), MISSING_CATEGORY, UNSEEN[0]):
                self._append(numbers, categories, where, value)
            return
        members = self.columns.members[column]
        for number in self._around(column, threshold):
            row = numbers.copy()
            row[members] = np.nan
            row[members[self.rng.integers(len(members))]] = number
            self.numbers.append(row)
            self.categories.append(categories)

    def taken(self) -> Inputs:
        """The rows so far, which are then no longer here."""
        preparation, rows = self.columns.preparation, len(self.numbers)
        inputs: Inputs = {"numbers": np.array(self.numbers).reshape(rows, len(preparation.numbers))}
        if preparation.vocabularies_:
            shape = rows, len(preparation.vocabularies_)
            inputs["categories"] = np.array(self.categories, dtype=object).reshape(shape)
        self.numbers, self.categories = [], []
        return inputs

    def _lead(self, numbers: NDArray[np.float64], column: int, interval: Interval) -> None:
        members = self.columns.members[column]
        values = numbers[members].astype(np.float32)
        present = values[~np.isnan(values)]
        if len(present) and interval.holds(float(present.max())):
            return
        value = np.nan if interval.high == -np.inf else interval.inside()  # nothing but a missing value comes there
        if self.columns.is_binary(column) and not np.isnan(value):
            value = 1.0 if interval.holds(1.0) else 0.0
        numbers[members] = np.nan
        numbers[members[0]] = value

    def _around(self, column: int, threshold: np.float32) -> list[float]:
        if self.columns.is_binary(column):
            return [0.0, 1.0, np.nan]
        below = np.nextafter(threshold, np.float32(-np.inf))
        above = np.nextafter(threshold, np.float32(np.inf))
        # Half-way between two float32 is a float64: the last that is rounded down or the first that is rounded up.
        half = (float(below) + float(threshold)) / 2
        return [
            float(below),
            float(threshold),
            float(above),
            float(np.nextafter(half, -np.inf)),
            half,
            float(np.nextafter(half, np.inf)),
            np.nan,
        ]

    def _append(self, numbers: NDArray[np.float64], categories: NDArray[np.object_], where: int, level: str) -> None:
        row = categories.copy()
        row[where] = level
        self.numbers.append(numbers)
        self.categories.append(row)


def _splits(tree: Tree) -> Iterator[tuple[int, np.float32, dict[int, Interval]]]:
    """Each split: its column, its threshold, and the interval of every column on the way to it."""
    stack: list[tuple[int, dict[int, Interval]]] = [(0, {})]
    while stack:
        node, way = stack.pop()
        if tree.left[node] < 0:
            continue
        column, threshold = int(tree.feature[node]), tree.threshold[node]
        yield column, threshold, way
        interval = way.get(column, Interval())
        stack.append((int(tree.left[node]), way | {column: interval._replace(high=float(threshold))}))
        stack.append((int(tree.right[node]), way | {column: interval._replace(low=float(threshold))}))


def _parts(inputs: Inputs) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Both matrices, an empty one in place of the categories that a model does not have."""
    return inputs["numbers"], inputs.get("categories", np.empty((_count(inputs), 0), dtype=object))


def _count(inputs: Inputs) -> int:
    return len(inputs["numbers"])


def _take(inputs: Inputs, rows: NDArray[Any]) -> Inputs:
    return {name: matrix[rows].copy() for name, matrix in inputs.items()}
