"""From raw columns to the float32 matrix that the boosters read.

The serving graph does the same arithmetic, so every rule here is one that a graph can repeat bit for bit.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from table.columns import MISSING_CATEGORY, strings

POOL = None  # a level that stands for all that are not distinguished
POOL_NAME = "(rare)"


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

    rare : name of each string column whose rare levels are pooled, and the fewest training rows of a level that is
        not rare. A given vocabulary is the user's choice and stays as it is.

    The matrix holds the numbers that are in no group, then the row maxima, then the 0/1 indicators of each category:
    one for each level that is not pooled, and last that of the pool, if there is one. A pool has two levels or more;
    one rare level alone keeps its own indicator. A level that training has not seen is as rare as can be and goes
    to the pool too; where a category has no pool all of its indicators are then at 0, as for a missing one.

    Every number is rounded to float32 before anything else, because that is what XGBoost compares. It also makes
    each step monotone on the same set of numbers, so that `log1p` can be moved into the thresholds at export.

    """

    def __init__(
        self,
        numbers: Sequence[str] = (),
        categories: Mapping[str, Sequence[str]] | None = None,
        log1p: Sequence[str] = (),
        row_max: Mapping[str, Sequence[str]] | None = None,
        rare: Mapping[str, int] | None = None,
    ) -> None:
        self.numbers = numbers
        self.categories = categories
        self.log1p = log1p
        self.row_max = row_max
        self.rare = rare

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read preparations that were saved before there were pools, too."""
        fitted: dict[str, Any] = {"pools_": {}} if "vocabularies_" in state else {}
        super().__setstate__({"rare": None, **fitted, **state})

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the vocabularies that are not given, and the pools, from the rows of `X`."""
        return self.fit_levels({name: levels_of(X[name]) for name in self.learnt_categories()})

    def learnt_categories(self) -> list[str]:
        """The categories whose vocabulary is not given."""
        return [name for name, levels in (self.categories or {}).items() if not levels]

    def fit_levels(self, counts: Mapping[str, Mapping[str, int]]) -> Self:
        """Learn vocabularies and pools from the number of training rows with each level of `learnt_categories`."""
        self.vocabularies_: dict[str, list[str]] = {}
        self.pools_: dict[str, list[str]] = {}
        for name, levels in (self.categories or {}).items():
            if levels:
                self.vocabularies_[name] = list(levels)
                continue
            self.vocabularies_[name] = sorted(counts[name])
            fewest = (self.rare or {}).get(name, 1)
            pooled = [level for level in self.vocabularies_[name] if counts[name][level] < fewest]
            if len(pooled) > 1:
                self.pools_[name] = pooled
        grouped = {name for members in (self.row_max or {}).values() for name in members}
        self.single_ = [name for name in self.numbers if name not in grouped]
        self.n_features_in_ = len(self.numbers) + len(self.vocabularies_)
        return self

    def raw_inputs(self, X: pd.DataFrame) -> dict[str, NDArray[Any]]:
        """The inputs of the serving graph: `numbers` float64 [N, n] and, if there are any, `categories` [N, c]."""
        check_is_fitted(self)
        numbers = np.empty((len(X), len(self.numbers)))
        for column, name in enumerate(self.numbers):
            numbers[:, column] = _float64(X[name])
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
        """The float32 matrix [N, m] for a DataFrame that holds the raw columns by name.

        Nothing else of its size is made on the way.
        """
        check_is_fitted(self)
        logged = set(self.log1p)
        groups = list((self.row_max or {}).values())
        indicators = self.indicators()
        before = len(self.single_) + len(groups)
        matrix = np.zeros((len(X), self.width), dtype=np.float32)
        for i, name in enumerate(self.single_):
            matrix[:, i] = log1p(_float32(X[name])) if name in logged else _float32(X[name])
        for i, members in enumerate(groups, len(self.single_)):
            matrix[:, i] = row_maximum(np.column_stack([_float32(X[name]) for name in members]))
        for name, levels in indicators.items():
            places = self._places(name, strings(X[name]), levels)
            present = np.flatnonzero(places >= 0)
            matrix[present, before + places[present]] = 1
            before += len(levels)
        return matrix

    def _places(self, name: str, column: NDArray[np.object_], levels: Sequence[str | None]) -> NDArray[np.intp]:
        """Which of its `levels` each value [N] of a category has, -1 for none."""
        own = pd.Index([level for level in levels if level is not POOL], dtype=object)
        places = np.asarray(own.get_indexer(pd.Index(column, dtype=object)))
        if name in self.pools_:
            places[(places < 0) & (column != MISSING_CATEGORY)] = len(own)
        return places

    @property
    def width(self) -> int:
        """Number of columns of the matrix."""
        indicators = sum(map(len, self.indicators().values()))
        return len(self.single_) + len(self.row_max or {}) + indicators

    def indicators(self) -> dict[str, list[str | None]]:
        """The levels that have an indicator, by category and in order; POOL, the last, stands for all others."""
        check_is_fitted(self)
        found: dict[str, list[str | None]] = {}
        for name, levels in self.vocabularies_.items():
            pool = set(self.pools_.get(name, ()))
            found[name] = [level for level in levels if level not in pool]
            if pool:
                found[name].append(POOL)
        return found

    def raw_columns(self) -> tuple[list[list[int]], list[tuple[int, str | None]]]:
        """The raw columns behind each column of the matrix.

        For the numbers and then the row maxima: positions in `numbers`, several for a maximum. For the indicators that
        follow: (position in `categories`, level), with POOL for the level of a pool.
        """
        check_is_fitted(self)
        position = {name: i for i, name in enumerate(self.numbers)}
        members = [[position[name]] for name in self.single_]
        members += [[position[name] for name in names] for names in (self.row_max or {}).values()]
        indicators = [(i, level) for i, levels in enumerate(self.indicators().values()) for level in levels]
        return members, indicators

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """A name for each column of the matrix; an indicator is `column=level`, of a pool `column=(rare)`."""
        check_is_fitted(self)
        names = [f"log1p({name})" if name in set(self.log1p) else name for name in self.single_]
        names += list(self.row_max or {})
        for name, levels in self.indicators().items():
            names += [f"{name}={POOL_NAME if level is POOL else level}" for level in levels]
        return np.asarray(names, dtype=object)


def levels_of(column: "pd.Series[Any]") -> Counter[str]:
    """Number of rows with each level of a category, without missing ones."""
    counts = Counter(strings(column).tolist())
    counts.pop(MISSING_CATEGORY, None)
    return counts


def _float64(column: "pd.Series[Any]") -> NDArray[np.float64]:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _float32(column: "pd.Series[Any]") -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # beyond float32 a number is infinite, in XGBoost as in the graph
        return _float64(column).astype(np.float32)


def log1p(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """log(1 + x) rounded to float32, continued to the left: minus infinity at and below -1. NaN stays NaN."""
    with np.errstate(divide="ignore"):
        return np.log1p(np.maximum(x, np.float32(-1)).astype(np.float64)).astype(np.float32)


def row_maximum(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The maximum of each row of [N, k], missing values and minus infinity skipped; NaN where nothing is left."""
    largest = np.where(np.isnan(x), np.float32("-inf"), x).max(axis=1)
    return np.where(np.isneginf(largest), np.float32("nan"), largest)
