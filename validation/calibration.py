"""Calibration: observed and predicted default rates.

Groups are of equal mass: the applicants in the order of their probability, cut into BINS parts of the same size, or of
the same sum of weights. Applicants with equal probabilities are in one group, so an isotonic plateau is never cut.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betaincinv, expit, logit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from validation.weights import effective_sizes, masses

BINS = 10
ROUNDING = 1e-11  # of the sum of all weights
CONFIDENCE = 0.95  # of every interval of this package


@dataclass(frozen=True)
class Groups:
    """Applicants by probability, the lowest first; arrays [B]; `size`, `defaults`, `expected` are sums of weights."""

    rows: NDArray[np.int64]
    defaulted: NDArray[np.int64]
    """Rows that defaulted."""
    size: NDArray[np.float64]
    defaults: NDArray[np.float64]
    expected: NDArray[np.float64]
    """Mean probability: the default rate that was expected."""
    effective: NDArray[np.float64]
    """The effective sample size, `rows` without weights."""


def starts_of_groups(
    ascending: NDArray[np.float64], bins: int = BINS, weight: NDArray[np.float64] | None = None
) -> NDArray[np.int64]:
    """Start of each group in ascending probabilities [N] with weights [N]."""
    if weight is None:
        cuts = np.arange(bins) * len(ascending) // bins
    else:
        reached = weight.cumsum()
        cuts = np.searchsorted(reached, (np.arange(bins) / bins + ROUNDING) * reached[-1], side="right")
    return np.unique(np.searchsorted(ascending, ascending[cuts], side="left"))


def group(
    target: NDArray[np.int8],
    probability: NDArray[np.float64],
    bins: int = BINS,
    weight: NDArray[np.float64] | None = None,
) -> Groups:
    """The groups of equal mass of probabilities [N], a 0/1 target [N] and weights [N]."""
    order = np.argsort(probability, kind="stable")
    p, y = probability[order], target[order].astype(np.int64)
    starts = starts_of_groups(p, bins, None if weight is None else weight[order])
    w = masses(weight, len(p))[order]
    size = np.add.reduceat(w, starts)
    return Groups(
        rows=np.diff(starts, append=len(p)),
        defaulted=np.add.reduceat(y, starts),
        size=size,
        defaults=np.add.reduceat(w * y, starts),
        expected=np.add.reduceat(w * p, starts),
        effective=effective_sizes(size, np.add.reduceat(w**2, starts)),
    )


def expected_calibration_error(groups: Groups) -> float:
    """The mean over applicants of their group's |predicted − observed default rate|, 0 to 1."""
    return float(np.abs(groups.expected - groups.defaults).sum() / groups.size.sum())


def decompose_brier(groups: Groups, brier: float) -> dict[str, float]:
    """The parts of a Brier score: brier = reliability − resolution + uncertainty, to the rounding of the last bit.

    Reliability and uncertainty are Murphy's (1973, doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2) over the
    groups. Differences of probabilities within a group count as resolution, so that nothing is left over: the
    generalised resolution of Stephenson, Coelho and Jolliffe (2008, doi:10.1175/2007WAF2006116.1).
    """
    rows = groups.size.sum()
    rate = groups.defaults.sum() / rows
    reliability = float(((groups.expected - groups.defaults) ** 2 / groups.size).sum() / rows)
    uncertainty = float(rate * (1 - rate))
    return {
        "brier_reliability": reliability,
        "brier_resolution": reliability + uncertainty - brier,
        "brier_uncertainty": uncertainty,
    }


def log_odds(probability: NDArray[np.float64], probability_limits: tuple[float, float]) -> NDArray[np.float64]:
    """The log-odds of default, clipped at `probability_limits`, as the score is."""
    return np.asarray(logit(np.clip(probability, *probability_limits)))


def regress(
    target: NDArray[np.int8], x: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> tuple[float, float]:
    """Intercept and slope of a logistic regression of the target [N] on the log-odds `x` [N], with weights [N].

    NaN where no finite ones fit: the log-odds separate the classes entirely, or all but a few, or are equal for all.
    """
    good, bad = x[target == 0], x[target == 1]
    if good.max() <= bad.min() or bad.max() <= good.min():
        return float("nan"), float("nan")
    regression = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8)
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            regression.fit(x[:, None], target, weight)
        except ConvergenceWarning:
            return float("nan"), float("nan")
    return float(regression.intercept_[0]), float(regression.coef_[0, 0])


def calibration_intercept(
    target: NDArray[np.int8], x: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> float:
    """Calibration in the large, in log-odds: 0 is good, above 0 risk is understated.

    Added to the log-odds `x` [N], at slope 1, it makes the expected number of defaults equal the observed one. The
    target holds both classes.
    """
    rate = np.average(target, weights=weight)

    def missing(a: float) -> float:
        return float(np.average(expit(x + a), weights=weight) - rate)

    return float(brentq(missing, logit(rate) - x.max() - 1, logit(rate) - x.min() + 1, xtol=1e-10))


def interval(defaults: NDArray[Any], size: NDArray[Any]) -> tuple[NDArray[np.float64], ...]:
    """The confidence bounds of Clopper and Pearson for default rates, 0 to 1; they hold for any rate and size.

    Both may be fractions, as effective sample sizes are. Without applicants the bounds are NaN.
    """
    tail = (1 - CONFIDENCE) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(defaults > 0, betaincinv(defaults, size - defaults + 1, tail), 0.0)
        high = np.where(defaults < size, betaincinv(defaults + 1, size - defaults, 1 - tail), 1.0)
    return np.where(size > 0, low, np.nan), np.where(size > 0, high, np.nan)


def interval_of_rates(rate: NDArray[Any], effective: NDArray[Any]) -> tuple[NDArray[np.float64], ...]:
    """Bounds of weighted default rates from the effective sample size of each.

    Clopper and Pearson's with that many rows: Korn and Graubard (1998, Survey Methodology 24, 193-201).
    """
    return interval(np.where(effective > 0, rate, 0.0) * effective, effective)


def reliability(groups: Groups) -> pd.DataFrame:
    """A row a group: applicants, defaults, predicted and observed default rate and its bounds, 0 to 1.

    `Weight`, where there are weights, is their sum.
    """
    low, high = interval_of_rates(groups.defaults / groups.size, groups.effective)
    weights = {} if np.array_equal(groups.size, groups.rows) else {"Weight": groups.size}
    return pd.DataFrame(
        {
            "Applicants": groups.rows,
            "Defaults": groups.defaulted,
            **weights,
            "Predicted": groups.expected / groups.size,
            "Observed": groups.defaults / groups.size,
            "Low": low,
            "High": high,
        }
    )
