"""The area under the ROC curve with DeLong's variance, and its comparison with that of the initial validation.

With defaults i, goods j and ψ = 1 where the default was the riskier, ½ where both had the same rank, 0 otherwise:
AUC = mean of ψ; V10_i = the mean of ψ over goods; V01_j = the mean over defaults; s² = var(V10) / defaults + var(V01) /
goods, with sample variances (DeLong, DeLong and Clarke-Pearson 1988, doi:10.2307/2531595).

The template of the ECB (Instructions for reporting the validation results of internal models, February 2019, 2.5.4.1)
tests H0 "AUC is not below the initial one" on grades: S = (AUC_initial − AUC) / s, p = 1 − Φ(S), which takes the
initial AUC for known. Size at 5 %, 300 defaults of 3,300 customers in 14 grades: 4.2 % where it is, 11 % where it is
from as many customers; with the variance of both (custom: `with_both`) 4.6 %. Power, AUC lower by 0.05: 96 %, and with
both variances 79 % at as many initial customers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from validation.statistics.outcome import Tested

LEAST = 2  # defaults, and goods, of a sample variance


@dataclass(frozen=True)
class Area:
    """AUC and its variance s²; NaN where it is undefined."""

    value: float
    variance: float


NO_AREA = Area(float("nan"), float("nan"))


def area_of_counts(defaults: NDArray[Any], goods: NDArray[Any]) -> Area:
    """The area over grades [K], the riskiest first, from the defaults and goods in each."""
    bad, good = np.asarray(defaults, dtype=np.float64), np.asarray(goods, dtype=np.float64)
    n_bad, n_good = bad.sum(), good.sum()
    if not (n_bad and n_good):
        return NO_AREA
    safer = n_good - good.cumsum()
    riskier = bad.cumsum() - bad
    of_bad, of_good = (safer + good / 2) / n_good, (riskier + bad / 2) / n_bad
    value = float((bad * of_bad).sum() / n_bad)
    if n_bad < LEAST or n_good < LEAST:
        return Area(value, float("nan"))
    spread = (bad * (of_bad - value) ** 2).sum() / (n_bad - 1), (good * (of_good - value) ** 2).sum() / (n_good - 1)
    return Area(value, float(spread[0] / n_bad + spread[1] / n_good))


def area_of_ranks(target: NDArray[np.int8], risk: NDArray[np.float64]) -> Area:
    """The area of a risk [N], the higher the riskier, against a 0/1 target [N]."""
    _, place = np.unique(-risk, return_inverse=True)
    rows, bad = (np.bincount(place, weights=each) for each in (None, target))
    return area_of_counts(bad, rows - bad)


def interval(area: Area, confidence: float) -> tuple[float, float]:
    """The area's bounds on the logit scale, within 0 and 1; NaN where it has no variance."""
    if not (area.variance > 0 and 0 < area.value < 1):
        return float("nan"), float("nan")
    centre = np.log(area.value / (1 - area.value))
    half = ndtri((1 + confidence) / 2) * np.sqrt(area.variance) / (area.value * (1 - area.value))
    low, high = 1 / (1 + np.exp(-(centre + np.array([-half, half]))))
    return float(low), float(high)


def against_initial(initial: float, current: Area) -> Tested:
    """The template's test: the initial AUC is taken for known."""
    return _lower(initial, current.value, current.variance)


def with_both(initial: Area, current: Area) -> Tested:
    """Custom: the initial AUC has a variance too. NaN where it is not known."""
    return _lower(initial.value, current.value, initial.variance + current.variance)


def _lower(initial: float, current: float, variance: float) -> Tested:
    if not variance > 0:
        return Tested(float("nan"), float("nan"))
    statistic = (initial - current) / float(np.sqrt(variance))
    return Tested(statistic, float(ndtr(-statistic)))
