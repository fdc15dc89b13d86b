"""Calibrators of outcomes and of a rate, on margins alone: the shift, its reach, and histograms carried over."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from cli.errors import UserError
from runtime.score import Scale
from training.estimator.calibration import calibrated, fit_calibrator
from training.recalibration.calibrators import margins_at, refitted, shifted, shifted_to
from training.recalibration.save import carried_over
from validation.bands import scores_of
from validation.documents import Reference
from validation.stability.bins import Bins, bins_of_scores

pytestmark = pytest.mark.tier("land")


def calibrators() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(-1, 1.5, 3_000)
    target = (rng.random(3_000) < expit(0.8 * x - 0.3)).astype(np.int8)
    return {method: fit_calibrator(method, x, target) for method in ("none", "sigmoid", "isotonic")}


@pytest.mark.parametrize("method", ["none", "sigmoid", "isotonic"])
@pytest.mark.parametrize("rate", [1e-6, 0.021, 0.5, 0.999])
def test_any_rate_is_reached_by_a_shift_of_the_log_odds_alone(method: str, rate: float) -> None:
    parent, rng = calibrators()[method], np.random.default_rng(1)
    x, weight = rng.normal(-1, 1.2, 800), rng.gamma(2, 1, 800)
    new = shifted_to(rate, parent, x, weight)
    before, after = calibrated(parent, x), calibrated(new, x)
    assert np.average(after, weights=weight) == pytest.approx(rate, rel=1e-9)
    assert (np.diff(after[np.argsort(x)]) >= 0).all()
    knots = parent.X_thresholds_ if method == "isotonic" else x
    by = logit(calibrated(new, knots)) - logit(calibrated(parent, knots))
    assert by == pytest.approx(np.full(len(by), by[0]), abs=1e-6)
    assert (before == before[0]).sum() == (after == after[0]).sum()


def test_the_intercept_of_outcomes_is_the_likeliest() -> None:
    parent, rng = calibrators()["sigmoid"], np.random.default_rng(2)
    x, weight = rng.normal(-1, 1.2, 2_000), rng.gamma(2, 1, 2_000)
    target = (rng.random(2_000) < expit(0.8 * x + 0.6)).astype(np.int8)
    new = refitted("intercept", x, target, weight, parent)

    def loss(by: float) -> float:
        p = calibrated(shifted(parent, by), x)
        return -float((weight * np.where(target == 1, np.log(p), np.log1p(-p))).sum())

    best = minimize_scalar(loss, (0, 1), tol=1e-12).x
    assert parent.b_ - new.b_ == pytest.approx(best, abs=1e-6)
    assert new.a_ == parent.a_


def test_steps_of_certainty_leave_some_rates_out_of_reach() -> None:
    parent = IsotonicRegression(out_of_bounds="clip").fit([0.0, 1, 2, 3], [0.0, 0.0, 0.5, 1.0])
    x = np.array([0.0] * 6 + [2.0] * 2 + [3.0] * 2)
    assert calibrated(shifted_to(0.3, parent, x), x).mean() == pytest.approx(0.3)
    for rate in (0.2, 0.4, 0.1, 0.9):
        with pytest.raises(UserError, match=r"expected a default rate above 0\.2 and below 0\.4"):
            shifted_to(rate, parent, x)


@pytest.mark.parametrize("method", ["none", "sigmoid", "isotonic"])
def test_histograms_that_are_carried_over_count_the_new_scores(method: str) -> None:
    scale, parent = Scale(), calibrators()[method]
    x = np.random.default_rng(5).normal(-1, 1.2, 4_000)
    before = scores_of(calibrated(parent, x), scale)
    bins = bins_of_scores(before)
    score: Any = {**bins.as_dict(), "counts": bins.counts(before).tolist()}
    limits: Any = {"score": 0.25, "feature": 0.25}
    reference: Reference = {"rows": 4_000, "limits": limits, "score": score, "features": {}}
    new = shifted_to(0.03, parent, x)
    carried = carried_over(reference, scale, parent, new)["score"]
    counted = Bins.of(carried).counts(scores_of(calibrated(new, x), scale))
    assert counted.tolist() == carried["counts"]
    assert len(carried["edges"]) > 3
    assert margins_at(calibrated(parent, x[:50]), parent) == pytest.approx(x[:50]) or method == "isotonic"


@pytest.mark.parametrize("method", ["slope", "isotonic"])
def test_default_rates_that_fall_with_the_margin_are_refused(method: str) -> None:
    rng = np.random.default_rng(0)
    margin = rng.normal(size=4_000)
    defaulted = (rng.random(4_000) < expit(-margin)).astype(np.int8)
    with pytest.raises(UserError, match=rf"--method {method}: expected default rates that rise with the margin"):
        refitted(method, margin, defaulted, None, None)
