"""Reasons as tables: who is named, along which values, how often, and how surely."""

import numpy as np
import pandas as pd
import pytest

from validation.reasons import along, frequency, kept, principal, summary, waterfall
from validation.report.tables import reasons_by_band


def test_up_to_four_reasons_cost_points_and_a_fifth_is_an_inquiry() -> None:
    assert principal([5, -1, -9, 0, -3]) == [2, 4, 1]
    assert principal([-6, -5, -4, -3, -2, -1]) == [0, 1, 2, 3]
    assert principal([-6, -5, -4, -3, -2, -1], {5}) == [0, 1, 2, 3, 5]
    assert principal([-6, -5, -4, -3, -2, 1], {0, 5}) == [0, 1, 2, 3]


def test_the_largest_contributions_come_first() -> None:
    points = np.array([[1.0, -4.0], [-1.0, 6.0], [0.0, 2.0]])
    table = summary(["a", "b"], points)
    assert table["Feature"].tolist() == ["b", "a"]
    assert table["Mean points"].tolist() == pytest.approx([4.0, 2 / 3])
    assert table["Median"].tolist() == [2.0, 0.0]


def test_points_along_few_values_stand_at_each_and_missing_ones_apart() -> None:
    table = along(np.array([1.0, 1.0, 2.0, np.nan]), np.array([1.0, 3.0, 7.0, -5.0]))
    assert table["Value"].tolist()[:2] == [1.0, 2.0]
    assert table["Value"].isna().tolist() == [False, False, True]
    assert table["Mean points"].tolist() == [2.0, 7.0, -5.0]
    assert table["Share"].tolist() == [0.5, 0.25, 0.25]


def test_points_along_many_values_are_in_bins_of_all_rows() -> None:
    values = np.concatenate([np.zeros(60), np.linspace(1, 2, 140)])
    table = along(values, values)
    assert 3 <= len(table) <= 12
    assert table["Share"].sum() == pytest.approx(1)
    assert (table["Share"] * table["Mean points"]).sum() == pytest.approx(values.mean())
    assert table["Value"].is_monotonic_increasing


def test_points_along_a_category_stand_at_its_most_frequent_levels() -> None:
    values = np.array(["b", "a", "b", None], dtype=object)
    table = along(values, np.array([1.0, 5.0, 3.0, -1.0]))
    assert table["Value"].tolist() == ["b", "a", "missing"]
    assert table["Mean points"].tolist() == [2.0, 5.0, -1.0]


def test_frequencies_are_shares_of_a_band_s_applicants() -> None:
    reasons = [("low", [0, 1]), ("low", [1]), ("high", [])]
    table = frequency(["x", "y"], ["low", "middle", "high"], reasons, ["y", "x"])
    assert table.values.tolist() == [["low", 2, 1.0, 0.5], ["high", 1, 0.0, 0.0]]
    assert reasons_by_band(table)["Most frequent reasons"].tolist() == [
        "y 100\N{NO-BREAK SPACE}%, x 50\N{NO-BREAK SPACE}%",
        None,
    ]


def test_the_same_four_may_come_in_another_order_but_not_as_others() -> None:
    before = [[0, 1, 2, 3, 9], [0, 1], [4], []]
    after = [[1, 0, 3, 2], [0, 2], [4], []]
    assert kept(before, after) == (0.75, 0.75)


def test_steps_lead_from_the_base_to_the_score_with_the_small_ones_as_one() -> None:
    cents = [100, -900, 0, *(-(i + 1) for i in range(10))]
    its = waterfall("one", 60_000, cents, [str(i) for i in range(len(cents))])
    assert its.steps[0] == ("1", -9.0)
    assert its.steps[-1] == ("4 others", -0.1)
    assert len(its.steps) == 9
    assert its.total == (60_000 + sum(cents)) / 100
    assert sum(pd.Series([size for _, size in its.steps])) == pytest.approx(its.total - its.base)
