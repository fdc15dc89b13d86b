"""Metrics: what each is, on samples whose answer is known, and that parts add up."""

import math

import numpy as np
import pytest
from hypothesis import given
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from tests.validation.samples import Sample, draw, kolmogorov_smirnov, samples
from validation.calibration import (
    calibration_intercept,
    decompose_brier,
    group,
    interval,
    log_odds,
    regress,
    reliability,
)
from validation.metrics import PROBABILITY_LIMITS, evaluate


@given(samples())
def test_every_sample_of_two_classes_has_figures(sample: Sample) -> None:
    figures = evaluate(*sample, 0.5)
    assert all(type(value) in (int, float) for value in figures.values())
    assert all(math.isfinite(value) for name, value in figures.items() if name != "calibration_slope")
    assert figures["brier"] == pytest.approx(brier_score_loss(*sample), abs=1e-15)
    assert figures["roc_auc"] == roc_auc_score(*sample)
    assert figures["ks"] == pytest.approx(kolmogorov_smirnov(*sample))
    assert figures["gini"] == 2 * roc_auc_score(*sample) - 1
    parts = figures["brier_reliability"] - figures["brier_resolution"] + figures["brier_uncertainty"]
    assert parts == pytest.approx(figures["brier"], abs=1e-15)
    assert 0 <= figures["ece"] <= 1
    assert figures["brier_reliability"] <= figures["ece"] + 1e-15  # a square of a share is at most the share


def test_parts_of_the_brier_score_are_murphy_s_where_groups_have_one_probability_each() -> None:
    rng = np.random.default_rng(2)
    p = np.repeat(np.linspace(0.05, 0.95, 10), 100)
    y = (rng.random(1_000) < p**1.5).astype(np.int8)
    parts = decompose_brier(group(y, p), brier_score_loss(y, p))
    rate = y.reshape(10, 100).mean(axis=1)
    assert parts["brier_reliability"] == pytest.approx(((p[::100] - rate) ** 2).mean())
    assert parts["brier_resolution"] == pytest.approx(((rate - y.mean()) ** 2).mean())
    assert parts["brier_uncertainty"] == pytest.approx(y.var())


def test_groups_are_scikit_learn_s_quantiles() -> None:
    y, p = draw(3_000)
    observed, predicted = calibration_curve(y, p, n_bins=10, strategy="quantile")
    table = reliability(group(y, p))
    assert table["Applicants"].tolist() == [300] * 10
    assert np.allclose(table["Observed"], observed)
    assert np.allclose(table["Predicted"], predicted)
    assert evaluate(y, p, 0.5)["ece"] == pytest.approx(np.abs(observed - predicted).mean())


def test_equal_probabilities_are_one_group() -> None:
    p = np.repeat([0.1, 0.2, 0.3], [15, 60, 25])
    groups = group(np.zeros(100, dtype=np.int8), p)
    assert groups.size.tolist() == [15, 60, 25]
    assert groups.expected == pytest.approx([1.5, 12, 7.5])


def test_intervals_are_clopper_and_pearson_s() -> None:
    cases = [(0, 10), (3, 10), (10, 10), (1, 1), (0, 1), (322, 22_500)]
    low, high = interval(*np.array(cases).T)
    for (k, n), *bounds in zip(cases, low, high, strict=True):
        assert bounds == pytest.approx(list(binomtest(k, n).proportion_ci(method="exact")))
    assert np.isnan(interval(np.array([0]), np.array([0]))).all()


def test_slope_and_intercept_undo_what_was_done_to_the_log_odds() -> None:
    y, p = draw(200_000)
    x = log_odds(p, PROBABILITY_LIMITS)
    assert regress(y, x) == pytest.approx((0, 1), abs=0.05)
    fitted = LogisticRegression(C=np.inf, solver="newton-cg", tol=1e-8).fit(x[:, None], y)
    assert regress(y, x) == pytest.approx((fitted.intercept_[0], fitted.coef_[0, 0]), abs=1e-6)
    assert regress(y, 2 * x)[1] == pytest.approx(0.5 * regress(y, x)[1])
    assert calibration_intercept(y, x + 1) == pytest.approx(calibration_intercept(y, x) - 1)
    added = calibration_intercept(y, x - 3)
    assert expit(x - 3 + added).mean() == pytest.approx(y.mean())


@pytest.mark.parametrize("x", [[1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 2.0, 3.0], [3.0, 2.0, 1.0, 0.0], [0.0, 1.0, 1.0, 2.0]])
def test_no_slope_where_there_is_none(x: list[float]) -> None:
    y = np.array([0, 0, 1, 1], dtype=np.int8)
    assert np.isnan(regress(y, np.array(x))).all()
    assert math.isfinite(calibration_intercept(y, np.array(x)))


def test_the_share_on_the_limits_counts_both_ends() -> None:
    y = np.array([0, 0, 1, 1, 1, 0], dtype=np.int8)
    p = np.array([0.0, 0.01, 0.02, 0.5, 0.99, 0.999])
    assert evaluate(y, p, 0.5, (0.01, 0.99))["on_limit"] == pytest.approx(4 / 6)
    assert evaluate(y, p, 0.5)["on_limit"] == pytest.approx(1 / 6)


def test_the_threshold_itself_is_a_predicted_default() -> None:
    y, p = np.array([0, 1, 1, 0], dtype=np.int8), np.array([0.1, 0.3, 0.6, 0.5])
    figures = evaluate(y, p, 0.5)
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.5, 0.5, 0.5)
    none = evaluate(y, p, 0.9)
    assert (none["precision"], none["recall"], none["f1"]) == (0, 0, 0)
