"""Features that a model should not see as they are, each with the reason: most of them reveal the outcome.

An information value above 0.5 is often called too good to be true, yet honest features of payment behaviour reach 1.
These rules look for what honest features do not do: determine the outcome, be present for one outcome only, identify
rows, or rank as well alone as whole models do.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincc

from training.exploration.column import Column
from validation.stability.bins import label

HARDLY_EVER_THERE = 0.98  # share of missing values
RANKS_TOO_WELL = 0.9  # ROC-AUC of one feature
NEARLY_PERFECT = 0.98  # ROC-AUC that no honest feature has
CERTAIN = 0.98  # default rate of a group
LEAST_ROWS, LEAST_OF_DEFAULTS = 20, 0.02  # of a group that is called certain
BY_CHANCE = 1e-6  # probability, were the group like the whole
ALL = 0.99  # of all defaults: the group is the target itself
MISSING_GAP = 0.5  # between the shares of missing values among those who defaulted and those who repaid
OWN_VALUES = 0.99  # share of different values of an identifier
DENSITY = 0.02  # of an identifier's numbers in their range: as many different ones are drawn from no distribution
TELLS_APART = 0.1  # information value of a date that may be later than the application
KNOWN_LATER = "is it known only after the outcome?"
IS_THE_TARGET = "and hardly anyone else did: it is the target"
IN_ORDER = "the rows seem to be in order of their outcome"

ISO_DATE = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?([T ].*)?")


def suspicion_of(column: Column, found: Mapping[str, Any]) -> str | None:
    """First fault of a feature that applies, or None; `found` is the result of risk_of."""
    rules = (
        _is_constant,
        _names_rows,
        _is_a_date,
        _all_defaulted,
        _nobody_defaulted,
        _is_filled_in_later,
        _ranks_too_well,
        _is_hardly_ever_there,
    )
    return next((reason for rule in rules if (reason := rule(column, found))), None)


def may_be_honest(column: Column, found: Mapping[str, Any], reason: str | None) -> bool:
    """True if the reason is no more than that a feature ranks very well, as balances and payment behaviour may."""
    return reason is not None and reason == _ranks_too_well(column, found) and found["auc"] < NEARLY_PERFECT


def knows_the_outcome(reason: str) -> bool:
    """True if the suspicion is a leak, False if the feature is useless."""
    return reason.endswith((KNOWN_LATER, IS_THE_TARGET, IN_ORDER))


def _is_constant(column: Column, found: Mapping[str, Any]) -> str | None:
    if not len(column.distinct):
        return "is missing in every row"
    if len(column.distinct) > 1 or column.missing.any():
        return None
    value = column.distinct[0]
    return f"has a single value, {label(bool(value) if column.kind == 'boolean' else value)}"


def _names_rows(column: Column, found: Mapping[str, Any]) -> str | None:
    present = int(column.rows.sum())
    if len(column.distinct) < OWN_VALUES * present or present < LEAST_ROWS or column.kind == "boolean":
        return None
    if column.kind == "number":
        low, high = column.distinct[0], column.distinct[-1]
        if (column.distinct % 1).any() or present < DENSITY * (high - low + 1):
            return None
    what = "has a different value in almost every row, like an identifier"
    if found["auc"] < 0.6:
        return what
    return f"{what}, and ranks defaults (ROC-AUC {found['auc']:.2f}): {IN_ORDER}"


def _is_a_date(column: Column, found: Mapping[str, Any]) -> str | None:
    if found["iv"] < TELLS_APART or len(column.distinct) < 2:
        return None
    if column.kind == "category":
        dated = np.array([ISO_DATE.fullmatch(level) is not None for level in column.distinct])
    elif column.kind == "number":
        dated = _dates(column.distinct)
    else:
        return None
    if column.rows[dated].sum() < OWN_VALUES * column.rows.sum():
        return None
    first, last = (f"{value:.0f}" if column.kind == "number" else value for value in column.distinct[[0, -1]])
    what = f"looks like dates ({first} to {last}) and separates defaults (information value {found['iv']:.2f})"
    return f"{what}: {KNOWN_LATER}"


def _dates(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which numbers are days as 20250131, or moments of 1990 to 2100 in seconds or milliseconds since 1970."""
    day, month, year = numbers % 100, numbers // 100 % 100, numbers // 10_000
    days = (numbers % 1 == 0) & (day >= 1) & (day <= 31) & (month >= 1) & (month <= 12) & (year >= 1900) & (year < 2100)
    seconds = [(numbers / unit >= 631_152_000) & (numbers / unit < 4_102_444_800) for unit in (1, 1_000)]
    return np.asarray(days | seconds[0] | seconds[1])


def _all_defaulted(column: Column, found: Mapping[str, Any]) -> str | None:
    base, all_defaults = float(column.target.mean()), int(column.target.sum())
    for group, rows, defaults in _groups(column):
        enough = rows >= LEAST_ROWS and defaults >= LEAST_OF_DEFAULTS * all_defaults
        if enough and defaults >= CERTAIN * rows and betainc(defaults, rows - defaults + 1, base) <= BY_CHANCE:
            who = f"all {rows:,}" if defaults == rows else f"{defaults / rows:.1%} of the {rows:,}"
            what = IS_THE_TARGET if defaults >= ALL * all_defaults else KNOWN_LATER
            return f"{who} applicants {group} defaulted, against {base:.1%} of all, {what}"
    return None


def _nobody_defaulted(column: Column, found: Mapping[str, Any]) -> str | None:
    """True for a bin of present or of missing values: a single value may well be that safe."""
    base = float(column.target.mean())
    for group, rows, defaults in _groups(column)[:2]:
        if defaults <= (1 - CERTAIN) * base * rows and betaincc(defaults + 1, rows - defaults, base) <= BY_CHANCE:
            who = f"{defaults or 'none'} of the {rows:,}"
            return f"{who} applicants {group} defaulted, against {base:.1%} of all, {KNOWN_LATER}"
    return None


def _groups(column: Column) -> list[tuple[str, int, int]]:
    """Groups of applicants: with a value, without, in each bin; each with name, rows and defaults."""
    good, bad = column.by_class(column.places, len(column.bins))
    names = [*(f"at “{name}”" for name in column.bins.labels()[:-1]), "without a value"]
    groups = list(zip(names, (good + bad).tolist(), bad.tolist(), strict=True))
    return [("with a value", int((good + bad)[:-1].sum()), int(bad[:-1].sum())), groups[-1], *groups[:-1]]


def _is_filled_in_later(column: Column, found: Mapping[str, Any]) -> str | None:
    defaulted, repaid = (float(column.missing[column.target == outcome].mean()) for outcome in (1, 0))
    if abs(defaulted - repaid) < MISSING_GAP:
        return None
    return f"is missing for {defaulted:.0%} of those who defaulted and {repaid:.0%} of those who repaid: {KNOWN_LATER}"


def _ranks_too_well(column: Column, found: Mapping[str, Any]) -> str | None:
    if found["auc"] < RANKS_TOO_WELL:
        return None
    return f"alone ranks defaults with a ROC-AUC of {found['auc']:.3f}, as whole models rarely do: {KNOWN_LATER}"


def _is_hardly_ever_there(column: Column, found: Mapping[str, Any]) -> str | None:
    missing = column.missing.mean()
    return f"is missing in {missing:.1%} of the rows" if missing >= HARDLY_EVER_THERE else None
