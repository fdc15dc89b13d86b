"""Who moves between two answers for the same rows: bands or grades before and after."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runtime.grades import Grades
from runtime.score import Bands
from validation.grades import places_of

Places = NDArray[np.intp]


@dataclass(frozen=True)
class Moves:
    """Counts [K, K] of rows by class before (rows) and after (columns), the riskiest class first."""

    labels: tuple[str, ...]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, labels: Sequence[str], before: Places, after: Places) -> "Moves":
        """Of the places [N] of the same rows; classes that nobody is in, before or after, are left out."""
        size = len(labels)
        counts = np.bincount(before * size + after, minlength=size**2).reshape(size, size)
        kept = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1)).tolist()
        return cls(tuple(labels[k] for k in kept), counts[np.ix_(kept, kept)])

    @classmethod
    def of_bands(cls, edges: Sequence[float], before: NDArray[np.float64], after: NDArray[np.float64]) -> "Moves":
        """Of scores [N] before and after."""
        bands = Bands(edges)
        return cls.of(bands.labels, *(np.searchsorted(bands.ends, its, side="right") for its in (before, after)))

    @classmethod
    def of_grades(cls, grades: Grades, before: NDArray[np.float64], after: NDArray[np.float64]) -> "Moves":
        """Of probabilities [N] before and after."""
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

    def as_frame(self, heading: str) -> pd.DataFrame:
        """A row a class before, a column a class after, and the sum before."""
        columns = {label: self.counts[:, k] for k, label in enumerate(self.labels)}
        labels = pd.Categorical(self.labels, self.labels, ordered=True)
        return pd.DataFrame({heading: labels, **columns, "All": self.counts.sum(axis=1)})
