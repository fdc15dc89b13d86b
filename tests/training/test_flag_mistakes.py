"""Mistakes in flags: each is one line that names the flag's setting."""

import pytest

from tests.training.settings_read import mistake_in_flags

FLAG_MISTAKES = [
    (
        "--test-size 2",
        "command line: split.test_size: expected a number above 0 and below 1, got 2.0; for example test_size = 0.25",
    ),
    (
        "--features time_hours,agee",
        "command line: features: no feature agee is configured; known here: "
        "account_amount_added_12_24m, account_days_in_rem_12_24m, account_status, "
        "account_worst_status_0_3m, account_worst_status_12_24m, account_worst_status_3_6m, "
        "account_worst_status_6_12m, avg_payment_span_0_12m, has_paid, max_paid_inv_0_24m, "
        "merchant_group, num_active_div_by_paid_inv_0_12m and 12 more",
    ),
    (
        "--features ''",
        'command line: features: expected at least one feature, got none; for example age = "number"',
    ),
    (
        "--log1p has_paid",
        "command line: features.has_paid.log1p: needs a number feature, got a boolean; leave log1p out",
    ),
    (
        "--log1p tim_hours",
        "command line: log1p: no feature tim_hours is configured; did you mean time_hours?",
    ),
    (
        "--vocabulary has_paid=a",
        "command line: features.has_paid.vocabulary: needs a category feature, got a boolean; leave the vocabulary out",
    ),
    (
        "--vocabulary purpose=a",
        "command line: vocabulary: no feature purpose is configured; known here: "
        "account_amount_added_12_24m, account_days_in_rem_12_24m, account_status, "
        "account_worst_status_0_3m, account_worst_status_12_24m, account_worst_status_3_6m, "
        "account_worst_status_6_12m, avg_payment_span_0_12m, has_paid, max_paid_inv_0_24m, "
        "merchant_group, num_active_div_by_paid_inv_0_12m and 12 more",
    ),
    (
        "--vocabulary merchant_group=a,a",
        'command line: features.merchant_group.vocabulary: "a" is listed 2 times; list it once',
    ),
    (
        "--data ''",
        'command line: data.file: expected text that is not empty, got ""; for example file = "loans.csv"',
    ),
    (
        "--no-ensemble",
        'command line: model.ensemble: false contradicts model.estimator = "cross-fit"; leave it out '
        'or use "calibrated-cv"',
    ),
    (
        "--xgboost booster=dart",
        'command line: xgboost.booster: "dart" is not among what training fits: lastbit.export_model takes a fitted '
        'pipeline with dropout; leave it out, or "gbtree"',
    ),
    (
        "--xgboost num_parallel_tree=true",
        "command line: xgboost.num_parallel_tree: expected a whole number from 1 to 1000, got true; for example "
        "num_parallel_tree = 4",
    ),
    (
        "--xgboost max_bin=many",
        'command line: xgboost.max_bin: expected a whole number from 2 to 65536, got "many"; for example max_bin = 256',
    ),
    (
        "--row-max worst=time_hour",
        "command line: row_max.worst: expected number features, got time_hour; did you mean time_hours?",
    ),
    (
        "--numbers a --features b",
        "command line: features: no feature b is configured; known here: a",
    ),
    (
        "--separator ab",
        'command line: data.separator: expected one character, got "ab"; leave it out to have it detected',
    ),
    (
        "--numbers a --target a",
        "command line: features.a: is data.target, which a model must not see; take it out of the features",
    ),
]


@pytest.mark.parametrize(("line", "message"), FLAG_MISTAKES)
def test_a_mistake_in_flags_is_one_line(line: str, message: str) -> None:
    assert mistake_in_flags(line) == message
