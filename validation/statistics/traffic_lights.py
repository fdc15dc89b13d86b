"""Periods in four colours, and how good the sequence is: the traffic lights of Blochwitz, Hohl and Wehn.

The standardised rate (D − N PD) / √(N PD (1 − PD)) is green, yellow, orange or red with probability 0.5, 0.3, 0.15 and
0.05 where the PD is right; the counts of colours are then multinomial. A sequence is ordered by its number of green
periods, then of yellow, then of orange; p = P(a sequence as bad or worse). BCBS working paper 14 (2005).

Size at 5 %, 2,000 customers with a PD of 15 %: 5.9 % in one period, 4.8 % in five, 5.3 % in twelve. Power over five
periods where the PD is 16.5 %: 98 %. Defaults and years are independent
under H0.
"""

from itertools import product
from math import factorial, prod

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

COLOURS = ("green", "yellow", "orange", "red")
SHARES = (0.5, 0.3, 0.15, 0.05)
ROUNDING = 1e-12  # a rate this close to a limit is on it, and has the better colour
MOST_PERIODS = 120

Floats = NDArray[np.float64]


def standardised(pd: Floats, rows: Floats, defaults: Floats) -> Floats:
    """The standardised default rate of each period [T]; NaN where nobody, or everybody, has to default."""
    spread = rows * pd * (1 - pd)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (defaults - rows * pd) / np.sqrt(spread), np.nan)


def colours(pd: Floats, rows: Floats, defaults: Floats) -> list[str | None]:
    """The colour of each period [T]; None where there is no rate."""
    rates = standardised(pd, rows, defaults)
    limits = ndtri(np.cumsum(SHARES)[:3])
    places = (limits < rates[:, None] - ROUNDING).sum(axis=1)
    return [None if np.isnan(rate) else COLOURS[place] for rate, place in zip(rates, places, strict=True)]


def sequence(seen: list[str]) -> float:
    """The p value of the colours of some periods; NaN of none, and of more than MOST_PERIODS."""
    periods = len(seen)
    if not 0 < periods <= MOST_PERIODS:
        return float("nan")
    counted = tuple(map(seen.count, COLOURS))
    as_bad = 0.0
    for counts in product(range(periods + 1), repeat=3):
        if (rest := periods - sum(counts)) >= 0 and (*counts, rest) <= counted:
            as_bad += _multinomial((*counts, rest))
    return min(1.0, as_bad)


def _multinomial(counts: tuple[int, ...]) -> float:
    ways = factorial(sum(counts)) // prod(map(factorial, counts))
    return float(ways) * prod(share**count for share, count in zip(SHARES, counts, strict=True))
