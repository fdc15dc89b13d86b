"""The bootstrap: a draw's figures are scikit-learn's with sample weights, and limits are SciPy's percentiles."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom, rankdata
from scipy.stats import bootstrap as scipy_bootstrap
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from tests.validation.samples import PROBABILITY_LIMITS, Sample, draw, kolmogorov_smirnov, samples
from validation.calibration import calibration_intercept, log_odds, starts_of_groups
from validation.intervals import bootstrap as module
from validation.intervals.bootstrap import bootstrap, draw_into
from validation.intervals.ranked import Ranked
from validation.metrics import evaluate

WITHOUT_LIMITS = {"rows", "defaults", "threshold"}


def figures(sample: Sample, weight: NDArray[np.int64], threshold: float = 0.5) -> dict[str, float]:
    """The statistics of one draw, with weights in the order of the sample."""
    target, probability = sample
    order = np.argsort(probability, kind="stable")
    answer = Ranked(target, probability, threshold, PROBABILITY_LIMITS).figures(weight[order][None, :].astype(float))
    return {name: float(values[0]) for name, values in answer.items()}


@given(samples(), st.data(), st.sampled_from([0.0, 0.1, 0.5, 0.75, 1.0]))
def test_a_draw_has_scikit_learn_s_figures(sample: Sample, data: st.DataObject, threshold: float) -> None:
    y, p = sample
    weight = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(y), max_size=len(y))))
    assume(weight[y == 0].any() and weight[y == 1].any())
    got = figures(sample, weight, threshold)
    precision, recall, f1, _ = precision_recall_fscore_support(
        y, p >= threshold, average="binary", zero_division=0, sample_weight=weight
    )
    drawn_y, drawn_p = np.repeat(y, weight), np.repeat(p, weight)
    group = np.repeat(np.searchsorted(np.sort(p)[starts_of_groups(np.sort(p))], p, side="right"), weight)
    errors = np.array([(drawn_p - drawn_y)[group == g].sum() for g in np.unique(group)])
    size = np.array([(group == g).sum() for g in np.unique(group)])
    expected = {
        "default_rate": drawn_y.mean(),
        "mean_probability": drawn_p.mean(),
        "roc_auc": roc_auc_score(y, p, sample_weight=weight),
        "pr_auc": average_precision_score(y, p, sample_weight=weight),
        "ks": kolmogorov_smirnov(drawn_y, drawn_p),
        "log_loss": log_loss(y, p, sample_weight=weight, labels=[0, 1]),
        "brier": brier_score_loss(y, p, sample_weight=weight),
        "brier_reliability": (errors**2 / size).sum() / len(drawn_y),
        "brier_uncertainty": drawn_y.var(),
        "ece": np.abs(errors).sum() / len(drawn_y),
        "on_limit": ((drawn_p <= PROBABILITY_LIMITS[0]) | (drawn_p >= PROBABILITY_LIMITS[1])).mean(),
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }
    assert {name: got[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert got["gini"] == 2 * got["roc_auc"] - 1
    parts = got["brier_reliability"] - got["brier_resolution"] + got["brier_uncertainty"]
    assert parts == pytest.approx(got["brier"], abs=1e-12)


@given(samples())
def test_everybody_once_is_the_sample_itself(sample: Sample) -> None:
    once = figures(sample, np.ones(len(sample[0]), dtype=int))
    plain = {name: value for name, value in evaluate(*sample, 0.5).items() if name not in WITHOUT_LIMITS}
    assert set(once) == set(plain)
    for name in ("calibration_slope", "calibration_intercept"):  # of cells, and not there for some samples
        once.pop(name)
        plain.pop(name)
    assert once == pytest.approx(plain, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("rows", "slope"), [(300, 1.0), (20_000, 0.6), (20_000, 1.3)])
def test_slope_and_intercept_of_a_draw(rows: int, slope: float) -> None:
    y, p = draw(rows, seed=3, slope=slope)
    x = log_odds(p, PROBABILITY_LIMITS)
    for seed in range(3):
        weight = np.bincount(np.random.default_rng(seed).integers(0, rows, rows), minlength=rows)
        got = figures((y, p), weight)
        fitted = LogisticRegression(C=np.inf, solver="newton-cg", tol=1e-8).fit(x[:, None], y, weight)
        assert got["calibration_slope"] == pytest.approx(fitted.coef_[0, 0], abs=5e-4)
        again = calibration_intercept(np.repeat(y, weight), np.repeat(x, weight))
        assert got["calibration_intercept"] == pytest.approx(again, abs=5e-4)


def area(y: NDArray[np.int8], p: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """ROC-AUC by ranks, for many samples at a time."""
    bad = y.sum(axis=axis)
    ranks = (rankdata(p, axis=axis) * y).sum(axis=axis)
    return np.asarray((ranks - bad * (bad + 1) / 2) / (bad * (y.shape[axis] - bad)))


def squared_error(y: NDArray[np.int8], p: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    return np.asarray(((y - p) ** 2).mean(axis=axis))


def test_limits_are_scipy_s_percentiles() -> None:
    y, p = draw(400, seed=1)
    got = bootstrap(y, p, 0.5, resamples=3_000, seed=4)
    assert got.left_out == 0
    for name, metric in (("roc_auc", area), ("brier", squared_error)):
        known = scipy_bootstrap((y, p), metric, paired=True, method="percentile", n_resamples=3_000, rng=8)
        width = known.confidence_interval.high - known.confidence_interval.low
        assert got.bounds[name] == pytest.approx(tuple(known.confidence_interval), abs=0.06 * width)


def test_the_seed_decides_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    y, p = draw(500)
    first = bootstrap(y, p, 0.5, resamples=60, seed=1).bounds
    monkeypatch.setattr(module, "CELLS", 7 * 500)
    again = bootstrap(y, p, 0.5, resamples=60, seed=1).bounds
    for name, bounds in first.items():
        assert again[name] == pytest.approx(bounds, rel=1e-12)
    assert bootstrap(y, p, 0.5, resamples=60, seed=2).bounds["roc_auc"] != first["roc_auc"]


def test_draws_of_one_class_are_left_out_and_counted() -> None:
    y, p = np.array([0, 0, 1, 0], dtype=np.int8), np.array([0.1, 0.2, 0.3, 0.4])
    one_class = 0
    for number in range(80):
        weight = np.empty(4)
        draw_into(weight, np.random.default_rng((9, number)))
        one_class += not 0 < weight @ y < 4
    got = bootstrap(y, p, 0.5, resamples=80, seed=9)
    assert got.left_out == one_class > 0
    assert 0 <= got.bounds["roc_auc"][0] <= got.bounds["roc_auc"][1] <= 1
    assert "calibration_slope" not in got.bounds  # most of such draws are separated entirely


def test_draws_in_blocks_are_draws_of_one_out_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each weight has mean 1 and variance 1 - 1/N, two have covariance -1/N, in and across blocks alike."""
    monkeypatch.setattr(module, "BLOCK", 4)
    rng, weights = np.random.default_rng(2), np.empty((40_000, 10))
    for row in weights:
        draw_into(row, rng)
    assert (weights.sum(axis=1) == 10).all()
    expected = np.eye(10) - 0.1
    assert np.abs(weights.mean(axis=0) - 1).max() < 5 * np.sqrt(0.9 / len(weights))
    assert np.abs(np.cov(weights.T) - expected).max() < 5 * np.sqrt(2.8 / len(weights))
    assert np.bincount(weights[:, 9].astype(int))[:3] / len(weights) == pytest.approx(
        binom(10, 0.1).pmf([0, 1, 2]), abs=0.01
    )


def test_one_probability_for_all_has_no_slope() -> None:
    y, p = np.array([0, 1] * 50, dtype=np.int8), np.full(100, 0.5)
    bounds = bootstrap(y, p, 0.5, resamples=50, seed=0).bounds
    assert bounds["roc_auc"] == (0.5, 0.5)
    assert bounds["ks"] == (0, 0)
    assert "calibration_slope" not in bounds


@pytest.mark.parametrize("rows", [150, 3_000])
def test_the_interval_holds_the_figure(rows: int) -> None:
    """Bounds hold distances raised by noise: ten groups of 15 applicants are far from their rates by chance alone."""
    y, p = draw(rows)
    bounds = bootstrap(y, p, 0.3, resamples=200, seed=0).bounds
    for name, value in evaluate(y, p, 0.3).items():
        if name not in WITHOUT_LIMITS | {"on_limit"}:
            assert bounds[name][0] < value < bounds[name][1], name
