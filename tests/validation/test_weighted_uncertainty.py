"""Uncertainty with weights: draws, effective sizes, and bounds of rates."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from tests.validation.samples import PROBABILITY_LIMITS, Sample, draw, samples
from validation.calibration import group, interval_of_rates, reliability
from validation.intervals.bootstrap import bootstrap
from validation.intervals.ranked import Ranked
from validation.metrics import evaluate
from validation.weights import effective_size, on_a_grid


@given(samples(), st.data())
def test_the_bootstrap_figures_of_all_rows_are_the_metrics(sample: Sample, data: st.DataObject) -> None:
    rows = len(sample[0])
    weight = np.array(data.draw(st.lists(st.floats(1e-3, 1e3), min_size=rows, max_size=rows)))
    expected = evaluate(*sample, 0.5, PROBABILITY_LIMITS, weight)
    found = Ranked(*sample, 0.5, PROBABILITY_LIMITS, weight).figures(np.ones((1, rows)))
    slopes = {"calibration_slope", "calibration_intercept"}  # of cells of nearly equal log-odds
    for name, values in found.items():
        if name not in slopes:
            assert values[0] == pytest.approx(expected[name], rel=1e-8, abs=1e-8), name


def test_a_draw_brings_the_weight_of_a_row_with_it() -> None:
    sample, weight = draw(500), np.random.default_rng(3).lognormal(0, 1, 500)
    counts = np.random.default_rng(4).integers(0, 4, 500)
    order = np.argsort(sample[1], kind="stable")
    found = Ranked(*sample, 0.2, PROBABILITY_LIMITS, weight).figures(counts[order][None, :].astype(float))
    drawn = np.repeat(np.arange(500), counts)
    expected = evaluate(sample[0][drawn], sample[1][drawn], 0.2, PROBABILITY_LIMITS, weight[drawn])
    for name in ("roc_auc", "pr_auc", "ks", "log_loss", "brier", "default_rate", "precision", "recall", "f1"):
        assert found[name][0] == pytest.approx(expected[name], rel=1e-9), name


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        ([1, 1, 1, 1], 4),
        ([0.2] * 10, 10),
        ([1, 1, 2], 16 / 6),  # 4² / (1 + 1 + 4)
        ([1e-9, 1], 1),
        ([], 0),
    ],
)
def test_the_effective_size_is_kishs(weight: Sequence[float], expected: float) -> None:
    assert effective_size(np.array(weight, dtype=float)) == pytest.approx(expected)


def test_bounds_of_a_weighted_rate_are_those_of_so_many_rows_of_equal_weight() -> None:
    """40 rows worth 25, with a rate of 20 %, have Clopper and Pearson's bounds for 5 of 25."""
    low, high = interval_of_rates(np.array([0.2]), np.array([25.0]))
    assert (low[0], high[0]) == pytest.approx((beta.ppf(0.025, 5, 21), beta.ppf(0.975, 6, 20)))
    low, high = interval_of_rates(np.array([0.0, 1.0, np.nan]), np.array([9.5, 9.5, 0.0]))
    assert (low[0], high[1]) == (0, 1)
    assert np.isnan([low[2], high[2]]).all()


def test_bounds_widen_with_unequal_weights_and_not_with_their_sum() -> None:
    target, probability = draw(2_000)
    plain = reliability(group(target, probability))
    heavy = reliability(group(target, probability, weight=np.full(2_000, 1e4)))
    unequal = reliability(group(target, probability, weight=np.random.default_rng(0).lognormal(0, 1.5, 2_000)))
    width = [(table["High"] - table["Low"]).mean() for table in (plain, heavy, unequal)]
    assert width[1] == pytest.approx(width[0])
    assert width[2] > 1.3 * width[0]


def test_the_bootstrap_of_a_weighted_mean_is_as_wide_as_its_linearised_error() -> None:
    target, probability = draw(4_000)
    weight = np.random.default_rng(7).lognormal(0, 1, 4_000)
    low, high = bootstrap(target, probability, 0.5, 1_000, 1, PROBABILITY_LIMITS, weight).bounds["default_rate"]
    rate = np.average(target, weights=weight)
    error = np.sqrt((weight**2 * (target - rate) ** 2).sum()) / weight.sum()
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)  # of 1,000 draws


def test_sums_of_weights_on_the_grid_are_exact_in_any_order() -> None:
    rng = np.random.default_rng(11)
    weight = rng.lognormal(0, 3, 10_000) * 1e-5
    rounded = on_a_grid(weight)
    assert rounded == pytest.approx(weight, rel=1e-6, abs=weight.max() * 2e-12)
    assert {rounded[rng.permutation(10_000)].cumsum()[-1] for _ in range(20)} == {rounded.sum()}
    whole = rng.integers(1, 1_000, 10_000).astype(float)
    assert (on_a_grid(whole) == whole).all()
