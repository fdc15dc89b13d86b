"""How much less the mean of several boosters spreads than each of them, and margins brought to that spread.

The calibrator can only be fitted on margins of rows that a booster has not seen, and each row is unseen by one booster
alone. Served is the mean of k. What the boosters disagree on is noise: the mean has a k-th of its variance, a single
booster all of it, so a slope fitted on single ones is too flat for the mean, and the answers are too cautious. This is
regression dilution; regression calibration (Rosner, Willett and Spiegelman 1989, doi:10.1002/sim.4780080905) divides
the variance V of single margins by what they share: the best guess at a row's mean margin is the average of all rows
plus λ times its distance from it, with λ = 1 − s² (1 − 1/k) / V, and s² the variance between boosters.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xgboost import XGBClassifier

from training.estimator.boosting import margin

FEWEST_BOOSTERS = 3  # of two, only one has seen a row, so that no two can be compared on it
# Where λ would be smaller the boosters are mostly noise, and so is the slope, which dividing by λ would magnify.
SMALLEST = 0.75
MOST_ROWS = 20_000  # that boosters are compared on

Weight = NDArray[np.float64] | None


def spread_of_mean(
    boosters: Sequence[XGBClassifier],
    X: NDArray[np.float32],
    unseen: Sequence[NDArray[np.intp]],
    out_of_fold: NDArray[np.float64],
    weight: Weight = None,
) -> float:
    """Estimated λ, SMALLEST to 1, of k boosters fitted on all rows of `X` [N, m] but `unseen[i]`; 1 for two boosters.

    s² is taken from the k − 1 boosters that have seen a row. They share what they learnt of it, so their differences
    are those that they have on new rows, or smaller: measured in docs/decisions/0011-the-spread-of-means.md.
    """
    count = len(boosters)
    variance = float(np.average((out_of_fold - _mean(out_of_fold, weight)) ** 2, weights=weight))
    if count < FEWEST_BOOSTERS or variance == 0:
        return 1.0
    step = -(-len(X) // MOST_ROWS)
    between, mass = [], []
    for place, rows in enumerate(unseen):
        some = rows[::step]
        others = [margin(each, X[some]).astype(np.float64) for at, each in enumerate(boosters) if at != place]
        between.append(np.var(others, axis=0, ddof=1))
        mass.append(np.ones(len(some)) if weight is None else weight[some])
    noise = float(np.average(np.concatenate(between), weights=np.concatenate(mass)))
    return max(1 - noise * (1 - 1 / count) / variance, SMALLEST)


def brought_to(spread: float, margins: NDArray[np.float64], weight: Weight = None) -> NDArray[np.float64]:
    """Margins [N] whose distances from their mean are `spread` times as large."""
    centre = _mean(margins, weight)
    return centre + spread * (margins - centre)


def _mean(margins: NDArray[np.float64], weight: Weight) -> float:
    return float(np.average(margins, weights=weight))
