"""A draw of the synthetic population: its form, its seed, and what holds in each row."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from population import COLUMNS, draw
from population.figures import (
    ACCOUNT_STATUSES,
    ARCHIVE_STATUSES,
    DEFAULTED_APPLICATIONS,
    LABELLED_APPLICATIONS,
    MERCHANT_GROUPS,
)
from tests.population.published import STANDARD_ERRORS

pytestmark = pytest.mark.tier("land")

ROWS = 90_000
WORST_STATUSES = [name for name in ACCOUNT_STATUSES if "worst" in name]


@pytest.mark.parametrize("rows", [350, ROWS])
def test_has_the_columns_in_order_with_their_types(rows: int) -> None:
    frame = draw(rows)
    assert len(frame) == rows
    assert tuple(frame.columns) == COLUMNS
    assert frame["uuid"].is_unique
    assert frame["uuid"].str.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}").all()
    assert frame["has_paid"].dtype == np.bool_
    assert frame["default"].dtype == np.int64
    assert set(frame["merchant_group"]) <= set(MERCHANT_GROUPS)
    others = frame.columns.difference(["uuid", "has_paid", "default", "merchant_group"])
    assert (frame[others].dtypes == np.float64).all()
    assert not np.isinf(frame[others]).any().any()


@pytest.mark.parametrize("rows", [1_000, 12_345])
def test_the_number_of_defaults_does_not_wander(rows: int) -> None:
    expected = round(rows * DEFAULTED_APPLICATIONS / LABELLED_APPLICATIONS)
    assert [draw(rows, seed)["default"].sum() for seed in (0, 1)] == [expected, expected]


def test_the_seed_decides_the_population() -> None:
    once, again, other = draw(1_000, 7), draw(1_000, 7), draw(1_000, 8)
    pd.testing.assert_frame_equal(once, again)
    assert not once.equals(other)
    assert set(once["uuid"]).isdisjoint(other["uuid"])


def test_classes_are_shuffled(population: pd.DataFrame) -> None:
    halves = population["default"].to_numpy().reshape(2, -1).sum(axis=1)
    # hypergeometric: of 1,288 defaults, 644 ± 18 fall into a half
    assert abs(halves[0] - halves[1]) < 2 * STANDARD_ERRORS * 18


@pytest.mark.parametrize("rows", [-1, 0, 1, 314])
def test_refuses_too_few_rows(rows: int) -> None:
    with pytest.raises(ValueError, match=rf"rows: expected at least 315, .*got {rows}$"):
        draw(rows)


def test_the_fewest_rows_named_are_enough() -> None:
    assert draw(315)["default"].sum() == 5


def test_refuses_a_negative_seed() -> None:
    with pytest.raises(ValueError, match="seed: expected 0 or more, got -1"):
        draw(1_000, -1)


@pytest.fixture(params=["default", "small", "other seed"], scope="module")
def any_population(request: pytest.FixtureRequest, population: pd.DataFrame) -> pd.DataFrame:
    return {
        "default": lambda: population,
        "small": lambda: draw(1_000, 3),
        "other seed": lambda: draw(ROWS, 4),
    }[request.param]()


def test_missing_accounts_are_nested(any_population: pd.DataFrame) -> None:
    missing = any_population[list(ACCOUNT_STATUSES)].isna()
    assert (missing["account_status"] == missing["account_worst_status_0_3m"]).all()
    for later, earlier in pairwise(WORST_STATUSES):
        assert (missing[later] <= missing[earlier]).all()


def test_missing_invoices_are_nested(any_population: pd.DataFrame) -> None:
    ratio = any_population["num_active_div_by_paid_inv_0_12m"].isna()
    span = any_population["avg_payment_span_0_12m"].isna()
    assert (ratio <= span).all()
    assert ratio[any_population["sum_paid_inv_0_12m"] == 0].all()
    assert (any_population.loc[span, "status_max_archived_0_12_months"] == 0).all()


def test_statuses_are_ordered(any_population: pd.DataFrame) -> None:
    last, second, third, half_year, year, two_years = (
        any_population[name] for name in ARCHIVE_STATUSES if name != "has_paid"
    )
    assert (half_year <= year).all()
    assert (year <= two_years).all()
    assert ((last == 0) == (two_years == 0)).all()
    assert (last[second > 0] > 0).all()
    assert (second[third > 0] > 0).all()
    assert (np.maximum(np.maximum(last, second), third) <= two_years).all()
    held = any_population["account_status"].notna()
    assert (any_population["account_status"] <= any_population["account_worst_status_0_3m"])[held].all()


def test_who_never_paid_has_paid_nothing(any_population: pd.DataFrame) -> None:
    never = ~any_population["has_paid"]
    assert (any_population.loc[never, "status_max_archived_0_24_months"] == 0).all()
    for name in ("max_paid_inv_0_24m", "sum_paid_inv_0_12m", "num_arch_ok_0_12m"):
        assert (any_population.loc[never, name] == 0).all()
    # an applicant who paid this year has a largest invoice
    assert (any_population.loc[any_population["sum_paid_inv_0_12m"] > 0, "max_paid_inv_0_24m"] > 0).all()


def test_account_amounts_need_an_account(any_population: pd.DataFrame) -> None:
    before = any_population["account_worst_status_12_24m"].isna()
    assert (any_population.loc[before, "account_amount_added_12_24m"] == 0).all()
    assert (any_population.loc[before, "sum_capital_paid_account_12_24m"] == 0).all()
    none = any_population["account_status"].isna()
    assert (any_population.loc[none, "sum_capital_paid_account_0_12m"] == 0).all()
