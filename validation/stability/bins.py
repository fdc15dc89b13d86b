"""A column cut into a few bins that take every value, so that two sets of applicants can be compared."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST_BINS = 10  # of a number; one more takes all that training had no such value of
MOST_LEVELS = 20
# Fewest rows of a value or level with a bin of its own: fewer would identify applicants, and are noise.
LEAST_ROWS = 10
MOST_DECIMALS = 60  # of an edge; numpy rounds by way of a power of ten, which has to be finite
SCORE_DECIMALS = 6  # points closer than a millionth are one score
MISSING = "missing"


@dataclass(frozen=True)
class Bins:
    """First a bin for each of `values`, then one for each interval between `edges` that takes all others, then missing.

    An interval holds its lower edge; the first has no lower end and the last no upper one, so that infinities have a
    place. Without an edge there is one interval for everything else: of a category, its other and unseen levels.
    """

    values: tuple[bool | float | str, ...] = ()
    edges: tuple[float, ...] = ()

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Bins":
        """The bins that `as_dict` described. Raises KeyError or TypeError for what is no such description."""
        return cls(tuple(entry["values"]), tuple(map(float, entry["edges"])))

    def as_dict(self) -> dict[str, list[Any]]:
        """In JSON's types."""
        return {"values": list(self.values), "edges": list(self.edges)}

    def __len__(self) -> int:
        """The number of bins, those of missing and of other values included."""
        return len(self.values) + len(self.edges) + 2

    def places(self, column: NDArray[Any]) -> NDArray[np.intp]:
        """The bin of each value [N], from 0: float64 with NaN for missing, or objects, texts with None or ""."""
        if column.dtype == object:
            levels = pd.Index(self.values, dtype=object)
            place = levels.get_indexer(pd.Index(column, dtype=object))
            place[place < 0] = len(self.values)
        else:
            place = len(self.values) + np.searchsorted(self.edges, column, side="right")
            for position, value in enumerate(self.values):
                place[column == value] = position
        place[_missing(column)] = len(self) - 1
        return np.asarray(place, dtype=np.intp)

    def counts(self, column: NDArray[Any]) -> NDArray[np.int64]:
        """Number of values [N] in each bin, int64 [len(self)]."""
        return np.bincount(self.places(column), minlength=len(self)).astype(np.int64)

    def sums(self, column: NDArray[Any], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of the weights [N] of the values [N] in each bin, [len(self)]."""
        return np.asarray(np.bincount(self.places(column), weights=weight, minlength=len(self)), dtype=np.float64)

    def labels(self) -> list[str]:
        """Display name of each bin."""
        return [*map(label, self.values), *intervals(self.edges, "all others" if self.values else "any"), MISSING]


def bins_of(column: NDArray[Any], kind: str) -> Bins:
    """Bins for the values [N] of a feature of type `number`, `boolean` or `category`."""
    if kind == "boolean":
        return Bins((False, True))
    return _bins_of_levels(column) if kind == "category" else bins_of_numbers(column)


def bins_of_numbers(column: NDArray[np.float64]) -> Bins:
    """A bin for each value that a tenth of the rows have; about as many in each interval for the rest.

    Where there are ten different values or fewer, each has its own. Infinities count as beyond the last edge.
    """
    return bins_of_counts(*np.unique(column[np.isfinite(column)], return_counts=True))


def bins_of_counts(distinct: NDArray[np.float64], rows: NDArray[np.integer[Any]]) -> Bins:
    """`bins_of_numbers` from the different numbers, ascending and finite, and how many rows have each."""
    least = LEAST_ROWS if len(distinct) <= MOST_BINS else max(LEAST_ROWS, rows.sum() / MOST_BINS)
    own = rows >= least
    values, rest, cumulative = distinct[own], distinct[~own], rows[~own].cumsum()
    if not len(rest):
        return Bins(tuple(values.tolist()))
    parts = max(1, min(MOST_BINS - len(values), round(MOST_BINS * cumulative[-1] / rows.sum())))
    edges = rest[_last_of_parts(cumulative, parts) + 1]
    return Bins(tuple(values.tolist()), tuple(_rounded(edges, rest[0]).tolist()))


def bins_of_scores(scores: NDArray[np.float64]) -> Bins:
    """About a tenth of the scores [N] in each interval, whose edges are halfway between two scores.

    A score may differ by its last bits between the pipeline and the graph, and between machines. So no score, however
    many have it, is a bin or an edge.
    """
    distinct, rows = np.unique(np.round(scores, SCORE_DECIMALS), return_counts=True)
    last = _last_of_parts(rows.cumsum(), MOST_BINS)
    edges = (distinct[last] + distinct[last + 1]) / 2
    return Bins((), tuple(np.round(edges, SCORE_DECIMALS + 1).tolist()))


def _last_of_parts(cumulative: NDArray[np.integer[Any]], parts: int) -> NDArray[np.intp]:
    """Values in ascending order that end parts of about equally many rows; never the last of all."""
    last = np.searchsorted(cumulative, cumulative[-1] * np.arange(1, parts) / parts)
    return np.unique(last[last < len(cumulative) - 1])


def _rounded(edges: NDArray[np.float64], lowest: float) -> NDArray[np.float64]:
    """Ascending edges above `lowest` without the digits that nobody reads: to a hundredth of the smallest interval."""
    if not len(edges):
        return edges
    smallest = np.diff(edges, prepend=lowest).min()
    decimals = min(2 - math.floor(math.log10(smallest)), MOST_DECIMALS)
    return np.unique(np.round(edges, decimals))


def intervals(edges: Sequence[float], whole: str) -> list[str]:
    """The name of each interval between ascending edges, `whole` where there is no edge.

    >>> intervals([0.5, 1000], "any")
    ['below 0.5', '0.5 to 1,000', '1,000 and more']
    """
    if not edges:
        return [whole]
    shown = _distinct(edges)
    inner = [f"{low} to {high}" for low, high in pairwise(shown)]
    return [f"below {shown[0]}", *inner, f"{shown[-1]} and more"]


def _distinct(edges: Sequence[float]) -> list[str]:
    """Numbers with four digits, or as many as distinguish them."""
    for digits in range(4, 18):
        shown = [_number(edge, digits) for edge in edges]
        if len(set(shown)) == len(edges):
            break
    return shown


def _number(value: float, digits: int) -> str:
    text = f"{value:,.{digits}g}"
    return f"{value:,.0f}" if "e+" in text and abs(value) < 1e15 else text


def label(value: bool | float | str) -> str:
    """Display name of a bin with one value."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else _number(value, 12)


def _bins_of_levels(column: NDArray[np.object_]) -> Bins:
    counts = pd.Series(column[~_missing(column)]).value_counts()
    counts = counts[counts >= LEAST_ROWS]
    return Bins(tuple(sorted(counts.index, key=lambda level: (-counts[level], level))[:MOST_LEVELS]))


def _missing(column: NDArray[Any]) -> NDArray[np.bool_]:
    missing: NDArray[np.bool_] = pd.isna(column)
    return missing | (column == "") if column.dtype == object else missing
