"""What the boosters of somebody's pipeline are given: the fitted preparation, asked for some columns of its matrix."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from export.own.trace import Column
from trees.levels import LevelSet

MISSING = -1  # the code of a missing value


@dataclass(frozen=True)
class Preparation:
    """The fitted steps in front of one booster or several, and where each column of their matrix comes from."""

    steps: tuple[tuple[str, Any], ...]
    columns: tuple[Column, ...]
    boosters: tuple[int, ...]
    """Positions of the boosters that read the matrix."""
    known: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """By column of the matrix that is a category of a DataFrame: the levels that the boosters know."""

    def matrix(self, rows: Any) -> Any:
        """The matrix as the boosters get it: array, DataFrame or sparse matrix."""
        for _, step in self.steps:
            rows = step.transform(rows)
        return rows

    def seen(self, matrix: Any, columns: Sequence[int]) -> NDArray[np.float32]:
        """Columns of the matrix as splits see them; of a set of levels 1 inside of it, 0 outside and NaN for missing.

        Raises ValueError, as XGBoost does, for a DataFrame whose categories are not all known to the boosters.
        """
        for column, known in self.known.items():
            if strange := sorted(set(map(str, matrix.iloc[:, column].cat.categories)) - known):
                raise ValueError(f"Found a category not in the training set: {strange[0]!r}")
        sets = {place: its for place, j in enumerate(columns) if (its := self.columns[j].levels) is not None}
        plain = [place for place in range(len(columns)) if place not in sets]
        found = np.empty((matrix.shape[0], len(columns)), dtype=np.float32)
        if plain:
            found[:, plain] = as_seen(matrix, [columns[place] for place in plain])
        for place, its in sets.items():
            found[:, place] = _inside(matrix, its)
        return found


@contextmanager
def unheard() -> Iterator[None]:
    """What a pipeline warns of when it is asked for made-up rows (unseen levels, logarithms of zero) is not said."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def as_seen(matrix: Any, columns: Sequence[int]) -> NDArray[np.float32]:
    """Columns of a matrix as XGBoost reads them: float32, and NaN where a sparse matrix has no entry.

    An entry that is stored is a value, zero too; where nothing is stored the value is missing, not zero.
    """
    if sparse.issparse(matrix):
        chosen = sparse.coo_array(sparse.csc_array(matrix)[:, list(columns)])
        seen = np.full(chosen.shape, np.nan, dtype=np.float32)
        with np.errstate(over="ignore"):
            seen[chosen.coords[0], chosen.coords[1]] = chosen.data
        return seen
    if isinstance(matrix, pd.DataFrame):
        matrix = matrix.iloc[:, list(columns)]
        return np.column_stack([_float32(matrix.iloc[:, i]) for i in range(matrix.shape[1])])
    with np.errstate(over="ignore"):
        return np.asarray(matrix)[:, list(columns)].astype(np.float32)


def as_coded(matrix: Any, columns: int, texts: Mapping[int, Sequence[str]]) -> NDArray[np.float32]:
    """The first columns of a matrix as the splits of one booster see them, a category by the codes of its `texts`."""
    found = np.empty((matrix.shape[0], columns), dtype=np.float32)
    plain = [j for j in range(columns) if j not in texts]
    if plain:
        found[:, plain] = as_seen(matrix, plain)
    for j, its in texts.items():
        codes_ = matrix.iloc[:, j].cat.set_categories(its).cat.codes.to_numpy()
        found[:, j] = np.where(codes_ < 0, np.nan, codes_)
    return found


def _inside(matrix: Any, levels: LevelSet) -> NDArray[np.float32]:
    if not isinstance(matrix, pd.DataFrame) or not isinstance(matrix.dtypes.iloc[levels.column], pd.CategoricalDtype):
        return levels.of_codes(as_seen(matrix, [levels.column])[:, 0])
    column = matrix.iloc[:, levels.column].cat
    of_level = [*(float(level in levels.inside) for level in column.categories), np.nan]
    return np.array(of_level, dtype=np.float32)[column.codes.to_numpy()]


def _float32(column: "pd.Series[Any]") -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return column.to_numpy(dtype=np.float64, na_value=np.nan).astype(np.float32)


def codes(values: NDArray[np.float32], thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """How many of the ascending thresholds are at or below each value: all that splits see of it. MISSING for NaN."""
    return np.where(np.isnan(values), MISSING, np.searchsorted(thresholds, values, side="right"))
