"""Are customers concentrated in fewer grades than at the initial validation? Herfindahl's index.

With shares R of K grades: CV = √(K Σ (R − 1/K)²), HI = 1 + ln((CV² + 1) / K) / ln K (0: all grades alike, 1: one holds
all), and H0 "not more concentrated than before": p = 1 − Φ(√(K − 1)(CV − CV₀) / √(CV² (½ + CV²))). Template of the ECB
(February 2019), 2.5.5.3; by customers and by exposure.

The test takes the K shares for a sample of K and knows nothing of the number of customers. Size at 5 %: of 14 grades
0 % where they are filled unevenly, and 9 % where all are filled alike; so a finding needs shares that differ by more
than chance too (`differ`, a chi-square test of homogeneity). Power: from 14 equal grades of 2,000 customers a tenth
that moved into one is found always; from uneven ones nothing is. It falls again where one grade holds nearly all.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr

from validation.statistics.outcome import Tested

NAN = float("nan")


def variation(held: NDArray[np.float64]) -> float:
    """CV of what each grade holds [K]; NaN where K < 2 or all is empty."""
    total = float(held.sum())
    if len(held) < 2 or not total > 0:
        return NAN
    return math.sqrt(len(held) * float(((held / total - 1 / len(held)) ** 2).sum()))


def herfindahl(held: NDArray[np.float64]) -> float:
    """HI of what each grade holds [K], 0 to 1; NaN where it is undefined."""
    cv = variation(held)
    return NAN if math.isnan(cv) else 1 + math.log((cv**2 + 1) / len(held)) / math.log(len(held))


def more_concentrated(held: NDArray[np.float64], initial: NDArray[np.float64]) -> Tested:
    """The test of what each grade holds now [K] against the initial validation; NaN where CV is 0 or not defined."""
    now, then = variation(held), variation(initial)
    if len(held) != len(initial) or math.isnan(now) or math.isnan(then) or now == 0:
        return Tested(NAN, NAN)
    statistic = math.sqrt(len(held) - 1) * (now - then) / math.sqrt(now**2 * (0.5 + now**2))
    return Tested(statistic, float(ndtr(-statistic)))


def differ(now: NDArray[np.float64], then: NDArray[np.float64]) -> float:
    """The p value of the same shares of customers in each grade [K] now and then; NaN without both."""
    both = np.stack([now, then])
    there = both.sum(axis=0) > 0
    if not both.sum(axis=1).all() or there.sum() < 2:
        return NAN
    both = both[:, there]
    expected = both.sum(axis=1, keepdims=True) * both.sum(axis=0) / both.sum()
    return float(chdtrc(int(there.sum()) - 1, float(((both - expected) ** 2 / expected).sum())))
