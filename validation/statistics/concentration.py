"""Are customers concentrated in fewer grades than at the initial validation? Herfindahl's index.

With shares R of K grades: CV = √(K Σ (R − 1/K)²), HI = 1 + ln((CV² + 1) / K) / ln K (0: all grades alike, 1: one holds
all), and H0 "not more concentrated than before": p = 1 − Φ(√(K − 1)(CV − CV₀) / √(CV² (½ + CV²))). Template of the ECB
(February 2019), 2.5.5.3; by customers and by exposure.

The test takes the K shares for a sample of K, so it does not know how many customers there are. Size: far below 5 %
with any number of customers. Power: of 14 grades, half of all customers moved into one is found at 5 %; less is not.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from validation.statistics.outcome import Tested

NAN = float("nan")


def variation(held: NDArray[np.float64]) -> float:
    """CV of what each grade holds [K]; NaN where K < 2 or all is empty."""
    total = float(held.sum())
    if len(held) < 2 or not total > 0:
        return NAN
    return math.sqrt(len(held) * float(((held / total - 1 / len(held)) ** 2).sum()))


def herfindahl(held: NDArray[np.float64]) -> float:
    """HI of what each grade holds [K], 0 to 1; NaN where there is none."""
    cv = variation(held)
    return NAN if math.isnan(cv) else 1 + math.log((cv**2 + 1) / len(held)) / math.log(len(held))


def more_concentrated(held: NDArray[np.float64], initial: NDArray[np.float64]) -> Tested:
    """The test of what each grade holds now [K] against the initial validation; NaN where CV is 0 or not defined."""
    now, then = variation(held), variation(initial)
    if len(held) != len(initial) or math.isnan(now) or math.isnan(then) or now == 0:
        return Tested(NAN, NAN)
    statistic = math.sqrt(len(held) - 1) * (now - then) / math.sqrt(now**2 * (0.5 + now**2))
    return Tested(statistic, float(ndtr(-statistic)))
