"""Moves between two answers for the same rows: bands or grades before and after."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runtime.grades import Grades
from runtime.score import Bands
from validation.grades import places_of

MOST_ACROSS = 6  # classes whose counts of millions fit across A4 in a wide font
MOST_PAIRS = 400

Places = NDArray[np.intp]


@dataclass(frozen=True)
class Moves:
    """Counts [K, K] of rows by class before (rows) and after (columns), the riskiest class first."""

    labels: tuple[str, ...]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, labels: Sequence[str], before: Places, after: Places) -> "Moves":
        """Count moves between places [N] of the same rows; classes that are empty before and after are left out."""
        size = len(labels)
        counts = np.bincount(before * size + after, minlength=size**2).reshape(size, size)
        kept = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1)).tolist()
        return cls(tuple(labels[k] for k in kept), counts[np.ix_(kept, kept)])

    @classmethod
    def of_bands(cls, edges: Sequence[float], before: NDArray[np.float64], after: NDArray[np.float64]) -> "Moves":
        """Count moves of scores [N] before and after."""
        bands = Bands(edges)
        return cls.of(bands.labels, *(np.searchsorted(bands.ends, its, side="right") for its in (before, after)))

    @classmethod
    def of_grades(cls, grades: Grades, before: NDArray[np.float64], after: NDArray[np.float64]) -> "Moves":
        """Count moves of probabilities [N] before and after."""
        last = len(grades.names) - 1
        return cls.of(grades.names[::-1], *(last - places_of(grades, its) for its in (before, after)))

    @property
    def moved(self) -> float:
        """The share of the rows that are in another class after."""
        return float(1 - np.trace(self.counts) / self.counts.sum())

    @property
    def riskier(self) -> float:
        """The share that is in a riskier class after."""
        return float(np.tril(self.counts, -1).sum() / self.counts.sum())

    @property
    def is_wide(self) -> bool:
        """True where a matrix of the classes is wider than a page."""
        return len(self.labels) > MOST_ACROSS

    def as_frame(self, heading: str) -> pd.DataFrame:
        """A row a class before, a column a class after, and the sum before; of more than fit a page, a row a pair.

        Of pairs the largest come first, at most MOST_PAIRS.
        """
        if self.is_wide:
            return self._pairs()
        columns = {label: self.counts[:, k] for k, label in enumerate(self.labels)}
        return pd.DataFrame({heading: self._named(range(len(self.labels))), **columns, "All": self.counts.sum(axis=1)})

    def _pairs(self) -> pd.DataFrame:
        before, after = np.nonzero(self.counts)
        rows = self.counts[before, after]
        order = np.argsort(-rows, kind="stable")[:MOST_PAIRS]
        return pd.DataFrame(
            {
                "Before": self._named(before[order]),
                "After": self._named(after[order]),
                "Rows": rows[order],
                "Of those before, %": 100 * rows[order] / self.counts.sum(axis=1)[before[order]],
            }
        )

    def _named(self, places: Iterable[int]) -> "pd.Categorical[str]":
        return pd.Categorical([self.labels[k] for k in places], self.labels, ordered=True)
