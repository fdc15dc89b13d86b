"""Grades of a master scale: their limits, derived from training rows if only their number is set, and their rows.

Limits are derived in two steps, neither of which depends on chance. First the rows, in the order of their probability,
are pooled until the default rate rises from block to block: isotonic regression (Ayer, Brunk, Ewing, Reid and Silverman
1955, doi:10.1214/aoms/1177728423). Blocks next to each other are then joined to as many grades as asked for, so that
the binomial log-likelihood of the outcomes is the largest there is, by dynamic programming: Fisher's grouping for
maximum homogeneity (1958, doi:10.1080/01621459.1958.10501479). Since rates rise over blocks, they rise over any grades
made of them, and no other grades with rising rates are likelier (Haiminen, Gionis and Laasonen 2008, Knowledge and
Information Systems 14, 39-57). Each grade, of whole blocks, has a least share of the rows, and LEAST_OUTCOMES of either
outcome.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import xlogy

from cli.errors import UserError
from cli.words import counted
from runtime.grades import Grades
from validation.calibration import interval_of_rates
from validation.documents import GradeCounts
from validation.evidence import Answered
from validation.settings import MasterScale
from validation.weights import effective_sizes, masses, on_a_grid

# Smallest expected count of each kind for a test on counts: Cochran (1954, doi:10.2307/3001616).
LEAST_OUTCOMES = 5
ROUNDING = 1e-11  # of the share of the rows

Floats = NDArray[np.float64]


def grades_of(
    scale: MasterScale, target: NDArray[np.int8] | None, probability: Floats, weight: Floats | None = None
) -> Grades | None:
    """The grades that a master scale asks for, None for none.

    `count` grades are found on the outcomes [N], probabilities [N] and weights [N] of the training rows. Raises
    UserError where these do not support so many, and without outcomes.
    """
    if scale.limits:
        return Grades(scale.limits, scale.names_of(len(scale.limits) + 1))
    if scale.count is None:
        return None
    if target is None:
        raise UserError("grades.count: needs rows with outcomes, got none; give the target, or set grades.limits")
    return Grades(_found(scale, scale.count, target, probability, weight), scale.names_of(scale.count))


def refuse_more_than_outcomes(scale: MasterScale, target: NDArray[np.int8]) -> None:
    """Raise UserError for more grades than the outcomes [N] of the training rows can fill, whatever a model says.

    Before the fit, which a refusal by `grades_of` comes after.
    """
    defaults = int(target.sum())
    most = min(defaults, len(target) - defaults) // LEAST_OUTCOMES
    if scale.count is not None and scale.count > most:
        raise _too_many(scale, most, len(target))


def _too_many(scale: MasterScale, most: int, rows: int) -> UserError:
    expected = f"expected at most {most}" if most > 1 else "expected rows for two grades or more"
    each = f"each with {scale.least_share:.4g} of the rows and {LEAST_OUTCOMES} of either outcome"
    return UserError(
        f"grades.count: {expected}, got {scale.count} for {counted(rows, 'training row')}, whose default rate has to "
        f"rise from grade to grade, {each}; lower it, or set grades.limits"
    )


@dataclass(frozen=True)
class _Blocks:
    """Neighbouring probabilities with rising default rates; sums [B + 1] of all blocks before each, and ends [B]."""

    lowest: Floats
    highest: Floats
    mass: Floats
    defaulted: Floats
    bads: NDArray[np.int64]
    goods: NDArray[np.int64]

    @classmethod
    def of(cls, target: NDArray[np.int8], probability: Floats, weight: Floats | None) -> "_Blocks":
        w = on_a_grid(masses(weight, len(target)))
        values, place = np.unique(probability, return_inverse=True)
        mass, defaulted = np.bincount(place, weights=w), np.bincount(place, weights=w * target)
        first = isotonic_regression(defaulted / mass, weights=mass).blocks[:-1]

        def sums(of_values: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([[0], np.add.reduceat(of_values, first).cumsum()])

        bads, rows = np.bincount(place, weights=target).astype(np.int64), np.bincount(place)
        return cls(
            lowest=values[first],
            highest=values[np.append(first[1:], len(values)) - 1],
            mass=sums(mass),
            defaulted=sums(defaulted),
            bads=sums(bads),
            goods=sums(rows - bads),
        )

    def gains(self, end: int, least: float) -> Floats:
        """The log-likelihood of one grade from each start [end] up to `end`; minus infinity where it is not filled."""
        mass, bad = self.mass[end] - self.mass[:end], self.defaulted[end] - self.defaulted[:end]
        likelihood = xlogy(bad, bad / mass) + xlogy(mass - bad, (mass - bad) / mass)
        filled = mass >= (least - ROUNDING) * self.mass[-1]
        filled &= self.bads[end] - self.bads[:end] >= LEAST_OUTCOMES
        filled &= self.goods[end] - self.goods[:end] >= LEAST_OUTCOMES
        return np.where(filled, likelihood, -np.inf)


def _found(
    scale: MasterScale, count: int, target: NDArray[np.int8], probability: Floats, weight: Floats | None
) -> list[float]:
    blocks = _Blocks.of(target, probability, weight)
    size = len(blocks.lowest)
    best = np.full((count + 1, size + 1), -np.inf)  # by grades and end
    start = np.zeros((count + 1, size + 1), dtype=np.intp)
    best[0, 0] = 0.0
    for end in range(1, size + 1):
        reached = best[:-1, :end] + blocks.gains(end, scale.least_share)
        start[1:, end] = reached.argmax(axis=1)
        best[1:, end] = reached.max(axis=1)
    most = int(np.flatnonzero(best[:, size] > -np.inf).max(initial=0))
    if most < count:
        raise _too_many(scale, most, len(target))
    limits, end = [], size
    for grades in range(count, 1, -1):
        end = int(start[grades, end])
        limits.append(roundest(float(blocks.highest[end - 1]), float(blocks.lowest[end])))
    return limits[::-1]


def roundest(low: float, high: float) -> float:
    """The number with the fewest significant digits above `low` and below `high`; `high` where nothing is between.

    >>> roundest(0.01234, 0.01312), roundest(0.0, 0.007)
    (0.013, 0.001)
    """
    for digits in range(1, 17):
        place = digits - 1 - math.floor(math.log10(high))
        middle = round((low + high) / 2, place)
        for candidate in (middle, round(middle - 10.0**-place, place), round(middle + 10.0**-place, place)):
            if low < candidate < high:
                return candidate
    return high


def places_of(grades: Grades, probability: Floats) -> NDArray[np.intp]:
    """The place [N] of the grade of each probability [N], as `Grades.place` has it."""
    return np.searchsorted(grades.limits, probability, side="right")


def counts_of(grades: Grades, probability: Floats, weight: Floats | None = None) -> GradeCounts:
    """The rows of each grade among probabilities [N], with the sums of their weights [N] where there are any."""
    place, size = places_of(grades, probability), len(grades.names)
    found: GradeCounts = {"counts": np.bincount(place, minlength=size).tolist()}
    if weight is not None:
        found["weights"] = np.bincount(place, weights=weight, minlength=size).tolist()
    return found


def limits_in_words(grades: Grades) -> list[str]:
    """The probabilities of each grade, in %, as people read them."""
    shown = [f"{100 * limit:.6g}" for limit in grades.limits]
    middle = [f"{low} to {high}" for low, high in pairwise(shown)]
    return [f"below {shown[0]}", *middle, f"from {shown[-1]}"]


def grade_table(part: Answered, grades: Grades) -> pd.DataFrame:
    """One row a grade, the lowest probabilities first, those without applicants too.

    Shares and rates are percentages; a rate over nobody is NaN. Where there are weights, shares, rates and bounds are
    weighted, and `Weight`, `Weight of defaults` and the effective sample size `Effective` stand beside the two counts.
    `Predicted` is the mean probability of default, `Observed` the default rate with its bounds `Low` and `High`
    (validation.calibration.interval).
    """
    place, size = places_of(grades, part.probability), len(grades.names)
    w = on_a_grid(part.mass)

    def total(each: NDArray[Any]) -> Floats:
        return np.bincount(place, weights=each, minlength=size).astype(np.float64)

    mass, defaults, expected, squares = map(total, (w, w * part.target, w * part.probability, w**2))
    weights = {}
    if part.weight is not None:
        weights = {"Weight": mass, "Weight of defaults": defaults, "Effective": effective_sizes(mass, squares)}
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = interval_of_rates(defaults / mass, effective_sizes(mass, squares))
        return pd.DataFrame(
            {
                "Grade": grades.names,
                "PD, %": limits_in_words(grades),
                "Applicants": np.bincount(place, minlength=size),
                "Defaults": total(part.target).astype(np.int64),
                **weights,
                "Share": 100 * mass / mass.sum(),
                "Predicted": 100 * expected / mass,
                "Observed": 100 * defaults / mass,
                "Low": 100 * low,
                "High": 100 * high,
            }
        )
