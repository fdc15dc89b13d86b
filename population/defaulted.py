"""Applicants who defaulted: those who repaid, reweighted until every column has the defaulted's published shares.

Of all populations with these shares, the reweighted one differs least from those who repaid. So nothing sets
the defaulted apart but what is published, and what holds for every applicant holds for them too. The chosen
then get the quantiles that their own class has, in the order in which they stood before.
"""

import numpy as np

from population.figures import (
    ACCOUNT_STATUSES,
    ACCOUNT_WORST_STATUS,
    ARCHIVE_STATUSES,
    DEFAULTED_APPLICATIONS,
    NUMBERS,
    Numbers,
)
from population.numbers import Floats, deal, mixed, normal_scores, quantile
from population.raking import Margin, level_shares, rake, systematic
from population.repaid import repaid

# Enough that the worst statuses of rare levels are found among them several times.
CANDIDATES = 60_000
# Leaves every share within 0.007 of its figure, half a standard error of a share among 1,288.
ROUNDS = 20
# A candidate may be chosen more than once: how closely the chosen keep to the order they stood in, so that
# no two of them have the same numbers.
KEEPS_ORDER = 0.95
# Quantiles between which a number column is reweighted.
CUTS = (0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def defaulted(rng: np.random.Generator, count: int) -> dict[str, Floats]:
    """`count` applicants who defaulted, as `repaid` gives those who repaid."""
    candidates = repaid(rng, CANDIDATES)
    weights = rake(np.ones(CANDIDATES), _margins(candidates), ROUNDS)
    # Neighbours in this order are alike, and every stretch of it gets its due number of applicants: the
    # shares of these columns do not wander.
    alike = np.lexsort(
        (
            candidates["status_max_archived_0_24_months"],
            candidates["account_worst_status_0_3m"],
            candidates["status_last_archived_0_24m"],
        )
    )
    chosen = rng.permutation(alike[systematic(rng, weights[alike], count)])
    applicants = {name: values[chosen] for name, values in candidates.items()}
    for name, column in NUMBERS.items():
        values = applicants[name]
        order = mixed(rng, normal_scores(rng, values), KEEPS_ORDER)
        dealt = deal(rng, column.defaulted, order, values > 0, integer=column.integer)
        applicants[name] = np.where(np.isnan(values), np.nan, dealt)
    return applicants


def _margins(candidates: dict[str, Floats]) -> list[Margin]:
    numbers = [_number_margin(candidates[name], column.defaulted) for name, column in NUMBERS.items()]
    levels = {**ACCOUNT_STATUSES, **ARCHIVE_STATUSES}
    worst = np.fmax.reduce([candidates[name] for name in ACCOUNT_STATUSES])
    statuses = [(candidates[name], levels[name]) for name in levels] + [(worst, ACCOUNT_WORST_STATUS)]
    return numbers + [
        Margin(np.nan_to_num(status).astype(np.int64), level_shares(published, defaulted=True))
        for status, published in statuses
    ]


def _number_margin(values: Floats, figures: Numbers) -> Margin:
    """Shares of missing (cell 0), of zeros (1) and of the spans between the class's quantiles (2 and on)."""
    cuts = np.array([cut for cut in CUTS if cut > figures.zeros])
    cells = 2 + np.searchsorted(quantile(figures, cuts), values)
    cells = np.select([np.isnan(values), values == 0], [0, 1], cells)
    seen = figures.count / DEFAULTED_APPLICATIONS
    shares = np.diff([0, figures.zeros, *cuts, 1]) * seen
    return Margin(cells, np.array([1 - seen, *shares]))
