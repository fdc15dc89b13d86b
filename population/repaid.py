"""Applicants who repaid: statuses from their law, then every number column by rank.

A key puts the applicants in order, made of what was drawn before them and of chance, and the column's
published quantiles are dealt out along that order. So what a column correlates with never bends its shape.
Missing is NaN, and means that there was nothing to observe.
"""

import numpy as np

from population.figures import NUMBERS, REPAID_APPLICATIONS
from population.numbers import Flags, Floats, deal, lowest, mixed, normal_scores
from population.statuses import account_law, archive_law

# Strength of association, 0 (independent) to 1. The published rank correlations fix those of
# the invoices' and the account's amounts; those with lateness and trouble are chosen: signs of trouble that
# concern the same applicants carry less information than their number suggests, and a model on this population then
# discriminates as models do on the real one.
SPENT_WITH_ORDERS = 0.87
LARGEST_WITH_SPENT = 0.75
RATIO_WITH_TROUBLE = 0.7
BEFORE_WITH_ADDED = 0.65
SINCE_WITH_ADDED = 0.55
ACCOUNT_WITH_LATENESS = 0.9
SPAN_WITH_TROUBLE = 0.8
# Effect on lateness, in its standard deviations, of each level of the account's worst status above 1.
TROUBLE_OF_ACCOUNT_LEVEL = 0.7


def repaid(rng: np.random.Generator, count: int) -> dict[str, Floats]:
    """`count` applicants who repaid, in chance order: every column but the hour and the merchant."""
    archive = _archive(rng, count)
    lateness = normal_scores(
        rng,
        archive["status_last_archived_0_24m"]
        + archive["status_max_archived_0_12_months"]
        + archive["status_max_archived_0_24_months"],
    )
    account = _account_statuses(rng, lateness)
    worst = np.maximum.reduce(list(account.values()))
    trouble = lateness + TROUBLE_OF_ACCOUNT_LEVEL * np.maximum(worst - 1, 0)
    return (
        archive
        | {name: np.where(status > 0, status, np.nan) for name, status in account.items()}
        | _invoice_numbers(rng, archive, trouble)
        | _account_numbers(rng, account)
    )


def _archive(rng: np.random.Generator, count: int) -> dict[str, Floats]:
    law = archive_law()
    states = rng.permutation(law.draw(rng, count)).astype(np.float64)
    return dict(zip(law.columns, states.T, strict=True))


def _account_statuses(rng: np.random.Generator, lateness: Floats) -> dict[str, Floats]:
    """Statuses of the account (0 for none): chance says who has one, lateness mostly how bad it is."""
    law = account_law()
    drawn = law.draw(rng, len(lateness))
    held = drawn[drawn[:, 0] > 0]
    holders = rng.permutation(len(lateness))[: len(held)]
    states = np.zeros(drawn.shape)
    states[holders[np.argsort(mixed(rng, lateness[holders], ACCOUNT_WITH_LATENESS))]] = held
    return dict(zip(law.columns, states.T, strict=True))


def _invoice_numbers(rng: np.random.Generator, archive: dict[str, Floats], trouble: Floats) -> dict[str, Floats]:
    """Counts, amounts and spans of invoices, as far as the archive's statuses allow them."""
    last = archive["status_last_archived_0_24m"]
    second, third = archive["status_2nd_last_archived_0_24m"], archive["status_3rd_last_archived_0_24m"]
    half_year, year = archive["status_max_archived_0_6_months"], archive["status_max_archived_0_12_months"]
    two_years = archive["status_max_archived_0_24_months"]

    def chance() -> Floats:
        return rng.random(len(last))

    # An invoice archived as paid in time (status 1) in the year is one in order; with none archived there is no such.
    in_order = np.select([year == 0, (year == 1) | (last == 1)], [0.0, 2.0], 1.0)
    # Many invoices, and one of the last half-year among them, raise the worst status as well as the count.
    regular = 0.5 * (half_year > 0) + 0.4 * (year > 1) + 0.3 * (two_years > 1) + rng.standard_normal(len(last))
    # Those with one or two archived in all stay where the count is 1 and 2.
    few = -np.abs(rng.standard_normal(len(last)))
    orders = _dealt(
        rng,
        "num_arch_ok_0_12m",
        np.select([third > 0, second > 0], [regular, few - 0.9], few - 1.5),
        ~_nothing("num_arch_ok_0_12m", in_order + chance()),
    )
    busy = normal_scores(rng, orders)

    # A chain: who never paid has no largest invoice, who has none paid nothing this year, and so on down to
    # the span; each has nothing in a column that the one before has nothing in.
    history = np.select([archive["has_paid"] == 0, two_years == 0, year == 0], [0.0, 1.0, 2.0], 3.0)
    never = _nothing("max_paid_inv_0_24m", history + chance())
    idle = np.select([never, history < 3], [0.0, 1.0], 2.0) + chance()
    spent = _dealt(
        rng,
        "sum_paid_inv_0_12m",
        mixed(rng, busy + 0.4 * (half_year > 0), SPENT_WITH_ORDERS),
        ~_nothing("sum_paid_inv_0_12m", idle),
    )
    wealth = normal_scores(rng, spent)
    largest = _dealt(rng, "max_paid_inv_0_24m", mixed(rng, wealth, LARGEST_WITH_SPENT), ~never)
    # year: shares of a small draw are rounded, and could reach one applicant too far
    ratio_seen = ~_missing("num_active_div_by_paid_inv_0_12m", idle) | (year > 0)
    ratio = _dealt(
        rng,
        "num_active_div_by_paid_inv_0_12m",
        # the ratio's denominator is what a busy applicant has more of
        mixed(rng, trouble - busy, RATIO_WITH_TROUBLE),
        ~_nothing(
            "num_active_div_by_paid_inv_0_12m",
            0.5 * (busy + trouble) + rng.standard_normal(len(last)),
            ratio_seen,
        ),
        ratio_seen,
    )
    span_seen = ~_missing("avg_payment_span_0_12m", idle) | (year > 0)
    span = _dealt(
        rng,
        "avg_payment_span_0_12m",
        mixed(rng, trouble, SPAN_WITH_TROUBLE),
        ~_nothing("avg_payment_span_0_12m", chance(), span_seen),
        span_seen,
    )
    debt = _dealt(
        rng,
        "recovery_debt",
        chance(),
        ~_nothing("recovery_debt", trouble + 2 * rng.standard_normal(len(last))),
    )
    return {
        "num_arch_ok_0_12m": orders,
        "sum_paid_inv_0_12m": spent,
        "max_paid_inv_0_24m": largest,
        "num_active_div_by_paid_inv_0_12m": ratio,
        "avg_payment_span_0_12m": span,
        "recovery_debt": debt,
    }


def _account_numbers(rng: np.random.Generator, account: dict[str, Floats]) -> dict[str, Floats]:
    """Amounts and days of the account, nothing where there was no account in that window."""
    held, old = account["account_status"] > 0, account["account_worst_status_12_24m"]
    year = account["account_worst_status_6_12m"] > 0
    # more than any score, so that applicants without an account come first
    first = 20.0
    use = rng.standard_normal(len(old))
    before = mixed(rng, use, BEFORE_WITH_ADDED)
    since = mixed(rng, use, SINCE_WITH_ADDED)
    added = _dealt(
        rng,
        "account_amount_added_12_24m",
        use,
        ~_nothing("account_amount_added_12_24m", first * (old > 0) + use),
    )
    paid_before = _dealt(
        rng,
        "sum_capital_paid_account_12_24m",
        before,
        ~_nothing("sum_capital_paid_account_12_24m", first * (old > 0) + before),
    )
    paid_since = _dealt(
        rng,
        "sum_capital_paid_account_0_12m",
        since,
        ~_nothing("sum_capital_paid_account_0_12m", first * held + year + since),
    )
    # Days in remission are those of a worst status above 1; 1.75: how much rarer they are missing there.
    late = np.where(old > 1, old, 0)
    seen = ~_missing("account_days_in_rem_12_24m", rng.random(len(old)) * np.where(late > 0, 1.75, 1))
    days = _dealt(
        rng,
        "account_days_in_rem_12_24m",
        late + 0.5 * rng.standard_normal(len(old)),
        ~_nothing("account_days_in_rem_12_24m", late + rng.random(len(old)), seen),
        seen,
    )
    return {
        "account_amount_added_12_24m": added,
        "sum_capital_paid_account_12_24m": paid_before,
        "sum_capital_paid_account_0_12m": paid_since,
        "account_days_in_rem_12_24m": days,
    }


def _missing(name: str, first: Floats) -> Flags:
    """Rows without a history: the published share, lowest key first."""
    return lowest(first, 1 - NUMBERS[name].repaid.count / REPAID_APPLICATIONS)


def _nothing(name: str, first: Floats, seen: Flags | None = None) -> Flags:
    """Whose number is 0: the published share of those seen, those with the lowest key first."""
    zeros = NUMBERS[name].repaid.zeros
    if seen is None:
        return lowest(first, zeros)
    nothing = np.zeros(len(first), dtype=bool)
    nothing[seen] = lowest(first[seen], zeros)
    return nothing


def _dealt(rng: np.random.Generator, name: str, order: Floats, positive: Flags, seen: Flags | None = None) -> Floats:
    column = NUMBERS[name]
    if seen is None:
        return deal(rng, column.repaid, order, positive, integer=column.integer)
    return np.where(seen, deal(rng, column.repaid, order, positive & seen, integer=column.integer), np.nan)
