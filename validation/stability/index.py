"""The population stability index: how far the shares of a few bins have moved, and what chance alone does to it.

With e and a the expected and the actual share of a bin, the index is Σ (a − e) · ln(a / e), the symmetric
Kullback-Leibler divergence of the two (Jeffreys). It is 0 for equal shares, never negative, and the same both ways.
By custom 0.1 is worth a look and 0.25 a shift.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

# False-alarm rate: one unchanged feature in 1,000.
BY_CHANCE = 0.001


@dataclass(frozen=True)
class Shift:
    """The index, and the part of it that each bin adds, [bins]."""

    index: float
    contributions: NDArray[np.float64]
    by_chance: float
    """The mean index of two samples as large as these, drawn from one population: (bins − 1)(1 / n + 1 / m)."""
    beyond_chance: float
    """Value that such samples stay below 999 times in 1,000."""

    def counts_from(self, limit: float) -> float:
        """The index from which it counts as moved: `limit`, and more where so few rows could show that by chance."""
        return max(limit, self.beyond_chance)


def shift(expected: NDArray[Any], actual: NDArray[Any], sizes: tuple[float, float] | None = None) -> Shift:
    """Index of the shift from rows `expected` to rows `actual` in each bin; both hold at least one row.

    Both are counts, or sums of weights with the effective sample `sizes` of the two: Rao and Scott's first-order
    correction of a chi-square statistic (1981, doi:10.1080/01621459.1981.10477633) for weights.

    The logarithm needs shares above 0, so none counts as less than half an applicant of the smaller set: less than one
    is all that an empty bin shows, and a fixed share (0.0001 is common) would call a small set moved whenever it
    happens to miss a bin. Bins that are empty in both do not count.

    Under no change the index is (1 / n + 1 / m) times a chi-square variable with bins − 1 degrees of freedom
    (B. Yurdakul, Statistical Properties of Population Stability Index, 2018).
    """
    n, m = sizes or (int(expected.sum()), int(actual.sum()))
    least = 0.5 / min(n, m)
    e, a = np.maximum(expected / expected.sum(), least), np.maximum(actual / actual.sum(), least)
    contributions = (a - e) * np.log(a / e)
    freedom = int(np.count_nonzero(expected + actual)) - 1
    scale = 1 / n + 1 / m
    beyond = float(chdtri(freedom, BY_CHANCE)) * scale if freedom else 0.0
    return Shift(float(contributions.sum()), contributions, freedom * scale, beyond)
