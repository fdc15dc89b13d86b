"""Published quantiles distributed along an order: the shape of a column, whatever it correlates with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from population.figures import Numbers

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def deal(rng: np.random.Generator, figures: Numbers, order: Floats, positive: Flags, *, integer: bool) -> Floats:
    """Values rising with `order`, with the positive quantiles of `figures` where `positive`, 0 elsewhere.

    Each of n positive applicants gets one value from its own nth of the probability, so a small draw is
    as well spread as a large one and its quantiles do not wander.
    """
    values = np.zeros(len(order))
    count = int(positive.sum())
    rank = np.empty(count)
    rank[np.argsort(order[positive])] = np.arange(count)
    values[positive] = quantile(figures, figures.zeros + (1 - figures.zeros) * (rank + rng.random(count)) / count)
    return np.rint(values) if integer else values


def quantile(figures: Numbers, probability: Floats) -> Floats:
    """The class's positive values at a probability between its share of zeros and 1.

    They run through every quantile given. Between two of them the square root of the value runs straight over
    the normal score of the probability: of the simple scales the one whose means come out nearest to the
    published ones over all columns.
    """
    quartiles = {p: v for p, v in zip((0.25, 0.5, 0.75), figures.quartiles, strict=True) if p > figures.zeros}
    # the largest of n values stands half a rank below 1
    points = {figures.zeros: figures.least} | quartiles | dict(figures.tail)
    points[1 - 0.5 / figures.count] = figures.maximum
    at, value = np.array(sorted(points.items())).T
    return np.asarray(np.interp(ndtri(probability), ndtri(at), np.sqrt(value)) ** 2, dtype=np.float64)


def deal_hours(rng: np.random.Generator, count: int, points: Sequence[tuple[float, float]]) -> Floats:
    """Hours of the day of `count` applicants, in chance order, through the points (share before, hour)."""
    at, hour = np.array(points).T
    shares = (rng.permutation(count) + rng.random(count)) / count
    return np.asarray(np.interp(shares, at, hour), dtype=np.float64)


def lowest(key: Floats, share: float) -> Flags:
    """The applicants whose key is among the lowest, `share` (0 to 1) of all."""
    chosen = np.zeros(len(key), dtype=bool)
    chosen[np.argsort(key)[: round(share * len(key))]] = True
    return chosen


def normal_scores(rng: np.random.Generator, levels: Floats) -> Floats:
    """Standard normal scores that rise with `levels`, whatever their scale; ties are broken by chance."""
    rank = np.empty(len(levels))
    rank[np.lexsort((rng.random(len(levels)), levels))] = np.arange(len(levels))
    return np.asarray(ndtri((rank + 0.5) / len(levels)), dtype=np.float64)


def mixed(rng: np.random.Generator, score: Floats, closeness: float) -> Floats:
    """The score with chance in it: closeness 1 is the score alone, 0 chance alone."""
    return np.asarray(closeness * score + np.sqrt(1 - closeness**2) * rng.standard_normal(len(score)), dtype=np.float64)
