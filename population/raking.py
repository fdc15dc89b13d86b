"""Raking: weights moved until every margin has its published shares (iterative proportional fitting)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from population.figures import (
    ALL_APPLICATIONS,
    DEFAULTED_APPLICATIONS,
    LABELLED_APPLICATIONS,
    REPAID_APPLICATIONS,
    Level,
)

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Margin:
    """`codes` [n]: the cell that each weighted thing falls into; `shares` [cells]: what cells must sum to."""

    codes: Codes
    shares: Floats


def rake(weights: Floats, margins: Sequence[Margin], rounds: int) -> Floats:
    """The weights nearest to the given ones (in relative entropy) that have the margins' shares.

    They sum to 1. A pass makes each margin exact in turn and disturbs the others less and less, so those that
    come last are met best.
    """
    weights = weights / weights.sum()
    for _ in range(rounds):
        for margin in margins:
            now = np.bincount(margin.codes, weights=weights, minlength=len(margin.shares))
            # a cell that nothing falls into can not be filled
            ratio = np.divide(margin.shares, now, out=np.zeros(len(now)), where=now > 0)
            weights = weights * ratio[margin.codes]
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def systematic(rng: np.random.Generator, weights: Floats, draws: int) -> Codes:
    """Positions drawn in proportion to the weights, each as often as its weight says, give or take one."""
    points = (np.arange(draws) + rng.random()) / draws
    chosen = np.searchsorted(np.cumsum(weights), points * weights.sum(), side="right")
    return np.asarray(np.minimum(chosen, len(weights) - 1), dtype=np.int64)


def level_shares(levels: Mapping[int, Level], *, defaulted: bool) -> Floats:
    """Each level's share of the class, at the position of the level: [highest level + 1], summing to 1.

    Level 0 keeps its published share and the others fill up the rest: columns that are 0, or missing, for the
    same applicants then agree to the last digit, although their other levels were rounded differently.
    """
    labelled = np.zeros(max(levels) + 1)
    defaults = np.zeros(max(levels) + 1)
    for level, published in levels.items():
        labelled[level] = published.applications * LABELLED_APPLICATIONS / ALL_APPLICATIONS
        defaults[level] = labelled[level] * (published.default_rate or 0)
    for level, published in levels.items():
        if published.default_rate is None:
            defaults[level] = DEFAULTED_APPLICATIONS - defaults.sum()
    members = defaults if defaulted else labelled - defaults
    nothing = members[0] / (DEFAULTED_APPLICATIONS if defaulted else REPAID_APPLICATIONS)
    shares: Floats = (1 - nothing) * members / members[1:].sum()
    shares[0] = nothing
    return shares
