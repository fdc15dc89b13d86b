"""`missing` of an XGBClassifier that is a number: one more step in front of it makes NaN of that number."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from xgboost import XGBClassifier

from export.refusal import ExportRefused


class MarkedMissing:
    """Makes NaN of the cells that hold a number, compared in float32 as XGBoost compares; other NaN stay.

    An absent entry of a sparse matrix stays absent, which is missing too. Categories of a DataFrame stay as they are.
    """

    def __init__(self, number: np.float32, width: int) -> None:
        self.number, self.n_features_in_ = number, width

    @property
    def points(self) -> tuple[float, ...]:
        """The lowest and the highest float64 that rounds to the number."""
        return tuple(float(self._end(np.float32(way))) for way in (-np.inf, np.inf))

    def transform(self, matrix: Any) -> Any:
        """The same rows [N, n], in the same form."""
        if sparse.issparse(matrix):
            marked = sparse.csr_array(matrix, dtype=np.float32, copy=True)
            marked.data = self._marked(marked.data)
            return marked
        if isinstance(matrix, pd.DataFrame):
            plain = [not isinstance(dtype, pd.CategoricalDtype) for dtype in matrix.dtypes]
            return pd.DataFrame(
                {
                    place: self._marked(column.to_numpy(dtype=np.float64, na_value=np.nan)) if its else column
                    for place, (its, (_, column)) in enumerate(zip(plain, matrix.items(), strict=True))
                },
                index=matrix.index,
            ).set_axis(matrix.columns, axis=1)
        return self._marked(np.asarray(matrix))

    def _marked(self, values: NDArray[Any]) -> NDArray[np.float32]:
        with np.errstate(over="ignore"):
            seen = values.astype(np.float32)
        return np.where(seen == self.number, np.float32(np.nan), seen)

    def _end(self, way: np.float32) -> float:
        beside = float(np.nextafter(self.number, way))
        middle = (float(self.number) + beside) / 2
        return middle if np.float32(middle) == self.number else math.nextafter(middle, float(self.number))


def marked_steps(booster: XGBClassifier) -> tuple[tuple[str, MarkedMissing], ...]:
    """The step in front of a booster, with its name; none where `missing` is NaN, as usual.

    Raises ExportRefused for a number that no float32 holds.
    """
    missing = booster.missing
    if missing is None or math.isnan(missing):
        return ()
    with np.errstate(over="ignore"):
        number = np.float32(missing)
    if not np.isfinite(number):
        raise ExportRefused(f"missing={missing!r} of XGBClassifier is not supported: replace it by NaN and fit again")
    return (("missing of XGBClassifier", _shared(number, booster.n_features_in_)),)


@lru_cache(maxsize=64)
def _shared(number: np.float32, width: int) -> MarkedMissing:
    """One object for all boosters of a calibrated model, which so share their preparation."""
    return MarkedMissing(number, width)
