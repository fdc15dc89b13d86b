"""A synthetic population of instalment-credit applicants that resembles the published one.

No applicant in it exists: every row is drawn, from the statistics in `figures` and nothing else.

Units: amounts in the currency's unit, spans and remission in days, `time_hours` in hours of the day (0 to
24), counts and ratios plain, statuses ordered levels. NaN means that there was nothing to observe: no credit
account in that window, or no invoice in that year.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from population.defaulted import defaulted
from population.figures import (
    DEFAULT_RATE,
    HOURS_OF_DEFAULTED,
    HOURS_OF_REPAID,
    LABELLED_APPLICATIONS,
    MERCHANT_GROUPS,
)
from population.numbers import deal_hours
from population.raking import systematic
from population.repaid import repaid

COLUMNS = (
    "uuid",
    "max_paid_inv_0_24m",
    "avg_payment_span_0_12m",
    "sum_capital_paid_account_0_12m",
    "time_hours",
    "recovery_debt",
    "sum_capital_paid_account_12_24m",
    "num_active_div_by_paid_inv_0_12m",
    "sum_paid_inv_0_12m",
    "account_days_in_rem_12_24m",
    "num_arch_ok_0_12m",
    "account_amount_added_12_24m",
    "has_paid",
    "account_status",
    "account_worst_status_0_3m",
    "account_worst_status_3_6m",
    "account_worst_status_6_12m",
    "account_worst_status_12_24m",
    "status_last_archived_0_24m",
    "status_2nd_last_archived_0_24m",
    "status_3rd_last_archived_0_24m",
    "status_max_archived_0_6_months",
    "status_max_archived_0_12_months",
    "status_max_archived_0_24_months",
    "merchant_group",
    "default",
)

# A stratified split into five folds needs a default in each.
LEAST_DEFAULTS = 5


def draw(rows: int = 90_000, seed: int = 99) -> pd.DataFrame:
    """A population of `rows` applicants: `uuid`, the 24 features in the data's order, `default` (0 or 1).

    Number columns are float64 with NaN for missing, has_paid is bool, merchant_group a string. The same seed
    gives the same frame; round(rows × 1.4315 %) applicants default, neither more nor fewer.

    Raises ValueError when so few rows are asked for that fewer than five default, or for a negative seed.
    """
    defaults = round(rows * DEFAULT_RATE)
    if defaults < LEAST_DEFAULTS:
        least = next(n for n in range(LABELLED_APPLICATIONS) if round(n * DEFAULT_RATE) >= LEAST_DEFAULTS)
        raise ValueError(
            f"rows: expected at least {least}, so that {LEAST_DEFAULTS} applicants default, one for each of "
            f"five stratified folds; got {rows}"
        )
    if seed < 0:
        raise ValueError(f"seed: expected 0 or more, got {seed}")
    rng = np.random.default_rng(seed)
    good, bad = repaid(rng, rows - defaults), defaulted(rng, defaults)
    order = rng.permutation(rows)
    frame = pd.DataFrame({name: np.concatenate([good[name], bad[name]])[order] for name in good})
    # What is published of these two goes by class alone, so they go with no other column.
    frame["time_hours"] = np.concatenate(
        [deal_hours(rng, rows - defaults, HOURS_OF_REPAID), deal_hours(rng, defaults, HOURS_OF_DEFAULTED)]
    )[order]
    frame["merchant_group"] = np.concatenate(
        [_merchant_groups(rng, rows - defaults, False), _merchant_groups(rng, defaults, True)]
    )[order]
    frame["has_paid"] = frame["has_paid"] == 1
    frame["default"] = (order >= rows - defaults).astype(np.int64)
    frame["uuid"] = _uuids(rng, rows)
    return frame[list(COLUMNS)]


def _merchant_groups(rng: np.random.Generator, count: int, defaulters: bool) -> NDArray[np.object_]:
    published = MERCHANT_GROUPS.values()
    rates = np.array([group.default_rate for group in published], dtype=np.float64)
    weights = np.array([group.applications for group in published]) * (rates if defaulters else 1 - rates)
    return rng.permutation(np.array(list(MERCHANT_GROUPS), dtype=object)[systematic(rng, weights, count)])


def _uuids(rng: np.random.Generator, count: int) -> list[str]:
    """Identifiers in the form of random (version 4) UUIDs."""
    digits = rng.bytes(16 * count).hex()
    each = (digits[at : at + 32] for at in range(0, len(digits), 32))
    return [f"{d[:8]}-{d[8:12]}-4{d[13:16]}-a{d[17:20]}-{d[20:]}" for d in each]
