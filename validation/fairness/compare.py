"""A model's answers by group: approval, predictions, and outcomes.

Groups are compared with a reference group. Adverse impact ratio: the group's approval rate divided by the reference's.
Standardised mean difference: the difference of mean scores divided by the standard deviation of all scores. Bounds of
rates are those of validation.calibration.interval_of_rates, bounds of a ratio those of its logarithm (Katz, Baptista,
Azen and Pike 1978, doi:10.2307/2530610). What is tested for each group is corrected for their number by Holm's method.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincc

from validation.calibration import CONFIDENCE, interval_of_rates
from validation.fairness.curves import curves
from validation.fairness.documents import AttributeFigures, FairnessFigures, GroupFigures
from validation.fairness.groups import Attribute, intersections
from validation.settings import Fairness
from validation.statistics.auc import interval
from validation.statistics.multiple import holm
from validation.statistics.weighted_auc import weighted_area
from validation.weights import effective_size, masses

APPROVED = 0.8  # of the applicants, where no cut-off is set
LEAST_FOR_AUC = 10  # of either outcome: of fewer an area says next to nothing
MOST_SHOWN = 25  # groups of an attribute, or of two

Floats = NDArray[np.float64]
Cutoff = tuple[float, str]
"""The lowest score that is approved, and words on where it is from."""


@dataclass(frozen=True)
class Answers:
    """N applicants: probability of default, score in points, outcome (1, 0, NaN not known; None), weights or None."""

    probability: Floats
    score: Floats
    outcome: Floats | None
    weight: Floats | None = None

    @property
    def mass(self) -> Floats:
        """The weights [N], 1 each without weights."""
        return masses(self.weight, len(self.score))

    def of(self, rows: NDArray[Any]) -> "Answers":
        """Values of some applicants."""
        outcome, weight = (None if its is None else its[rows] for its in (self.outcome, self.weight))
        return Answers(self.probability[rows], self.score[rows], outcome, weight)


def compare(
    attributes: Sequence[Attribute], answers: Answers, fairness: Fairness, cutoff: Cutoff | None = None
) -> FairnessFigures:
    """The figures of each attribute and of each two together; `cutoff` is the one of `cutoff_of`."""
    lowest, by = cutoff_of(answers, fairness, cutoff)
    every = [*attributes, *intersections(attributes)]
    return {
        "rows": len(answers.score),
        "least": fairness.least,
        "cutoff": lowest,
        "cutoff_by": by,
        "limit": fairness.limit,
        "attributes": [_compared(attribute, answers, fairness, lowest) for attribute in every],
    }


def cutoff_of(answers: Answers, fairness: Fairness, other: Cutoff | None = None) -> Cutoff:
    """The one of the settings, else the `other`, such as the model's own, else one that approves four in five."""
    if fairness.cutoff is not None:
        return fairness.cutoff, "fairness.cutoff"
    if other is not None:
        return other
    order = np.argsort(answers.score, kind="stable")
    passed = np.cumsum(answers.mass[order])
    place = np.searchsorted(passed, (1 - APPROVED) * passed[-1], side="right")
    return float(math.floor(answers.score[order][place])), f"none is set: about {APPROVED:.0%} are approved"


def _compared(attribute: Attribute, answers: Answers, fairness: Fairness, cutoff: float) -> AttributeFigures:
    rows = np.bincount(attribute.codes, minlength=len(attribute.levels))
    mass = np.bincount(attribute.codes, answers.mass, len(attribute.levels))
    large = [code for code in np.argsort(-mass, kind="stable").tolist() if rows[code] >= fairness.least]
    named = None if attribute.reference is None else attribute.levels.index(attribute.reference)
    reference = named if named is not None else next(iter(large), None)
    if reference is not None:
        # A named reference of too few rows compares with nobody.
        large = [reference, *(code for code in large if code != reference)] if reference in large else large
        reference = reference if reference in large else None
    shown = large[:MOST_SHOWN]
    deviation = math.sqrt(_variance(answers.score, answers.mass))
    groups = [_group(attribute, code, answers, cutoff) for code in shown]
    if reference is not None:
        for group in groups[1:]:
            _set_ratio(group, groups[0], answers, attribute)
            if deviation > 0:
                group["difference"] = (group["mean_score"] - groups[0]["mean_score"]) / deviation
    for key in ("ratio", "gap"):
        _adjust(groups, key)
    hidden = [code for code in np.flatnonzero(rows).tolist() if code not in shown]
    return {
        "attribute": attribute.name,
        "columns": list(attribute.columns),
        "reference": None if reference is None else attribute.levels[reference],
        "reference_by": "largest" if named is None else "settings",
        "hidden_groups": len(hidden),
        "hidden_rows": int(rows[hidden].sum()),
        "groups": groups,
        "curves": [] if reference is None else curves(attribute, shown, answers.score, answers.mass),
    }


def _group(attribute: Attribute, code: int, answers: Answers, cutoff: float) -> GroupFigures:
    its = answers.of(np.flatnonzero(attribute.codes == code))
    mass, approved = its.mass, its.score >= cutoff
    rate, low, high = _rate(approved, mass)
    found: GroupFigures = {
        "group": attribute.levels[code],
        "rows": len(its.score),
        "share": float(mass.sum() / answers.mass.sum()),
        "approval_rate": rate,
        "approval_low": low,
        "approval_high": high,
        "ratio": None,
        "ratio_low": None,
        "ratio_high": None,
        "ratio_p": None,
        "ratio_adjusted": None,
        "mean_score": float(np.average(its.score, weights=mass)),
        "difference": None,
        "known": 0,
        "defaults": 0,
        **dict.fromkeys(OF_OUTCOMES),  # type: ignore[typeddict-item]
    }
    if its.outcome is None or np.isnan(its.outcome).all():
        return found
    there = ~np.isnan(its.outcome)
    return found | _outcomes(its.of(there), its.outcome[there] == 1, cutoff)  # type: ignore[return-value]


OF_OUTCOMES = (
    *("observed", "predicted", "low", "high", "gap", "gap_p", "gap_adjusted", "roc_auc", "roc_auc_low", "roc_auc_high"),
    *("repaid_declined", "repaid_declined_low", "repaid_declined_high"),
    *("defaulted_approved", "defaulted_approved_low", "defaulted_approved_high"),
)


def _outcomes(known: Answers, bad: NDArray[np.bool_], cutoff: float) -> dict[str, Any]:
    mass, approved = known.mass, known.score >= cutoff
    observed, low, high = _rate(bad, mass)
    predicted = float(np.average(known.probability, weights=mass))
    found: dict[str, Any] = {
        "known": len(bad),
        "defaults": int(bad.sum()),
        "observed": observed,
        "predicted": predicted,
        "low": low,
        "high": high,
        "gap": observed - predicted,
        "gap_p": p_of_rate(observed, predicted, effective_size(mass)),
    }
    if min(bad.sum(), (~bad).sum()) >= LEAST_FOR_AUC:
        its = weighted_area(bad, known.probability, known.weight)
        found["roc_auc"] = its.value
        found["roc_auc_low"], found["roc_auc_high"] = (_known(bound) for bound in interval(its, CONFIDENCE))
    for name, those, wrong in (("repaid_declined", ~bad, ~approved), ("defaulted_approved", bad, approved)):
        if those.any():
            found[name], found[f"{name}_low"], found[f"{name}_high"] = _rate(wrong[those], mass[those])
    return found


def _rate(those: NDArray[np.bool_], mass: Floats) -> tuple[float, float, float]:
    """A weighted share with its bounds."""
    rate = float(np.average(those, weights=mass))
    low, high = interval_of_rates(np.array([rate]), np.array([effective_size(mass)]))
    return rate, float(low[0]), float(high[0])


def p_of_rate(rate: float, expected: float, rows: float) -> float:
    """The two-sided p-value of Clopper and Pearson's interval: of `rows` so many defaulted, `expected` is the PD."""
    defaults = rate * rows
    at_least = float(betainc(defaults, rows - defaults + 1, expected)) if defaults > 0 else 1.0
    at_most = float(betaincc(defaults + 1, rows - defaults, expected)) if defaults < rows else 1.0
    return min(1.0, 2 * min(at_least, at_most))


def _set_ratio(group: GroupFigures, reference: GroupFigures, answers: Answers, attribute: Attribute) -> None:
    """The adverse impact ratio, its bounds, and the p-value of equal rates (pooled, normal)."""
    one, other = group["approval_rate"], reference["approval_rate"]
    if other == 0:
        return
    sizes = [
        effective_size(answers.mass[attribute.codes == attribute.levels.index(each["group"])])
        for each in (group, reference)
    ]
    group["ratio"] = one / other
    pooled = (one * sizes[0] + other * sizes[1]) / sum(sizes)
    error = math.sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
    group["ratio_p"] = 2 * NormalDist().cdf(-abs(one - other) / error) if error else 1.0
    if one == 0:
        return
    spread = math.sqrt((1 - one) / (sizes[0] * one) + (1 - other) / (sizes[1] * other))
    factor = math.exp(NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * spread)
    group["ratio_low"], group["ratio_high"] = one / other / factor, one / other * factor


def _adjust(groups: list[GroupFigures], key: str) -> None:
    p: list[float | None] = [group[f"{key}_p"] for group in groups]  # type: ignore[literal-required]
    adjusted = holm([math.nan if value is None else value for value in p])
    for group, value in zip(groups, adjusted.tolist(), strict=True):
        group[f"{key}_adjusted"] = _known(value)  # type: ignore[literal-required]


def _variance(values: Floats, mass: Floats) -> float:
    return float(np.average((values - np.average(values, weights=mass)) ** 2, weights=mass))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
