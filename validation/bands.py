"""Scores and their bands: the edges, and the table of what is in each."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runtime.score import Bands, Scale
from validation.calibration import interval_of_rates
from validation.evidence import Answered
from validation.weights import effective_sizes, on_a_grid

CHUNK = 1_000_000  # probabilities that are Python's own floats at a time


def scores_of(probability: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """The score [N] in points of each probability [N] of default, to the last bit as the runtime makes it."""
    scores = np.empty(len(probability))
    for first in range(0, len(probability), CHUNK):
        scores[first : first + CHUNK] = scale.scores(probability[first : first + CHUNK].tolist())
    return scores


def band_edges(scores: NDArray[np.float64], scale: Scale) -> list[float]:
    """Ascending edges from the lowest score rounded down to ten to the highest rounded up to ten.

    The step is points_to_double / ln 2, truncated to whole points: from band to band the odds grow by a factor of e. A
    band without a score is joined to the next higher band, or at the top to the next lower one, because it would have
    no rate. Isotonic calibration leaves such gaps.
    """
    lower = 10 * math.floor(math.floor(scores.min()) / 10)  # whole points first: a tenth of -5e-324 is 0
    upper = 10 * math.ceil(math.ceil(scores.max()) / 10)
    step = max(1, int(scale.points_to_double / math.log(2)))
    if lower == upper:
        upper = lower + step
    edges = [float(edge) for edge in range(lower, upper, step)] + [float(upper)]
    bands = Bands(edges)
    place = np.searchsorted(bands.ends, scores, side="right")
    filled = np.bincount(place, minlength=len(bands.labels))[1:-1] > 0
    lows = [edges[0], *(edge for edge, below in zip(edges[1:-1], filled[:-1], strict=True) if below)]
    if len(lows) > 1 and not filled[edges.index(lows[-1]) :].any():
        lows.pop()
    return [*lows, edges[-1]]


def band_table(part: Answered, edges: Sequence[float]) -> pd.DataFrame:
    """One row for each band, riskiest first; also below and above all bands, if there are applicants.

    Shares and rates are percentages; a rate over nobody is NaN. Where there are weights, shares, rates and odds are
    weighted, bounds are those of the effective sample size, and `Weight` and `Weight of defaults` stand beside the two
    counts. The cumulative columns are those of the rule "predict default up to and including this band". `Predicted` is
    the mean probability of default, `Observed` the default rate with its bounds `Low` and `High`, and `Odds` are good
    to bad.
    """
    bands = Bands(edges)
    place = np.searchsorted(bands.ends, part.score, side="right")
    w = on_a_grid(part.mass)
    rows, defaulted = (np.bincount(place[those], minlength=len(bands.labels)) for those in (..., part.target == 1))
    size, defaults, expected, squares = (
        np.bincount(place, weights=each, minlength=len(bands.labels))
        for each in (w, w * part.target, w * part.probability, w**2)
    )
    inside = np.arange(len(bands.labels)) % (len(bands.labels) - 1) > 0
    kept = np.flatnonzero(inside | (rows > 0))
    rows, defaulted, size, defaults, expected, squares = (
        each[kept] for each in (rows, defaulted, size, defaults, expected, squares)
    )
    predicted, caught = size.cumsum(), defaults.cumsum()
    weights = {} if part.weight is None else {"Weight": size, "Weight of defaults": defaults}
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = interval_of_rates(defaults / size, effective_sizes(size, squares))
        precision, recall = caught / predicted, caught / defaults.sum()
        f1 = 2 * precision * recall / (precision + recall)
        return pd.DataFrame(
            {
                "Band": [bands.labels[i] for i in kept],
                "Band Size": rows,
                "# Default": defaulted,
                **weights,
                "% Total Population": 100 * predicted / size.sum(),
                "Band Precision": 100 * (defaults / size),
                "Cumulative Precision": 100 * precision,
                "Cumulative Recall": 100 * recall,
                "Cumulative F1-Score": 100 * f1,
                "Predicted": 100 * (expected / size),
                "Observed": 100 * (defaults / size),
                "Low": 100 * low,
                "High": 100 * high,
                "Odds": (size - defaults) / defaults,
            }
        )
