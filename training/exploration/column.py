"""One feature of the examined rows, counted once for all figures."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from table.settings import Feature, FeatureType
from validation.stability.bins import MOST_BINS, Bins, bins_of, bins_of_counts
from validation.weights import masses

QUANTILES = {
    "min": 0.0,
    "p1": 0.01,
    "p5": 0.05,
    "p25": 0.25,
    "p50": 0.5,
    "p75": 0.75,
    "p95": 0.95,
    "p99": 0.99,
    "max": 1.0,
}
BARS = 24


@dataclass(frozen=True)
class Column:
    """A feature's values with the target.

    `values` [N] are float64 with NaN, or texts with None; `target` [N] is 0 or 1. `distinct` holds the values that are
    present, ascending, and `rows` the number of rows of each; `weight` [N] is 1 each where rows count alike.
    """

    name: str
    kind: FeatureType
    values: NDArray[Any]
    target: NDArray[np.int8]
    missing: NDArray[np.bool_]
    distinct: NDArray[Any]
    rows: NDArray[np.integer[Any]]
    weight: NDArray[np.float64]

    @classmethod
    def of(
        cls, feature: Feature, values: NDArray[Any], target: NDArray[np.int8], weight: NDArray[np.float64] | None = None
    ) -> "Column":
        """Count the distinct values of a feature."""
        missing: NDArray[np.bool_] = pd.isna(values)
        present = values[~missing]
        if feature.type == "category":
            counts = pd.Series(present, dtype=object).value_counts().sort_index()
            distinct, rows = counts.index.to_numpy(dtype=object), counts.to_numpy(dtype=np.int64)
        else:
            distinct, rows = np.unique(present, return_counts=True)
        mass = masses(weight, len(target))
        return cls(feature.name, feature.type, values, target, missing, distinct, rows, mass)

    @cached_property
    def bins(self) -> Bins:
        """Number of applicants in each, whether they defaulted or not."""
        if self.kind == "number":
            return bins_of_counts(self.distinct, self.rows)
        return bins_of(self.values, self.kind)

    @cached_property
    def codes(self) -> NDArray[np.intp]:
        """Each value [N] as a number: 0 is missing, the others by their position in `distinct`, from 1."""
        codes = pd.Index(self.distinct).get_indexer(pd.Index(self.values)) + 1
        return np.where(self.missing, 0, codes)

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """The position among `bins` of each row [N]."""
        return self.bins.places(self.values)

    def by_class(self, places: NDArray[np.intp], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Number of applicants who repaid and who defaulted at each of `count` places; `places` [N] is each one's."""
        total = np.bincount(places, minlength=count)
        defaulted = np.bincount(places[self.target == 1], minlength=count)
        return total - defaulted, defaulted

    def weights_by_class(self, places: NDArray[np.intp], count: int) -> tuple[NDArray[np.float64], ...]:
        """The sums of the weights of those who repaid and who defaulted, as `by_class` has their counts."""
        return tuple(
            np.asarray(np.bincount(places[its], self.weight[its], count), dtype=np.float64)
            for its in (self.target == 0, self.target == 1)
        )

    @cached_property
    def sizes(self) -> NDArray[np.float64]:
        """The sum of the weights of each of `distinct`."""
        return np.asarray(np.bincount(self.codes, self.weight, len(self.distinct) + 1)[1:], dtype=np.float64)

    def quantiles(self) -> dict[str, float] | None:
        """Distinct numbers that are present; None if all are missing, or the column is not a number."""
        if self.kind != "number" or not len(self.distinct):
            return None
        cumulative = self.sizes.cumsum()
        position = np.searchsorted(cumulative, np.array(list(QUANTILES.values())) * cumulative[-1])
        return dict(zip(QUANTILES, self.distinct[position].tolist(), strict=True))

    def distribution(self) -> dict[str, Any]:
        """`values`: each single value (`bin` and `share` of all rows); `histogram` of all other numbers.

        It has `low`, `high` and the `shares` of all rows in equal steps between them: the other numbers' first and last
        percentile, beyond which the outer steps reach. It is None where there are ten numbers or fewer, and for
        booleans and categories: there all others are one value more.
        """
        sizes = np.bincount(self.places, self.weight, len(self.bins))
        measured = self.kind == "number" and len(self.distinct) > MOST_BINS
        shown = zip(self.bins.labels(), sizes[: len(self.bins.values) + (not measured)].tolist(), strict=False)
        total = self.weight.sum()
        values = [{"bin": label, "share": float(size / total)} for label, size in shown if size]
        return {"values": values, "histogram": self._histogram() if measured else None}

    def _histogram(self) -> dict[str, Any]:
        others = ~np.isin(self.distinct, self.bins.values)
        numbers, sizes = self.distinct[others], self.sizes[others]
        cumulative = sizes.cumsum()
        low, high = numbers[np.searchsorted(cumulative, np.array([0.01, 0.99]) * cumulative[-1])].tolist()
        step = np.searchsorted(np.linspace(low, high, BARS + 1)[1:-1], numbers, side="right")
        shares = np.bincount(step, weights=sizes, minlength=BARS) / self.weight.sum()
        return {"low": low, "high": high, "shares": shares.tolist()}
