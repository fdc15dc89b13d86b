"""Where a model is worst: slices of one and two features, found on one half of the rows and confirmed on the other.

The rows are a stated sample, cut in two by a seed. In the first half every slice is looked at by two measures: the gap
between observed and predicted default rate, and the log loss less what the probabilities expect of it, which also sees
where the model ranks worse than it says. Both are compared with their standard errors if the probabilities are right,
after the whole table's gap has been taken out of the log-odds: a table that is off everywhere is not off in a slice.
The MOST_TESTED slices that are furthest off and overlap little go to the other half, which has not been looked at, so
that their p-values are those of so many tests, and Holm's method corrects for them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtr, xlogy

from validation.calibration import calibration_intercept, log_odds
from validation.metrics import PROBABILITY_LIMITS
from validation.sample import sampled_rows
from validation.slices.cells import NOWHERE, Cells, cells_of
from validation.slices.documents import WeakSlice, WeakSlices
from validation.statistics.multiple import holm
from validation.weights import masses

MOST_ROWS = 50_000
MOST_FEATURES = 60  # in pairs: of more those whose single slices are furthest off
MOST_TESTED = 10
LEAST_ROWS = 30  # of a slice in each half
LEAST_INFORMATION = 8.0  # effective sum of p (1 − p): with less, sums of outcomes are not near to normal
LEAST_SCORE = 2.0  # standard errors in the first half
FOR_A_FEATURE = 0.5  # standard errors that a second feature has to add
OVERLAP = 0.5  # of two slices, by Jaccard: with more one of them is enough
LEVEL = 0.01

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Half:
    """Rows with what is summed over slices: columns [N, 5] of `1, w r, w² v, w l, w² u`; see _sums."""

    frame: pd.DataFrame
    target: Floats
    probability: Floats
    expected: Floats
    """Probabilities without the whole table's gap."""
    weight: Floats

    @property
    def columns(self) -> list[Floats]:
        """Columns: 1, the residual and its variance, the excess log loss and its variance, w v for the size."""
        w, p = self.weight, self.expected
        residual, variance = self.target - p, p * (1 - p)
        lean = log_odds(p, PROBABILITY_LIMITS)
        return [
            np.ones(len(p)),
            w * residual,
            w**2 * variance,
            -w * residual * lean,
            w**2 * variance * lean**2,
            w * variance,
        ]


@dataclass(frozen=True)
class _Found:
    """A slice of the first half: cells of one feature or two, its score there and the measure that has it."""

    where: tuple[tuple[int, int], ...]  # (feature, cell)
    score: float
    gap: bool
    sign: float


def weak_slices(
    frame: pd.DataFrame,
    target: NDArray[np.int8],
    probability: Floats,
    seed: int,
    weight: Floats | None = None,
    level: float = LEVEL,
) -> WeakSlices:
    """The slices of raw features [N] where probabilities [N] fit a 0/1 target [N] worst, with weights [N]."""
    drawn = sampled_rows(len(target), MOST_ROWS, seed)
    order = np.random.default_rng([seed, 1]).permutation(drawn)
    first, second = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    figures: WeakSlices = {
        "rows": len(drawn),
        "of": len(target),
        "seed": seed,
        "looked_at": 0,
        "tested": 0,
        "level": level,
        "slices": [],
    }
    y, mass = target.astype(np.float64), masses(weight, len(target))
    if not all(0 < target[half].sum() < len(half) for half in (first, second)):
        return figures
    halves = [_half(frame.iloc[rows], y[rows], probability[rows], mass[rows]) for rows in (first, second)]
    cells = [list(cells_of(half.frame, halves[0].frame)) for half in halves]
    looked_at, best = _look(halves[0], cells[0])
    tested = [(found, its) for found in best if (its := _confirm(halves[1], cells[1], found)) is not None]
    adjusted = holm([its["p"] for _, its in tested])
    for (_, its), p in zip(tested, adjusted.tolist(), strict=True):
        its["adjusted_p"], its["confirmed"] = p, p < level
    slices = sorted((its for _, its in tested), key=lambda its: its["p"])
    return figures | {"looked_at": looked_at, "tested": len(tested), "slices": slices}


def _half(frame: pd.DataFrame, target: Floats, probability: Floats, weight: Floats) -> _Half:
    x = log_odds(probability, PROBABILITY_LIMITS)
    shift = calibration_intercept(target.astype(np.int8), x, weight)
    return _Half(frame, target, probability, expit(x + shift), weight)


def _look(half: _Half, cells: Sequence[Cells]) -> tuple[int, list[_Found]]:
    """Number of slices, and those to be tested."""
    columns, found, looked_at = half.columns, list[_Found](), 0
    best_of = np.zeros(len(cells))
    for i, its in enumerate(cells):
        scores = _scores(columns, its.codes, len(its.words))
        looked_at += int(np.isfinite(scores).any(axis=0).sum())
        for code in range(len(its.words)):
            found += _kept(((i, code),), scores[:, code], 0.0)
        best_of[i] = np.nanmax(np.abs(np.nan_to_num(scores)))
    paired = np.sort(np.argsort(-best_of, kind="stable")[:MOST_FEATURES])
    for i, j in combinations(paired.tolist(), 2):
        one, other = cells[i], cells[j]
        width = len(other.words)
        codes = np.where((one.codes < 0) | (other.codes < 0), NOWHERE, one.codes * width + other.codes)
        scores = _scores(columns, codes, len(one.words) * width)
        there = np.isfinite(scores).any(axis=0)
        looked_at += int(there.sum())
        for code in np.flatnonzero(there).tolist():
            found += _kept(((i, code // width), (j, code % width)), scores[:, code], FOR_A_FEATURE)
    found.sort(key=lambda its: -its.score)
    return looked_at, _apart(found, cells)


def _kept(where: tuple[tuple[int, int], ...], scores: Floats, less: float) -> list[_Found]:
    """The slice with the measure that is further off; nothing where none is."""
    gap, loss = np.nan_to_num(scores)
    score = max(abs(gap), loss) - less
    if score < LEAST_SCORE:
        return []
    return [_Found(where, score, bool(abs(gap) >= loss), float(np.sign(gap)))]


def _apart(found: Sequence[_Found], cells: Sequence[Cells]) -> list[_Found]:
    """The first slices that overlap little with those before."""
    kept: list[tuple[_Found, NDArray[np.bool_]]] = []
    for its in found:
        mask = _mask(its, cells)
        if all((mask & other).sum() <= OVERLAP * (mask | other).sum() for _, other in kept):
            kept.append((its, mask))
        if len(kept) == MOST_TESTED:
            break
    return [its for its, _ in kept]


def _mask(found: _Found, cells: Sequence[Cells]) -> NDArray[np.bool_]:
    return np.asarray(np.all([cells[feature].codes == code for feature, code in found.where], axis=0))


def _scores(columns: Sequence[Floats], codes: NDArray[np.intp], size: int) -> Floats:
    """The gap and the excess log loss of each cell in standard errors, [2, size]; NaN where there is too little."""
    sums = [np.bincount(codes + 1, column, size + 1)[1:] for column in columns]
    rows, residual, variance, loss, of_loss, information = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        enough = (rows >= LEAST_ROWS) & (information**2 / variance >= LEAST_INFORMATION)
        return np.where(enough, [residual / np.sqrt(variance), loss / np.sqrt(of_loss)], np.nan)


def _confirm(half: _Half, cells: Sequence[Cells], found: _Found) -> WeakSlice | None:
    """The slice in the other half; None where it has too little there."""
    mask = _mask(found, cells)
    scores = _scores([column[mask] for column in half.columns], np.zeros(mask.sum(), dtype=np.intp), 1)[:, 0]
    if not np.isfinite(scores).all():
        return None
    y, p, expected, w = (its[mask] for its in (half.target, half.probability, half.expected, half.weight))
    right = np.where(y == 1, expected, 1 - expected)
    entropy = -(xlogy(expected, expected) + xlogy(1 - expected, 1 - expected))
    score = found.sign * scores[0] if found.gap else scores[1]
    conditions = [cells[feature].words[code] for feature, code in found.where]
    return {
        "slice": " and ".join(conditions),
        "conditions": conditions,
        "measure": "gap" if found.gap else "log loss",
        "rows": int(mask.sum()),
        "share": float(mask.mean()),
        "defaults": int(y.sum()),
        "predicted": float(np.average(p, weights=w)),
        "observed": float(np.average(y, weights=w)),
        "log_loss": float(np.average(-np.log(np.maximum(right, math.ulp(1.0))), weights=w)),
        "expected_log_loss": float(np.average(entropy, weights=w)),
        "p": float(ndtr(-score)),
        "adjusted_p": 1.0,
        "confirmed": False,
    }
