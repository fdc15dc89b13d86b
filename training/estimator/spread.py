"""Spread of the mean of several boosters relative to each of them, and margins brought to that spread.

The calibrator can only be fitted on margins of rows that a booster has not seen, and each row is unseen by only one
booster. But the mean of k boosters is served. What the boosters disagree on is noise: the mean has a k-th of its
variance, a single booster all of it, so a slope fitted on single boosters is too flat for the mean, and the answers are
too cautious. This is regression dilution; regression calibration (Rosner, Willett and Spiegelman 1989,
doi:10.1002/sim.4780080905) divides the variance V of single margins by what they share: the best guess at a row's mean
margin is the average of all rows plus λ times its distance from it, with λ = 1 − s² (1 − 1/k) / V, and s² the variance
between boosters.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xgboost import XGBClassifier

from training.estimator.boosting import margin

FEWEST_BOOSTERS = 3  # of two, only one has seen a row, so that no two can be compared on it
# With a smaller λ the boosters are mostly noise, and dividing by λ would magnify a slope that is noise, too.
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
    """Estimated λ, SMALLEST to 1, of k boosters fitted on all rows of `X` [N, m] but `unseen[i]`; 1 for two."""
    if len(boosters) < FEWEST_BOOSTERS:
        return 1.0
    step = step_between(len(X))
    margins, by, mass = [], [], []
    for place, rows in enumerate(unseen):
        some = rows[::step]
        margins.append(np.column_stack([margin(each, X[some]) for each in boosters]))
        by.append(np.full(len(some), place))
        mass.append(np.ones(len(some)) if weight is None else weight[some])
    noise = disagreement(np.concatenate(margins), np.concatenate(by), np.concatenate(mass))
    return spread_with(noise, len(boosters), out_of_fold, weight)


def step_between(rows: int) -> int:
    """Rows of a fold that are compared: at most this many of the first."""
    return -(-rows // MOST_ROWS)


def disagreement(margins: NDArray[np.float32], unseen_by: NDArray[np.integer[Any]], mass: NDArray[np.float64]) -> float:
    """s² from margins [R, k] of rows that the booster `unseen_by` [R] has not seen.

    It is taken from the k − 1 boosters that have seen a row. They share what they learnt of it, so their differences
    are those that they have on new rows, or smaller: measured in docs/decisions/0011-the-spread-of-means.md.
    """
    count = margins.shape[1]
    seen = margins[np.arange(count) != unseen_by[:, None]].reshape(-1, count - 1).astype(np.float64)
    return float(np.average(np.var(seen, axis=1, ddof=1), weights=mass))


def spread_with(noise: float, boosters: int, out_of_fold: NDArray[np.float64], weight: Weight = None) -> float:
    """λ for a variance `noise` between so many boosters; 1 for two of them."""
    variance = float(np.average((out_of_fold - _mean(out_of_fold, weight)) ** 2, weights=weight))
    if boosters < FEWEST_BOOSTERS or variance == 0:
        return 1.0
    return max(1 - noise * (1 - 1 / boosters) / variance, SMALLEST)


def brought_to(
    spread: float, margins: NDArray[np.float64], weight: Weight = None, out: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Margins [N] whose distances from their mean are `spread` times as large, in `out` [N] if it is given."""
    centre = _mean(margins, weight)
    brought: NDArray[np.float64] = np.subtract(margins, centre, out=out)
    brought *= spread
    brought += centre
    return brought


def _mean(margins: NDArray[np.float64], weight: Weight) -> float:
    return float(np.average(margins, weights=weight))
