"""Any number of rows counted into the bins of the training rows, piece by piece, by period; and what is unusual."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runtime.manifest import Feature
from validation.stability.bins import Bins

EXAMPLES = 5
MOST_LEVELS = 10_000  # unseen levels of a category that are counted one by one


class Tallies:
    """Counts [periods + 1, bins] of each feature of the reference, the last row of what has no period.

    Sums of weights beside them where there are any.
    """

    def __init__(self, reference: Mapping[str, Any], features: Sequence[Feature], periods: int) -> None:
        self._bins = {name: Bins.of(entry) for name, entry in reference["features"].items()}
        self._features = features
        self._periods = periods
        self.counts = {name: np.zeros((periods + 1, len(bins))) for name, bins in self._bins.items()}
        self.weights: dict[str, NDArray[np.float64]] | None = None
        self._unusual = {feature.name: _Unusual(feature) for feature in features}

    def add(
        self, frame: pd.DataFrame, period: NDArray[np.int32] | None = None, weight: NDArray[np.float64] | None = None
    ) -> None:
        """Count the rows of `frame` [N]; `period` [N] is -1 for none, `weight` [N] are their weights."""
        rows = self._periods if period is None else np.where(period < 0, self._periods, period)
        for name, bins in self._bins.items():
            column = frame[name].to_numpy()
            place = rows * len(bins) + bins.places(column)
            self.counts[name] += self._sums(place, bins, None)
            if weight is not None:
                if self.weights is None:
                    self.weights = {name: np.zeros_like(counts) for name, counts in self.counts.items()}
                self.weights[name] += self._sums(place, bins, weight)
            self._unusual[name].add(frame[name])

    def counted(self, period: int | None = None) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64] | None]]:
        """The counts and sums of weights of each feature, of a period or of all rows."""
        rows = slice(None) if period is None else slice(period, period + 1)

        def of(table: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(table[rows].sum(axis=0), dtype=np.float64)

        return {
            name: (of(counts).astype(np.int64), None if self.weights is None else of(self.weights[name]))
            for name, counts in self.counts.items()
        }

    def unusual(self, reference: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The shares of missing and unseen values, 0 to 1, by feature.

        `missing` stands beside `missing_in_training`. `unseen` values are in no level of the vocabulary, or outside of
        the training rows' range; `examples` are the most frequent unseen levels, or the lowest and the highest number
        out of range.
        """
        return {
            name: {
                "missing": its.missing / its.rows,
                "missing_in_training": reference["features"][name]["counts"][-1] / reference["rows"],
                "unseen": its.unseen / its.rows,
                "examples": its.examples(),
            }
            for name, its in self._unusual.items()
        }

    def _sums(self, place: NDArray[Any], bins: Bins, weight: NDArray[np.float64] | None) -> NDArray[np.float64]:
        size = (self._periods + 1) * len(bins)
        return np.bincount(place, weights=weight, minlength=size).reshape(-1, len(bins)).astype(np.float64)


class _Unusual:
    """Values of one feature that the training rows did not have."""

    def __init__(self, feature: Feature) -> None:
        self._feature = feature
        self._vocabulary = frozenset(feature.vocabulary)
        self._levels: Counter[str] = Counter()
        self._ends: list[float] = []
        self.rows = self.missing = self.unseen = 0

    def add(self, column: "pd.Series[Any]") -> None:
        self.rows += len(column)
        self.missing += int(column.isna().sum())
        if self._feature.type == "category":
            counts = column.value_counts()
            for level, count in counts[~counts.index.isin(self._vocabulary)].items():
                self.unseen += int(count)
                if level in self._levels or len(self._levels) < MOST_LEVELS:
                    self._levels[str(level)] += int(count)
        elif self._feature.type == "number":
            low, high = self._feature.range or (np.inf, -np.inf)
            beyond = column[(column < low) | (column > high)]
            if len(beyond):
                self.unseen += len(beyond)
                self._ends = [min([float(beyond.min()), *self._ends]), max([float(beyond.max()), *self._ends])]

    def examples(self) -> list[Any]:
        if self._feature.type == "category":
            return [level for level, _ in self._levels.most_common(EXAMPLES)]
        low, high = self._feature.range or (np.inf, -np.inf)
        return sorted({end for end in self._ends if not low <= end <= high})
