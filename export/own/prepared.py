"""Prepared matrix of an own pipeline: the fitted preparation, asked for some columns."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from export.own.trace import Column

MISSING = -1  # the code of a missing value


@dataclass(frozen=True)
class Preparation:
    """The fitted steps in front of one booster or several, and where each column of their matrix comes from."""

    steps: tuple[tuple[str, Any], ...]
    columns: tuple[Column, ...]
    boosters: tuple[int, ...]
    """Positions of the boosters that read the matrix."""

    def matrix(self, rows: Any) -> Any:
        """The matrix as the boosters get it: array, DataFrame or sparse matrix."""
        for _, step in self.steps:
            rows = step.transform(rows)
        return rows


@contextmanager
def unheard() -> Iterator[None]:
    """Suppress a pipeline's warnings about made-up rows (unseen levels, logarithms of zero)."""
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


def _float32(column: "pd.Series[Any]") -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return column.to_numpy(dtype=np.float64, na_value=np.nan).astype(np.float32)


def codes(values: NDArray[np.float32], thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """Number of ascending thresholds at or below each value, which is all that splits see. MISSING for NaN."""
    return np.where(np.isnan(values), MISSING, np.searchsorted(thresholds, values, side="right"))
