"""The cells of a feature: numbers in quantile bins, the frequent levels of a category, missing values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BINS = 5  # of a number with more distinct values
LEVELS = 12  # of a category, the most frequent; rarer ones are in no cell
NOWHERE = -1


@dataclass(frozen=True)
class Cells:
    """A feature cut into cells: `words` say each, `codes` [N] are the cell of each row, -1 for none."""

    feature: str
    words: tuple[str, ...]
    codes: NDArray[np.intp]


def cells_of(frame: pd.DataFrame, by: pd.DataFrame) -> Iterator[Cells]:
    """The cells of each column of `frame` [N]; edges and levels are those of the rows `by`. One cell is not a cut."""
    for name in frame:
        its = _number if pd.api.types.is_numeric_dtype(frame[name].dtype) else _category
        cells = its(str(name), frame[name].to_numpy(), by[name].to_numpy())
        if len(cells.words) > 1:
            yield cells


def _number(name: str, column: NDArray[Any], by: NDArray[Any]) -> Cells:
    values, known = column.astype(np.float64), by.astype(np.float64)
    known = known[~np.isnan(known)]
    distinct = np.unique(known)
    missing = np.isnan(values)
    if len(distinct) <= BINS:
        place = np.minimum(np.searchsorted(distinct, values), max(len(distinct) - 1, 0))
        is_there = len(distinct) > 0 and distinct[place] == values
        codes = np.where(missing, len(distinct), np.where(is_there, place, NOWHERE))
        words = [f"{name} is {value:g}" for value in distinct]
    else:
        edges = _edges(known, distinct)
        codes = np.where(missing, len(edges) + 1, np.searchsorted(edges, values, side="right"))
        words = list(_between(name, edges))
    return Cells(name, (*words, f"{name} is missing"), codes)


def _edges(known: NDArray[np.float64], distinct: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inner edges of BINS bins of about as many rows; where most rows have the lowest value, of those above it."""
    shares = np.linspace(0, 1, BINS + 1)[1:-1]
    edges: NDArray[np.float64] = np.unique(np.quantile(known, shares, method="higher"))
    edges = edges[edges > distinct[0]]
    if len(edges) > 1:
        return np.asarray(edges)
    above = known[known > distinct[0]]
    return np.asarray(np.unique(np.concatenate([distinct[1:2], np.quantile(above, shares, method="higher")])))


def _between(name: str, edges: Sequence[float] | NDArray[np.float64]) -> Iterator[str]:
    yield f"{name} below {edges[0]:.6g}"
    yield from (f"{name} {low:.6g} to below {high:.6g}" for low, high in pairwise(edges))
    yield f"{name} {edges[-1]:.6g} and above"


def _category(name: str, column: NDArray[Any], by: NDArray[Any]) -> Cells:
    levels = [str(level) for level in pd.Series(by).value_counts().index[:LEVELS]]
    place = {level: code for code, level in enumerate(levels)}
    coded, distinct = pd.factorize(column)
    of_distinct = np.array([place.get(str(level), NOWHERE) for level in distinct] + [len(levels)], dtype=np.intp)
    return Cells(name, (*(f"{name} is {level}" for level in levels), f"{name} is missing"), of_distinct[coded])
