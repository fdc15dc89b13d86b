"""Sample weights: how much each row counts in a figure, and how many rows that is worth."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
EXACT_BITS = 52  # of a float64: sums of whole multiples of a power of two below that are exact


def masses(weight: Floats | None, rows: int) -> Floats:
    """The weights [N], 1 each without weights."""
    return np.ones(rows) if weight is None else weight


def effective_size(weight: Floats) -> float:
    """The number of rows of equal weight that a mean over these weights [N] is as certain as.

    Kish's (Σw)² / Σw² (1965, Survey Sampling); 0 without a row.
    """
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def effective_sizes(mass: NDArray[Any], squares: NDArray[Any]) -> Floats:
    """The same for groups: the sums of their weights and of the squares of these; 0 for an empty group."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(squares > 0, mass**2 / squares, 0.0)


def per_mean(weight: Floats | None) -> Floats | None:
    """Weights [N] as multiples of their mean, so that a row has the weight 1 on average; None for None."""
    return None if weight is None else weight / weight.mean()


def median(values: NDArray[Any], weight: Floats | None) -> float:
    """The median of values [N]; with weights the lowest value that half of the weight lies at or below."""
    if weight is None:
        return float(np.median(values))
    return float(np.quantile(values, 0.5, weights=weight, method="inverted_cdf"))


def on_a_grid(weight: Floats) -> Floats:
    """The weights [N], rounded to a power of two so small that every sum of N of them is exact, in any order."""
    finest = np.floor(EXACT_BITS - np.log2(len(weight)) - np.log2(weight.max()))
    return np.asarray(np.ldexp(np.rint(np.ldexp(weight, int(finest))), -int(finest)))
