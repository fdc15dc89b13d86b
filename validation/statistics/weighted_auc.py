"""The area under the ROC curve of rows with weights, with DeLong's variance of weighted means.

Without weights it is validation.statistics.auc.area_of_ranks.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.statistics.auc import LEAST, NO_AREA, Area
from validation.weights import effective_size, masses

Floats = NDArray[np.float64]


def weighted_area(target: NDArray[Any], risk: Floats, weight: Floats | None = None) -> Area:
    """The area of a risk [N], the higher the riskier, against a 0/1 target [N], with weights [N]; ties count ½."""
    w, bad = masses(weight, len(target)), target == 1
    if not 0 < bad.sum() < len(bad):
        return NO_AREA
    values, place = np.unique(risk, return_inverse=True)
    of_bad, of_good = (np.bincount(place[its], w[its], len(values)) for its in (bad, ~bad))
    safer = np.cumsum(of_good) - of_good / 2
    riskier = of_bad.sum() - np.cumsum(of_bad) + of_bad / 2
    placed_bad, placed_good = safer[place[bad]] / of_good.sum(), riskier[place[~bad]] / of_bad.sum()
    value = float(np.average(placed_bad, weights=w[bad]))
    return Area(value, _of_mean(placed_bad, w[bad], value) + _of_mean(placed_good, w[~bad], value))


def _of_mean(placed: Floats, weight: Floats, mean: float) -> float:
    """The variance of a weighted mean; without weights the sample variance divided by the rows."""
    if len(placed) < LEAST:
        return float("nan")
    effective = effective_size(weight)
    spread = float((weight**2 * (placed - mean) ** 2).sum()) / float(weight.sum()) ** 2
    return spread * effective / (effective - 1)
