"""The mean contribution of each feature to the score, in points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Contributions:
    """Contribution of each feature to the margin of N rows, in log-odds; with `base` they add up to the margin."""

    features: Sequence[str]
    margin: NDArray[np.float64]  # [N, features]
    base: NDArray[np.float64]  # [N]


def importance(contributions: Contributions, score: NDArray[np.float64]) -> pd.DataFrame:
    """Feature, mean absolute contribution to the score in points, and its share of all in %; the largest first.

    `score` [N] is that of the same rows. Points are margin times the slope of the score along it: the same for
    everybody where one sigmoid or nothing calibrates the margin, elsewhere that of a straight line through the rows.
    """
    slope = _slope(contributions.margin.sum(axis=1) + contributions.base, score)
    mean = np.abs(contributions.margin * slope).mean(axis=0)
    order = np.argsort(-mean, kind="stable")
    total = mean.sum() or 1.0
    names = [contributions.features[i] for i in order]
    return pd.DataFrame({"Feature": names, "Mean points": mean[order], "Share": 100 * mean[order] / total})


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The slope of the straight line through points; 0 where all have the same x."""
    deviation = x - x.mean()
    return float(deviation @ y / (deviation @ deviation)) if deviation.any() else 0.0
