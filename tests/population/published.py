"""Figures published of the real population beside those of population/figures.py, and how near a draw has to come."""

from collections.abc import Mapping

import numpy as np

# A share or rate counted among n applicants has the standard error sqrt(p (1 - p) / n), and the published one
# has it too. The draw is stratified and adds little of its own, so 3 of them hold for all 300 comparisons.
STANDARD_ERRORS = 3.0
# Published shares are rounded, and of different samples: the 10,000, all 99,976 or the labelled 89,976.
TABLES_DISAGREE = 0.002
# Levels are counted in the large samples, and raked.
LEVEL_SHARE_TOLERANCE = 0.001
# A level with fewer applications than this has too few defaults for a rate (account status 3: seven in all).
LEAST_LEVEL = 100
# Between two published quantiles a column is interpolated; so near do its moments come out.
MEAN_TOLERANCE = 0.08
STD_TOLERANCE = 0.10
# Depends on a handful of amounts above a million, of which only the largest is published.
STD_TOLERANCES = {"sum_paid_inv_0_12m": 0.18}
# Some 15 of the defaulted have any: their mean says nothing.
HELD_BY_A_HANDFUL = {"recovery_debt"}
# Rank correlations come of stiffnesses and closenesses set by hand, to one or two digits.
CORRELATION_TOLERANCE = 0.06

MISSING = {
    "account_amount_added_12_24m": 0.0,
    "account_days_in_rem_12_24m": 0.1184,
    "account_status": 0.5439,
    "account_worst_status_0_3m": 0.5439,
    "account_worst_status_12_24m": 0.6678,
    "account_worst_status_3_6m": 0.5772,
    "account_worst_status_6_12m": 0.6036,
    "avg_payment_span_0_12m": 0.2384,
    "num_active_div_by_paid_inv_0_12m": 0.2294,
}

# "Quantiles over both classes (10,000 applications)": share of zeros, and the quantiles that are not zero.
OVERALL_ZEROS = {
    "account_amount_added_12_24m": 0.718,
    "account_days_in_rem_12_24m": 0.898,
    "avg_payment_span_0_12m": 0.005,
    "max_paid_inv_0_24m": 0.173,
    "num_active_div_by_paid_inv_0_12m": 0.634,
    "num_arch_ok_0_12m": 0.270,
    "recovery_debt": 0.998,
    "sum_capital_paid_account_0_12m": 0.660,
    "sum_capital_paid_account_12_24m": 0.753,
    "sum_paid_inv_0_12m": 0.216,
    "time_hours": 0.0,
}
OVERALL_QUANTILES: Mapping[str, Mapping[float, float]] = {
    "account_amount_added_12_24m": {0.75: 4454.5, 0.9: 39201, 0.95: 70729.6, 0.99: 160621, 0.999: 359543},
    "account_days_in_rem_12_24m": {0.9: 1, 0.95: 29, 0.99: 120, 0.999: 235.462},
    "avg_payment_span_0_12m": {
        0.01: 1.531, 0.05: 5.33333, 0.1: 7.16667, 0.25: 10.9148, 0.5: 14.9272, 0.75: 21, 0.9: 32, 0.95: 41,
        0.99: 63.553, 0.999: 117.279,
    },
    "max_paid_inv_0_24m": {
        0.25: 3385, 0.5: 7490, 0.75: 13500, 0.9: 23181, 0.95: 33466.2, 0.99: 66702.1, 0.999: 142000,
    },
    "num_active_div_by_paid_inv_0_12m": {0.75: 0.1, 0.9: 0.333333, 0.95: 0.572619, 0.99: 1, 0.999: 3},
    "num_arch_ok_0_12m": {0.5: 2, 0.75: 7, 0.9: 17, 0.95: 30, 0.99: 79, 0.999: 158.008},
    "recovery_debt": {0.999: 1275.2},
    "sum_capital_paid_account_0_12m": {
        0.75: 8643.75, 0.9: 35732.9, 0.95: 56990.8, 0.99: 118649, 0.999: 230490,
    },
    "sum_capital_paid_account_12_24m": {0.9: 21548.3, 0.95: 37133.6, 0.99: 88259.2, 0.999: 160841},
    "sum_paid_inv_0_12m": {
        0.25: 2570, 0.5: 15937.5, 0.75: 43019.8, 0.9: 93100.3, 0.95: 150520, 0.99: 331621, 0.999: 754168,
    },
    "time_hours": {
        0.01: 0.8427, 0.05: 7.39956, 0.1: 8.73222, 0.25: 11.554, 0.5: 15.7143, 0.75: 19.5007, 0.9: 21.4815,
        0.95: 22.2478, 0.99: 23.4983, 0.999: 23.9589,
    },
}  # fmt: skip
QUANTILE_SAMPLE = 10_000

# The published rank correlations of which we have both columns, strongest first.
CORRELATIONS = [
    ("account_worst_status_12_24m", "account_days_in_rem_12_24m", 0.98),
    ("sum_paid_inv_0_12m", "num_arch_ok_0_12m", 0.88),
    ("sum_capital_paid_account_12_24m", "account_amount_added_12_24m", 0.85),
    ("status_max_archived_0_24_months", "status_max_archived_0_12_months", 0.84),
    ("sum_paid_inv_0_12m", "max_paid_inv_0_24m", 0.79),
    ("status_max_archived_0_24_months", "status_last_archived_0_24m", 0.78),
    ("status_3rd_last_archived_0_24m", "status_2nd_last_archived_0_24m", 0.76),
    ("status_max_archived_0_12_months", "status_max_archived_0_6_months", 0.74),
    ("status_max_archived_0_12_months", "status_last_archived_0_24m", 0.71),
    ("sum_capital_paid_account_0_12m", "account_amount_added_12_24m", 0.71),
    ("status_max_archived_0_12_months", "status_2nd_last_archived_0_24m", 0.70),
    ("status_max_archived_0_24_months", "status_2nd_last_archived_0_24m", 0.70),
    ("status_max_archived_0_6_months", "sum_paid_inv_0_12m", 0.69),
    ("status_max_archived_0_12_months", "sum_paid_inv_0_12m", 0.67),
    ("status_3rd_last_archived_0_24m", "sum_paid_inv_0_12m", 0.67),
    ("status_max_archived_0_12_months", "status_3rd_last_archived_0_24m", 0.66),
]


def margin_of(share: float, count: float) -> float:
    """Largest accepted distance of a share among `count` from its figure."""
    return rate_margin(share, count) + TABLES_DISAGREE


def rate_margin(rate: float, count: float) -> float:
    """Largest accepted distance of a default rate among `count` from its figure."""
    return STANDARD_ERRORS * float(np.sqrt(rate * (1 - rate) / count))
