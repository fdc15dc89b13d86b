"""Score bands: their edges, and the table of what is in each."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runtime.score import Scale, band, band_labels


def scores_of(probability: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """The score [N] in points of each probability [N] of default."""
    return np.array([scale.score(p) for p in probability.tolist()])


def band_edges(scores: NDArray[np.float64], scale: Scale) -> list[float]:
    """Ascending edges from the lowest score rounded down to ten to the highest rounded up to ten.

    The step is points_to_double / ln 2 cut to whole points: from band to band the odds grow by a factor of e.
    """
    lower = 10 * math.floor(scores.min() / 10)
    upper = 10 * math.ceil(scores.max() / 10)
    step = max(1, int(scale.points_to_double / math.log(2)))
    if lower == upper:
        upper = lower + step
    return [float(edge) for edge in range(lower, upper, step)] + [float(upper)]


def band_table(scores: NDArray[np.float64], target: NDArray[np.int8], edges: Sequence[float]) -> pd.DataFrame:
    """One row a band, riskiest first. Shares and rates are percentages; a rate over nobody is NaN.

    The cumulative columns are those of the rule "predict default up to and including this band".
    """
    labels = [f"below {edges[0]:g}", *band_labels(edges), f"above {edges[-1]:g}"]
    position = {label: i for i, label in enumerate(labels)}
    place = np.array([position[band(score, edges)] for score in scores])
    size = np.bincount(place, minlength=len(labels))
    defaults = np.bincount(place, weights=target, minlength=len(labels)).astype(int)
    kept = [i for i in range(len(labels)) if 0 < i < len(labels) - 1 or size[i]]
    size, defaults = size[kept], defaults[kept]
    predicted, caught = size.cumsum(), defaults.cumsum()
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = caught / predicted, caught / defaults.sum()
        f1 = 2 * precision * recall / (precision + recall)
        return pd.DataFrame(
            {
                "Band": [labels[i] for i in kept],
                "Band Size": size,
                "# Default": defaults,
                "% Total Population": 100 * predicted / size.sum(),
                "Band Precision": 100 * (defaults / size),
                "Cumulative Precision": 100 * precision,
                "Cumulative Recall": 100 * recall,
                "Cumulative F1-Score": 100 * f1,
            }
        )
