"""The tables of the report: settings to the last digit, cut-offs that are left, bands in two."""

import pandas as pd
import pytest

from tests.validation.report.sample import Sample
from validation.report import tables


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not set"),
        ([], "not set"),
        (True, "true"),
        (600.0, "600"),
        (0.026826957952797246, "0.026826957952797246"),
        ([1e-8, 1 - 1e-8], "1e-08, 0.99999999"),
        ({"age": -1, "income": 1}, "age -1, income 1"),
        ("cross-fit", "cross-fit"),
    ],
)
def test_a_setting_is_read_as_it_is(value: object, text: str) -> None:
    assert tables.shown(value) == text


def test_cutoffs_keep_the_ends_and_the_best(everything: Sample) -> None:
    whole, kept = everything.evidence.cutoffs, tables.cutoffs(everything.evidence.cutoffs)
    assert len(kept) <= tables.MOST_CUTOFFS + 3
    assert kept["Score from"].iloc[[0, -1]].tolist() == whole["Score from"].iloc[[0, -1]].tolist()
    assert (kept["Best"] != "").sum() == (whole["Best"] != "").sum() > 0


def test_bands_are_one_table_in_two(everything: Sample) -> None:
    whole = everything.evidence.bands["test"]
    rule, rates = tables.bands(whole), tables.band_rates(whole)
    assert {*rule.columns, *rates.columns} == set(whole.columns)
    assert set(rule.columns) & set(rates.columns) == {"Band"}
    assert rates["Band"].astype(str).tolist() == whole["Band"].tolist()


def test_features_say_what_is_done_with_them(everything: Sample) -> None:
    signs = {"time_hours": 1, "account_worst_status_max_0_24m": -1}
    settings = everything.run["settings"]
    run = {"settings": settings | {"xgboost": settings["xgboost"] | {"monotone_constraints": signs}}}
    table = tables.features(run, everything.evidence.missing, everything.evidence.importance).set_index("Feature")
    assert table["Preparation"]["max_paid_inv_0_24m"] == "ln(1 + value)"
    assert table["Preparation"]["account_worst_status_3_6m"] == "in the row maximum account_worst_status_max_0_24m"
    assert table["Risk along it"].dropna().value_counts().to_dict() == {"falling": 4, "rising": 1}
    missing = 100 * everything.parts["train"].frame.isna().mean()
    pd.testing.assert_series_equal(table["Missing, %"], missing, check_names=False)


def test_parameters_say_what_was_before(everything: Sample) -> None:
    table = tables.parameters(everything.run).set_index("Parameter")
    assert table["Value"].to_dict() == {
        name: tables.shown(v) for name, v in everything.run["settings"]["xgboost"].items()
    }
    assert table["Before the search"]["max_depth"] == "4"
    assert table["Before the search"]["learning_rate"] == "0.026826957952797246"
