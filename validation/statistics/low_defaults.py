"""How high may the probability of default of a grade be, where there are few defaults or none? Most prudent bounds.

The PD of a grade is bounded by what its own customers and those of all riskier grades say together, which assumes no
more than that grades are in order: with n customers and d defaults from that grade on, the bound p has
P(at most d of n default | p) = 1 − confidence. Pluto and Tasche (2005, arXiv cond-mat/0411699). Independent defaults:
the upper end of Clopper and Pearson's one-sided interval, F_Beta⁻¹(confidence; d + 1, n − d). Correlated ones: one
factor of Vasicek's, with a correlation of assets, an assumption.

Size: where grades are in order, a true PD is above its bound in at most 1 − confidence of portfolios, exactly so for
the riskiest grade but for the steps of counts. Not for sample weights, but their effective numbers are taken.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betaincinv

from validation.statistics.binomial import correlated

Floats = NDArray[np.float64]

FEW = 20  # defaults of a grade, below which its own rate says little; custom
CORRELATION = 0.12  # of assets, as in the paper's examples
CONFIDENCE = 0.75  # between the 50 and 95 % that the paper compares; custom
SMALLEST = 1e-12


def upper_bounds(rows: Floats, defaults: Floats, confidence: float = CONFIDENCE, correlation: float = 0.0) -> Floats:
    """The bound of each grade's PD [K], 0 to 1, the lowest risk first; NaN where no customer is in a grade or beyond.

    `rows` and `defaults` [K] may be effective numbers. `confidence` is above 0 and below 1, `correlation` from 0 to
    below 1; ValueError for others.
    """
    if not 0 < confidence < 1 or not 0 <= correlation < 1:
        raise ValueError(f"confidence {confidence!r}, correlation {correlation!r}: expected 0 to 1")
    n, d = (np.cumsum(np.asarray(each, dtype=np.float64)[::-1])[::-1] for each in (rows, defaults))
    return np.array([_bound(*each, confidence, correlation) for each in zip(n.tolist(), d.tolist(), strict=True)])


def _bound(rows: float, defaults: float, confidence: float, correlation: float) -> float:
    if rows <= 0:
        return float("nan")
    if defaults >= rows:
        return 1.0
    independent = float(betaincinv(defaults + 1, rows - defaults, confidence))
    if not correlation:
        return independent
    one, others = np.array([rows + 0.0]), np.array([defaults + 1.0])

    def missing(p: float) -> float:  # P(more than d of n default) is the confidence
        return float(correlated(np.array([p]), one, others, correlation)[0]) - confidence

    return float(brentq(missing, SMALLEST, 1 - SMALLEST, xtol=1e-12, rtol=1e-10))


@dataclass(frozen=True)
class Conservative:
    """Bounds [K] and margins of conservatism [K] by grade, the lowest risk first; NaN where nothing is known."""

    bound: Floats
    margin: Floats
    """What is to be added to the PD applied so that it reaches the bound; 0 where it does."""
    is_few: NDArray[np.bool_]
    """Grades with fewer than FEW defaults."""


def conservative(
    applied: Floats, rows: Floats, defaults: Floats, confidence: float = CONFIDENCE, correlation: float = 0.0
) -> Conservative:
    """Margins of PDs applied [K], NaN where none is, such as that of a grade without customers."""
    bound = upper_bounds(rows, defaults, confidence, correlation)
    return Conservative(bound, np.maximum(bound - applied, 0.0), np.asarray(defaults) < FEW)
