"""Stability: bins that take every value, an index with its known properties, and limits that chance does not pass."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.stats import entropy

from table.settings import Feature
from tests.applicants import draw
from validation.settings import Stability
from validation.stability import reference_of, shifts
from validation.stability.bins import (
    LEAST_ROWS,
    MOST_BINS,
    MOST_LEVELS,
    Bins,
    bins_of,
    bins_of_numbers,
    bins_of_scores,
    intervals,
)
from validation.stability.index import shift

LIMITS = Stability()

# Few different numbers make ties and heavy values; the wide range is what float32, and so the table, can hold.
number = st.sampled_from([0.0, -0.0, 1.0, 2.5, 1e-40, 5e-324, math.nan]) | st.floats(-3e38, 3e38)
numbers = hnp.arrays(np.float64, st.integers(1, 60), elements=number)
any_number = number | st.sampled_from([math.inf, -math.inf])
level = st.sampled_from(["a", "b", "", "missing", "all others", None]) | st.text(max_size=3)


def texts(values: Sequence[str | None]) -> NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


levels = st.lists(level, min_size=1, max_size=60).map(texts)
counts = st.lists(st.integers(0, 50), min_size=2, max_size=12).map(np.array).filter(lambda found: found.sum() > 0)


# ---------------------------------------------------------------- bins


def test_a_heavy_value_of_a_number_has_a_bin_of_its_own() -> None:
    column = np.concatenate([np.zeros(500), np.arange(1, 501), np.full(40, np.nan)])
    bins = bins_of_numbers(column)
    assert bins.values == (0.0,)
    assert bins.edges == (101.0, 201.0, 301.0, 401.0)
    assert bins.counts(column).tolist() == [500, 100, 100, 100, 100, 100, 40]
    assert bins.labels() == ["0", "below 101", "101 to 201", "201 to 301", "301 to 401", "401 and more", "missing"]


def test_few_different_numbers_have_a_bin_each() -> None:
    column = np.repeat([1.0, 2.0, 3.0, 4.0], [900, 80, 15, 3])
    bins = bins_of_numbers(column)
    assert bins.labels() == ["1", "2", "3", "all others", "missing"]
    assert bins.counts(column).tolist() == [900, 80, 15, 3, 0]


def test_a_tie_is_in_one_bin() -> None:
    column = np.concatenate([np.full(95, 5.0), np.linspace(0, 100, 905)])
    bins = bins_of_numbers(column)
    assert 5.0 not in bins.values
    counts = bins.counts(column)
    assert len(set(bins.places(np.full(95, 5.0)).tolist())) == 1
    assert counts.sum() == 1000
    assert counts[:-1].min() > 50


def test_a_constant_or_empty_column_has_bins() -> None:
    assert bins_of_numbers(np.full(50, 7.0)).labels() == ["7", "all others", "missing"]
    assert bins_of_numbers(np.full(50, np.nan)).labels() == ["any", "missing"]
    assert bins_of(texts([None] * 20), "category").labels() == ["any", "missing"]


def test_a_boolean_has_a_bin_for_each_value() -> None:
    bins = bins_of(np.array([1.0, np.nan, 0.0, 1.0]), "boolean")
    assert bins.labels() == ["false", "true", "all others", "missing"]
    assert bins.counts(np.array([1.0, np.nan, 0.0, 1.0])).tolist() == [1, 2, 0, 1]


def test_levels_by_how_many_have_them_and_the_rest() -> None:
    column = texts(["b"] * 30 + ["a"] * 30 + ["c"] * 40 + ["rare"] * (LEAST_ROWS - 1) + [None, ""])
    bins = bins_of(column, "category")
    assert bins.labels() == ["c", "a", "b", "all others", "missing"]
    assert bins.counts(column).tolist() == [40, 30, 30, LEAST_ROWS - 1, 2]
    assert bins.places(texts(["unseen", "rare", "a", None])).tolist() == [3, 3, 1, 4]


def test_no_more_than_twenty_levels_have_bins_of_their_own() -> None:
    column = texts([f"level {i:02}" for i in range(30) for _ in range(100 - i)])
    assert bins_of(column, "category").values == tuple(f"level {i:02}" for i in range(MOST_LEVELS))


def test_edges_have_no_needless_digits() -> None:
    column = np.random.default_rng(0).lognormal(8, 2, 5_000)
    edges = bins_of_numbers(column).edges
    assert len(edges) == MOST_BINS - 1
    assert not set(edges) & set(column)  # no edge is what one applicant has
    assert all(len(f"{edge:.15g}") <= 8 for edge in edges)
    assert bins_of_numbers(column).counts(column)[:-1].min() > 450


@pytest.mark.parametrize(
    ("edges", "names"),
    [
        ([], ["any"]),
        ([20240101.0], ["below 20,240,101", "20,240,101 and more"]),
        ([1.00001, 1.00002], ["below 1.00001", "1.00001 to 1.00002", "1.00002 and more"]),
        ([-1e-12, 1e30], ["below -1e-12", "-1e-12 to 1e+30", "1e+30 and more"]),
    ],
)
def test_intervals_are_named_by_their_edges(edges: list[float], names: list[str]) -> None:
    assert intervals(edges, "any") == names


@given(numbers, st.lists(any_number, min_size=1, max_size=30))
def test_bins_of_numbers_take_every_value(column: NDArray[np.float64], other: list[float]) -> None:
    bins = bins_of_numbers(column)
    assert len(bins.values) + len(bins.edges) + 1 <= MOST_BINS + 1
    assert len(bins) == len(bins.labels()) == len(bins.counts(column))
    assert list(bins.edges) == sorted(set(bins.edges))
    assert bins.counts(column).sum() == len(column)
    found = np.array(other)
    places = bins.places(found)
    assert ((places >= 0) & (places < len(bins))).all()
    np.testing.assert_array_equal(places == len(bins) - 1, np.isnan(found))
    np.testing.assert_array_equal(places < len(bins.values), np.isin(found, bins.values))
    between = places[(places >= len(bins.values)) & ~np.isnan(found)]
    ordered = found[(places >= len(bins.values)) & ~np.isnan(found)]
    assert (np.diff(between[np.argsort(ordered)]) >= 0).all()
    for low, high in zip((-math.inf, *bins.edges), (*bins.edges, math.inf), strict=True):
        inside = (found >= low) & (found < high) & ~np.isin(found, bins.values)
        assert len(set(places[inside].tolist())) <= 1
    assert Bins.of(json.loads(json.dumps(bins.as_dict()))) == bins


@given(levels, levels)
def test_bins_of_levels_take_every_value(column: NDArray[np.object_], other: NDArray[np.object_]) -> None:
    bins = bins_of(column, "category")
    assert len(bins.values) <= MOST_LEVELS
    assert bins.counts(column).sum() == len(column)
    for value, place in zip(other, bins.places(other), strict=True):
        expected = len(bins) - 1 if value in (None, "") else len(bins.values)
        assert place == (bins.values.index(value) if value in bins.values else expected)
    assert Bins.of(json.loads(json.dumps(bins.as_dict()))) == bins


@pytest.mark.parametrize("ulps", [-1, 1])
def test_the_last_bit_of_a_score_moves_nothing(ulps: int) -> None:
    """Isotonic plateaus: many have the very same score."""
    rng = np.random.default_rng(0)
    scores = rng.choice(np.round(rng.normal(600, 40, 12), 9), 5_000, p=np.r_[0.4, np.full(11, 0.6 / 11)])
    scores = np.concatenate([scores, rng.normal(600, 40, 2_000)])
    bins = bins_of_scores(scores)
    assert not bins.values
    assert 4 <= len(bins.edges) <= MOST_BINS - 1
    moved = np.nextafter(scores, math.inf * ulps)
    np.testing.assert_array_equal(bins.counts(scores), bins.counts(moved))


def test_one_score_for_all_has_one_bin() -> None:
    assert bins_of_scores(np.full(30, 612.5)).labels() == ["any", "missing"]


# ---------------------------------------------------------------- index


def test_the_index_is_the_one_computed_by_hand() -> None:
    found = shift(np.array([50, 50]), np.array([30, 70]))
    # (0.3 - 0.5) ln(0.3 / 0.5) + (0.7 - 0.5) ln(0.7 / 0.5)
    np.testing.assert_allclose(found.contributions, [0.1021651, 0.0672944], atol=1e-7)
    assert found.index == pytest.approx(0.1694596, abs=1e-7)
    assert found.by_chance == pytest.approx(1 / 100 + 1 / 100)


def test_an_empty_bin_is_half_an_applicant_of_the_smaller_set() -> None:
    found = shift(np.array([1_000, 0]), np.array([45, 5]))
    assert found.contributions[1] == pytest.approx((0.1 - 0.01) * math.log(0.1 / 0.01))
    assert found.contributions[0] == pytest.approx((0.9 - 1) * math.log(0.9))


@given(counts, counts)
def test_the_index_is_symmetric_and_zero_for_equal_shares(
    expected: NDArray[np.int64], actual: NDArray[np.int64]
) -> None:
    size = min(len(expected), len(actual))
    expected, actual = expected[:size], actual[:size]
    assume(expected.sum() > 0 and actual.sum() > 0)
    found = shift(expected, actual)
    assert (found.contributions >= 0).all()
    assert found.index == pytest.approx(shift(actual, expected).index)
    assert shift(expected, expected).index == 0
    assert shift(expected, 7 * expected).index == pytest.approx(0, abs=1e-12)
    assert found.beyond_chance >= found.by_chance
    rows, others = int(expected.sum()), int(actual.sum())
    if min((expected / rows).min(), (actual / others).min()) * min(rows, others) >= 0.5:
        assert found.index == pytest.approx(entropy(expected, actual) + entropy(actual, expected))
    order = np.random.default_rng(0).permutation(size)
    assert shift(expected[order], actual[order]).index == pytest.approx(found.index)


@pytest.mark.parametrize("rows", [50, 200, 5_000])
def test_chance_alone_is_not_called_moved(rows: int) -> None:
    """Two thousand pairs of samples of one population: one in a thousand may pass, and the mean is as foretold."""
    rng = np.random.default_rng(1)
    shares = np.array([0.3, 0.2, 0.1, 0.1, 0.1, 0.08, 0.05, 0.04, 0.02, 0.01])
    pairs = [(rng.multinomial(10_000, shares), rng.multinomial(rows, shares)) for _ in range(2_000)]
    found = [shift(expected, actual) for expected, actual in pairs]
    assert np.mean([s.index for s in found]) == pytest.approx(np.mean([s.by_chance for s in found]), rel=0.15)
    assert sum(s.index >= s.counts_from(1e-9) for s in found) <= 10


# ---------------------------------------------------------------- reference and comparison

FEATURES = (
    Feature("income", "number"),
    Feature("late_1", "number"),
    Feature("has_paid", "boolean"),
    Feature("shop", "category"),
)


@pytest.fixture(scope="module")
def applicants() -> tuple[pd.DataFrame, NDArray[np.float64], dict[str, Any]]:
    frame, _ = draw(4_000)
    scores = np.random.default_rng(0).normal(600, 40, len(frame))
    return frame, scores, json.loads(json.dumps(reference_of(frame[:3_000], scores[:3_000], FEATURES, LIMITS)))


def test_what_a_reference_holds(applicants: Any) -> None:
    _, _, reference = applicants
    assert reference["rows"] == 3_000
    assert reference["limits"] == {"score": 0.25, "feature": 0.25}
    assert list(reference["features"]) == ["income", "late_1", "has_paid", "shop"]
    assert reference["features"]["late_1"]["values"] == [0, 1, 2, 3, 4]
    assert reference["features"]["has_paid"]["values"] == [False, True]
    assert sorted(reference["features"]["shop"]["values"]) == ["books", "garden", "shoes"]
    for entry in (reference["score"], *reference["features"].values()):
        assert sum(entry["counts"]) == 3_000
    assert len(json.dumps(reference)) < 1_500


def test_the_same_rows_have_not_moved(applicants: Any) -> None:
    frame, scores, reference = applicants
    found = shifts(reference, frame[:3_000], scores[:3_000], LIMITS)
    assert found["rows"] == {"expected": 3_000, "actual": 3_000}
    assert found["score"]["psi"] == 0
    assert [entry["csi"] for entry in found["features"]] == [0] * 4


def test_other_rows_of_the_same_population_have_not_moved(applicants: Any) -> None:
    frame, scores, reference = applicants
    found = shifts(reference, frame[3_000:], scores[3_000:], Stability(0.001, 0.001))
    assert not found["score"]["moved"]
    assert not any(entry["moved"] for entry in found["features"])


def test_what_moved_comes_first_with_its_bins(applicants: Any) -> None:
    frame, scores, reference = applicants
    other = frame[3_000:].assign(
        income=frame["income"] * 3, shop=frame["shop"].where(frame["shop"] != "books", "unseen")
    )
    found = shifts(reference, other, scores[3_000:] - 30, LIMITS)
    assert found["score"]["moved"]
    assert [entry["feature"] for entry in found["features"] if entry["moved"]] == ["shop", "income"]
    shop = found["features"][0]
    assert shop["csi"] == pytest.approx(sum(part["contribution"] for part in shop["bins"]))
    by_name = {part["bin"]: part for part in shop["bins"]}
    assert by_name["books"]["actual"] == 0
    assert by_name["all others"]["expected"] == 0
    assert by_name["all others"]["actual"] == pytest.approx((other["shop"] == "unseen").mean())
    for part in ("expected", "actual"):
        assert sum(entry[part] for entry in shop["bins"]) == pytest.approx(1)
    json.dumps(found, allow_nan=False)


def test_few_rows_have_to_move_further(applicants: Any) -> None:
    frame, scores, reference = applicants
    found = shifts(reference, frame[3_000:3_040], scores[3_000:3_040], LIMITS)
    assert found["score"]["limit"] == 0.25
    assert found["score"]["counts_from"] > 0.5
    assert shifts(reference, frame[3_000:], scores[3_000:], LIMITS)["score"]["counts_from"] == 0.25
    assert shifts(reference, frame[3_000:3_040], scores[3_000:3_040] - 150, LIMITS)["score"]["moved"]
