"""Applicants from the riskiest to the safest: what ROC, precision-recall, KS and gains curves are drawn from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from validation.evidence import Answered

POINTS_ON_A_CURVE = 200


@dataclass(frozen=True)
class Ranking:
    """For each threshold [k], riskiest first and starting above everybody: shares of those at or above it."""

    repaid: NDArray[np.float64]
    """Of all who repaid: the false positive rate."""
    defaulted: NDArray[np.float64]
    """Of all who defaulted: the true positive rate."""
    threshold: NDArray[np.float64]
    """Probability of default, infinite at first."""
    rate: float
    """The default rate of all."""

    @property
    def everybody(self) -> NDArray[np.float64]:
        """Share of all applicants."""
        return self.rate * self.defaulted + (1 - self.rate) * self.repaid

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of defaults among those at or above the threshold; NaN where there is nobody."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.rate * self.defaulted / self.everybody)

    def found(self, share: float) -> float:
        """The share of the defaulted among so large a share of everybody, the riskiest; of equals a part of them."""
        return float(np.interp(share, self.everybody, self.defaulted))


def ranking(part: Answered) -> Ranking:
    """Sorts the applicants of a part, once for all curves."""
    repaid, defaulted, threshold = roc_curve(
        part.target, part.probability, drop_intermediate=False, sample_weight=part.weight
    )
    return Ranking(repaid, defaulted, threshold, float(np.average(part.target, weights=part.weight)))


def thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points [at most 200] at even distances along a curve [k]: the smallest file that looks the same."""
    spans = (np.ptp(x) or 1.0, np.ptp(y) or 1.0)
    length = np.concatenate([[0.0], np.hypot(np.diff(x) / spans[0], np.diff(y) / spans[1]).cumsum()])
    kept = np.unique(np.searchsorted(length, np.linspace(0, length[-1], POINTS_ON_A_CURVE)).clip(0, len(x) - 1))
    return x[kept], y[kept]
