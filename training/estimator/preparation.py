"""From raw columns to the float32 matrix that the boosters read.

The serving graph does the same arithmetic, so every rule here is one that a graph can repeat bit for bit.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from table.columns import MISSING_CATEGORY, strings


class Preparation(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Raw columns in, one float32 matrix out, NaN for missing.

    Parameters
    ----------
    numbers : names of the number and boolean columns, in the order in which requests carry them.
        A boolean is 0 or 1, null is NaN.
    categories : name of each string column and its vocabulary; an empty one is learnt when fitting (sorted).
    log1p : those of `numbers` that are replaced by log(1 + x). At and below -1 it is minus infinity.
    row_max : new column and the `numbers` whose row maximum replaces them. Missing values (and minus infinity)
        are skipped; where nothing is left the maximum is missing.

    The matrix holds the numbers that are in no group, then the row maxima, then one 0/1 indicator for each level
    of each category. A missing category and one that is not in the vocabulary have all indicators at 0.

    Every number is rounded to float32 before anything else, because that is what XGBoost compares. It also makes
    each step monotone on the same set of numbers, so that `log1p` can be moved into the thresholds at export.
    """

    def __init__(
        self,
        numbers: Sequence[str] = (),
        categories: Mapping[str, Sequence[str]] | None = None,
        log1p: Sequence[str] = (),
        row_max: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.numbers = numbers
        self.categories = categories
        self.log1p = log1p
        self.row_max = row_max

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learns the vocabularies that are not given, from the rows of `X`."""
        self.vocabularies_: dict[str, list[str]] = {}
        for name, levels in (self.categories or {}).items():
            seen = sorted(set(strings(X[name])) - {MISSING_CATEGORY})
            self.vocabularies_[name] = list(levels) or seen
        grouped = {name for members in (self.row_max or {}).values() for name in members}
        self.single_ = [name for name in self.numbers if name not in grouped]
        self.n_features_in_ = len(self.numbers) + len(self.vocabularies_)
        return self

    def raw_inputs(self, X: pd.DataFrame) -> dict[str, NDArray[Any]]:
        """The inputs of the serving graph: `numbers` float64 [N, n] and, if there are any, `categories` [N, c]."""
        check_is_fitted(self)
        numbers = np.empty((len(X), len(self.numbers)))
        for column, name in enumerate(self.numbers):
            numbers[:, column] = X[name].to_numpy(dtype=np.float64, na_value=np.nan)
        inputs: dict[str, NDArray[Any]] = {"numbers": numbers}
        if self.vocabularies_:
            inputs["categories"] = np.column_stack([strings(X[name]) for name in self.vocabularies_])
        return inputs

    def frame(self, inputs: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
        """The DataFrame of raw columns that `raw_inputs` makes `inputs` from; booleans as 0, 1 and NaN."""
        columns: dict[str, NDArray[Any]] = {}
        for i, name in enumerate(self.numbers):
            columns[name] = inputs["numbers"][:, i]
        for i, name in enumerate(self.vocabularies_):
            columns[name] = inputs["categories"][:, i]
        return pd.DataFrame(columns)

    def transform(self, X: pd.DataFrame) -> NDArray[np.float32]:
        """The float32 matrix [N, m] for a DataFrame that holds the raw columns by name."""
        inputs = self.raw_inputs(X)
        blocks: list[NDArray[np.float32]] = []
        if self.numbers:
            with np.errstate(over="ignore"):  # beyond float32 a number is infinite, in XGBoost as in the graph
                numbers = inputs["numbers"].astype(np.float32)
            column = {name: numbers[:, i] for i, name in enumerate(self.numbers)}
            logged = set(self.log1p)
            singles = [log1p(column[name]) if name in logged else column[name] for name in self.single_]
            maxima = [
                row_maximum(np.column_stack([column[name] for name in members]))
                for members in (self.row_max or {}).values()
            ]
            blocks.append(np.column_stack(singles + maxima))
        for i, levels in enumerate(self.vocabularies_.values()):
            codes = pd.Index(levels, dtype=object).get_indexer(pd.Index(inputs["categories"][:, i], dtype=object))
            indicators = np.eye(len(levels) + 1, len(levels), dtype=np.float32)  # the last row is all zeros
            blocks.append(indicators[codes])
        return np.ascontiguousarray(np.hstack(blocks))

    def raw_columns(self) -> tuple[list[list[int]], list[tuple[int, str]]]:
        """Which raw columns stand behind each column of the matrix.

        For the numbers and then the row maxima: positions in `numbers`, several for a maximum. For the indicators that
        follow: (position in `categories`, level).
        """
        check_is_fitted(self)
        position = {name: i for i, name in enumerate(self.numbers)}
        members = [[position[name]] for name in self.single_]
        members += [[position[name] for name in names] for names in (self.row_max or {}).values()]
        indicators = [(i, level) for i, levels in enumerate(self.vocabularies_.values()) for level in levels]
        return members, indicators

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """A name for each column of the matrix; an indicator is `column=level`."""
        check_is_fitted(self)
        names = [f"log1p({name})" if name in set(self.log1p) else name for name in self.single_]
        names += list(self.row_max or {})
        names += [f"{name}={level}" for name, levels in self.vocabularies_.items() for level in levels]
        return np.asarray(names, dtype=object)


def log1p(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """log(1 + x) rounded to float32, continued to the left: minus infinity at and below -1. NaN stays NaN."""
    with np.errstate(divide="ignore"):
        return np.log1p(np.maximum(x, np.float32(-1)).astype(np.float64)).astype(np.float32)


def row_maximum(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The maximum of each row of [N, k], missing values and minus infinity skipped; NaN where nothing is left."""
    largest = np.where(np.isnan(x), np.float32("-inf"), x).max(axis=1)
    return np.where(np.isneginf(largest), np.float32("nan"), largest)
