"""Which calibrator is taken, and why: scikit-learn's own cross-validation is the oracle."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from xgboost import XGBClassifier

from tests.applicants import draw, pipeline
from training.artifacts import load_pipeline, save_pipeline
from training.estimator.boosting import MarginXGBClassifier
from training.estimator.calibrated_cv import AutoCalibratedClassifierCV
from training.estimator.calibration import (
    Losses,
    calibrated,
    choose,
    cross_validated,
    describe,
    fit_calibrator,
    method_of,
)
from training.estimator.private import SigmoidCalibration


def sample(shape: Any, rows: int = 20_000) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Margins, and defaults whose probability is `shape` of them."""
    rng = np.random.default_rng(5)
    margins = rng.normal(-2, 1.5, rows)
    return margins, (rng.random(rows) < shape(margins)).astype(np.int8)


def test_losses_are_those_of_a_cross_validation() -> None:
    x, y = sample(lambda x: expit(x / 2), 3_000)
    folds = StratifiedKFold(5, shuffle=True, random_state=11)
    sigmoid = cross_val_predict(SigmoidCalibration(), x, y, cv=folds)
    isotonic = cross_val_predict(IsotonicRegression(out_of_bounds="clip"), x, y, cv=folds)
    answers = {"none": expit(x), "sigmoid": sigmoid, "isotonic": isotonic}
    comparison = cross_validated(x, y, seed=11, certain_ends=True)
    assert [entry["method"] for entry in comparison] == list(answers)
    for entry, p in zip(comparison, answers.values(), strict=True):
        assert entry["log_loss"] == pytest.approx(log_loss(y, p), rel=1e-12)
        assert entry["brier"] == pytest.approx(brier_score_loss(y, p), rel=1e-12)
        brier_lead = (p - y) ** 2 - (sigmoid - y) ** 2
        assert entry["brier_error"] == pytest.approx(brier_lead.std() / np.sqrt(len(y)), rel=1e-9)
    assert comparison[1]["log_loss_error"] == 0  # the plain method that loses less


def test_the_shape_of_the_truth_decides() -> None:
    assert choose(cross_validated(*sample(expit), seed=0)) in ("none", "sigmoid")
    assert choose(cross_validated(*sample(lambda x: expit(x / 2 - 1)), seed=0)) == "sigmoid"
    assert choose(cross_validated(*sample(lambda x: 0.02 + 0.3 * (x > -1) + 0.3 * (x > 0)), seed=0)) == "isotonic"


def test_a_class_of_two_rows_is_enough() -> None:
    x = np.linspace(-1, 1, 40)
    comparison = cross_validated(x, (x > 0.92).astype(np.int8), seed=0)
    assert all(np.isfinite(entry["log_loss"]) for entry in comparison)


def entries(**losses: tuple[float, float, float, float]) -> Losses:
    return [
        {
            "method": method,
            "log_loss": loss,
            "log_loss_error": error,
            "brier": brier,
            "brier_error": brier_error,
            "on_limit": 0.0,
        }
        for method, (loss, error, brier, brier_error) in losses.items()
    ]


PLAIN = {"none": (0.30, 0.002, 0.09, 0.001), "sigmoid": (0.28, 0, 0.08, 0)}
LOSSES = "Cross-validated log loss: no calibration 0.30000, sigmoid 0.28000"


@pytest.mark.parametrize(
    ("isotonic", "chosen", "why"),
    [
        ((0.29, 0.001, 0.08, 0.001), "sigmoid", "isotonic 0.29000; sigmoid has the lowest."),
        (
            (0.27, 0.006, 0.08, 0.001),
            "sigmoid",
            "isotonic 0.27000; isotonic has the lowest, but ties applicants and its lead of 0.01 is no more than two "
            "standard errors of 0.006, so sigmoid is chosen.",
        ),
        (
            (0.27, 0.001, 0.081, 0.001),
            "sigmoid",
            "isotonic 0.27000; isotonic has the lowest, but ties applicants and its Brier score is higher, so "
            "sigmoid is chosen.",
        ),
        (
            (0.27, 0.001, 0.08, 0.001),
            "isotonic",
            "isotonic 0.27000; isotonic is lower by more than two standard errors, and its Brier score is not higher.",
        ),
    ],
)
def test_the_choice_states_its_reason(isotonic: tuple[float, float, float, float], chosen: str, why: str) -> None:
    comparison = entries(**PLAIN, isotonic=isotonic)
    assert choose(comparison) == chosen
    described = describe(chosen, comparison, by_settings=False)
    assert described["by"] == "comparison"
    assert described["reason"] == f"{LOSSES}, {why}"


def test_the_reason_of_what_the_settings_ask_for() -> None:
    comparison = entries(**PLAIN)
    assert describe("sigmoid", comparison, by_settings=True)["reason"] == f"{LOSSES}; the settings ask for sigmoid."
    said = describe("none", comparison, by_settings=True)
    assert said["reason"] == f"{LOSSES}; the settings ask for no calibration, where cross-validation prefers sigmoid."
    assert said["by"] == "settings"
    nothing = describe("isotonic", [], by_settings=True)["reason"]
    assert nothing == "The settings ask for isotonic; nothing else was tried."


def test_a_calibrator_is_scikit_learn_s_own() -> None:
    x, y = sample(expit, 500)
    sigmoid = fit_calibrator("sigmoid", x, y)
    assert np.array_equal(calibrated(sigmoid, x), expit(-(sigmoid.a_ * x + sigmoid.b_)))
    assert np.array_equal(calibrated(fit_calibrator("none", x, y), x), expit(x))
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(x, y)
    assert np.array_equal(calibrated(fit_calibrator("isotonic", x, y, certain_ends=True), x), isotonic.predict(x))


@pytest.mark.parametrize("rows", [40, 500, 20_000])
@pytest.mark.parametrize("spread", [1.0, 6.0])
def test_isotonic_ends_inside_zero_and_one_by_the_rows_that_support_them(rows: int, spread: float) -> None:
    rng = np.random.default_rng(rows)
    x = rng.normal(scale=spread, size=rows)
    y = (rng.random(rows) < expit(x)).astype(int)
    certain = calibrated(fit_calibrator("isotonic", x, y, certain_ends=True), x)
    inside = calibrated(fit_calibrator("isotonic", x, y), x)
    assert ((inside > 0) & (inside < 1)).all()
    for end, expected in ((0.0, 0.5), (1.0, -0.5)):
        at_end = certain == end
        if at_end.any():
            assert inside[at_end] == pytest.approx(end + expected / (at_end.sum() + 1))
    between = (certain > inside.min()) & (certain < inside.max())
    assert np.array_equal(inside[between], certain[between])
    assert (np.diff(inside[np.argsort(x, kind="stable")]) >= 0).all()


def test_isotonic_of_many_certainties_is_not_chosen() -> None:
    comparison = entries(**PLAIN, isotonic=(0.27, 0.001, 0.08, 0.001))
    comparison[-1]["on_limit"] = 0.2
    assert choose(comparison) == "sigmoid"
    reason = describe("sigmoid", comparison, by_settings=False)["reason"]
    assert "20.0% of its probabilities are certainties, so sigmoid is chosen" in reason


@pytest.mark.parametrize("booster", [MarginXGBClassifier, XGBClassifier])
def test_an_automatic_calibrated_cv_is_scikit_learn_s_with_the_chosen_method(booster: Any, tmp_path: Any) -> None:
    frame, target = draw(800)
    common = {"estimator": booster(n_estimators=8, max_depth=3, n_jobs=1), "cv": StratifiedKFold(3)}
    fitted = pipeline(AutoCalibratedClassifierCV(**common)).fit(frame, target)
    assert [entry["method"] for entry in fitted[1].comparison_] == ["sigmoid", "isotonic"]
    assert method_of(fitted[1]) == fitted[1].method == choose(fitted[1].comparison_)
    told = pipeline(CalibratedClassifierCV(method=fitted[1].method, **common)).fit(frame, target)
    assert np.array_equal(fitted.predict_proba(frame), told.predict_proba(frame))
    save_pipeline(fitted, tmp_path / "pipeline.skops")
    loaded = load_pipeline(tmp_path)
    assert loaded[1].method == fitted[1].method
    assert loaded[1].comparison_ == fitted[1].comparison_
    assert np.array_equal(loaded.predict_proba(frame), fitted.predict_proba(frame))
