"""The area under the ROC curve with the variance of DeLong, DeLong and Clarke-Pearson (1988, doi:10.2307/2531595)."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from validation.calibration import CONFIDENCE
from validation.weights import effective_size, masses

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Area:
    """An area under the ROC curve and the variance of its estimate, NaN where a class has one row."""

    value: float
    variance: float

    @property
    def interval(self) -> tuple[float, float]:
        """Its confidence bounds on the scale of log-odds, which stay within 0 and 1; NaN where there are none."""
        if not 0 < self.value < 1 or not np.isfinite(self.variance):
            return float("nan"), float("nan")
        error = np.sqrt(self.variance) / (self.value * (1 - self.value))
        half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * error
        return float(expit(logit(self.value) - half)), float(expit(logit(self.value) + half))


def area(target: NDArray[Any], probability: Floats, weight: Floats | None = None) -> Area:
    """Of probabilities [N] of default against a 0/1 target [N] that has both values, with weights [N]; ties count ½.

    The placements of defaults among the others, and of the others among defaults, have sample variances; with weights
    those of weighted means. Time is that of a sort.
    """
    w, bad = masses(weight, len(target)), target == 1
    values, place = np.unique(probability, return_inverse=True)
    of_bad, of_good = (np.bincount(place[its], w[its], len(values)) for its in (bad, ~bad))
    below_good = np.cumsum(of_good) - of_good / 2
    above_bad = of_bad.sum() - np.cumsum(of_bad) + of_bad / 2
    placed_bad = below_good[place[bad]] / of_good.sum()
    placed_good = above_bad[place[~bad]] / of_bad.sum()
    value = float(np.average(placed_bad, weights=w[bad]))
    return Area(value, _of_mean(placed_bad, w[bad], value) + _of_mean(placed_good, w[~bad], value))


def _of_mean(placed: Floats, weight: Floats, mean: float) -> float:
    """The variance of a weighted mean; without weights the sample variance divided by the rows."""
    effective = effective_size(weight)
    if effective <= 1:
        return float("nan")
    spread = float((weight**2 * (placed - mean) ** 2).sum()) / float(weight.sum()) ** 2
    return spread * effective / (effective - 1)
