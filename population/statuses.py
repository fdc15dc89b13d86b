"""The joint law of the status columns of those who repaid, from nothing but their published shares.

A family of status columns (the archive's, the account's) is one discrete variable: a state is a row of
levels, and a state that breaks a hard ordering does not exist. A first weight says how rare it is that levels
of one applicant differ; raking then gives every column its published shares and changes as little as it can
of the rest. Orderings hold exactly, shares too, and the rank correlations follow from the first weight.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from population.figures import ACCOUNT_STATUSES, ACCOUNT_WORST_STATUS, ARCHIVE_STATUSES, Level
from population.raking import Codes, Floats, Margin, level_shares, rake, systematic

# Leaves no share more than 1e-5 away from its figure.
ROUNDS = 60

# A state is exp(-stiffness) as frequent for each level by which neighbouring columns differ. Both are chosen
# so that the published rank correlations between the columns come out.
ARCHIVE_STIFFNESS = 0.5
ACCOUNT_STIFFNESS = 0.8
# The same for having had three invoices archived in two years, and none in the last year or half-year.
LULL_STIFFNESS = 1.0


@dataclass(frozen=True)
class StatusLaw:
    """A law over the states of a family: `states` [states, columns], `weights` [states], summing to 1."""

    columns: tuple[str, ...]
    states: Codes
    weights: Floats

    def draw(self, rng: np.random.Generator, count: int) -> Codes:
        """The states of `count` applicants, in the order of the law's states: [count, columns]."""
        return self.states[systematic(rng, self.weights, count)]


@cache
def archive_law() -> StatusLaw:
    """The six archive columns (0 for no such invoice) and has_paid (0 or 1)."""
    states = _every_state(ARCHIVE_STATUSES)
    last, second, third, half_year, year, two_years, has_paid = states.T
    exists = (
        (half_year <= year)
        & (year <= two_years)
        & ((two_years == 0) == (last == 0))
        # an invoice archived earlier needs a later one
        & ((second == 0) | (last > 0))
        & ((third == 0) | (second > 0))
        & (np.maximum(np.maximum(last, second), third) <= two_years)
        # the last one lies in any window that has one at all
        & ((year == 0) | (year >= last))
        & ((half_year == 0) | (half_year >= last))
        # fewer than three archived: the worst one is among those listed
        & ((third > 0) | (two_years == np.maximum(last, second)))
        & ((second > 0) | (year == 0) | (year == last))
        # an archived invoice has been paid
        & ((has_paid == 1) | (two_years == 0))
    )
    states = states[exists]
    last, second, third, half_year, year, two_years, _ = states.T
    apart = _apart(last, second) + _apart(second, third) + _apart(half_year, year) + _apart(year, two_years)
    lull = (third > 0) * ((year == 0) * 1.0 + (half_year == 0) * 1.0)
    weights = np.exp(-ARCHIVE_STIFFNESS * apart - LULL_STIFFNESS * lull)
    return StatusLaw(tuple(ARCHIVE_STATUSES), states, rake(weights, _margins(ARCHIVE_STATUSES, states), ROUNDS))


@cache
def account_law() -> StatusLaw:
    """The five account statuses (0 for missing): those without an account first, then by the worst status."""
    states = _every_state(ACCOUNT_STATUSES)
    now, quarter, half_year, year, two_years = states.T
    exists = (
        ((now == 0) == (quarter == 0))
        & (now <= quarter)
        # no history in a window means none before it
        & ((half_year == 0) | (quarter > 0))
        & ((year == 0) | (half_year > 0))
        & ((two_years == 0) | (year > 0))
    )
    states = states[exists]
    states = states[np.lexsort((states.sum(axis=1), states.max(axis=1)))]
    now, quarter, half_year, year, two_years = states.T
    apart = _apart(now, quarter) + _apart(quarter, half_year) + _apart(half_year, year) + _apart(year, two_years)
    worst = Margin(states[:, 1:].max(axis=1), level_shares(ACCOUNT_WORST_STATUS, defaulted=False))
    margins = [*_margins(ACCOUNT_STATUSES, states), worst]
    return StatusLaw(tuple(ACCOUNT_STATUSES), states, rake(np.exp(-ACCOUNT_STIFFNESS * apart), margins, ROUNDS))


def _every_state(family: Mapping[str, Mapping[int, Level]]) -> Codes:
    grid = np.meshgrid(*(np.array(list(levels), dtype=np.int64) for levels in family.values()), indexing="ij")
    return np.stack([axis.ravel() for axis in grid], axis=1)


def _apart(a: Codes, b: Codes) -> Floats:
    """Difference in levels of two columns, where both have one."""
    return np.where((a > 0) & (b > 0), np.abs(a - b), 0).astype(np.float64)


def _margins(family: Mapping[str, Mapping[int, Level]], states: Codes) -> list[Margin]:
    return [Margin(states[:, at], level_shares(levels, defaulted=False)) for at, levels in enumerate(family.values())]
