"""Scores and bands of many probabilities, equal to those of the runtime to the last bit."""

import math
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from runtime.manifest import Manifest
from runtime.score import Bands, Scale


def scores(scale: Scale, probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """`Scale.score` of each probability [N].

    numpy's logarithm may differ from the C library's in the last bit, so that alone is Python's; the four other
    operations are those of Scale.scores in its order. Raises ValueError for what is no probability.
    """
    if not ((probability >= 0.0) & (probability <= 1.0)).all():
        raise ValueError("probability of default: expected numbers from 0 to 1")
    clipped = np.clip(probability, *scale.probability_limits)
    odds = (1 - clipped) / clipped / scale.odds
    logarithms = np.fromiter(map(math.log, odds.tolist()), np.float64, len(odds))
    factor = scale.points_to_double / math.log(2)
    return scale.points + factor * logarithms


class Places:
    """The band of each score, the grade of each probability, and the score's bin among those of the training scores."""

    def __init__(self, manifest: Manifest) -> None:
        bands = Bands(manifest.bands)
        self.labels = bands.labels
        self._ends = np.array(bands.ends)
        self.names = [] if manifest.grades is None else manifest.grades.names
        self._limits = None if manifest.grades is None else np.array(manifest.grades.limits)
        reference = manifest.document.get("reference")
        entry = reference.get("score") if isinstance(reference, dict) else None
        self._edges = np.array(entry["edges"] if isinstance(entry, dict) else [], dtype=np.float64)

    @property
    def bins(self) -> int:
        """Intervals of the score; a bin for missing comes after them and stays empty."""
        return len(self._edges) + 1

    def bands(self, score: NDArray[np.float64]) -> NDArray[np.intp]:
        """Positions among `labels` [N]."""
        return np.searchsorted(self._ends, score, side="right")

    def grades(self, probability: NDArray[np.float64]) -> NDArray[np.intp] | None:
        """Positions among `names` [N]; None for a model without grades."""
        return None if self._limits is None else np.searchsorted(self._limits, probability, side="right")

    def counts(self, score: NDArray[np.float64]) -> list[int]:
        """Number of scores in each bin, missing last."""
        counted = np.bincount(np.searchsorted(self._edges, score, side="right"), minlength=self.bins)
        return list(chain(counted.tolist(), [0]))
