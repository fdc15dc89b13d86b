"""New calibrators for margins that stay: shifted to a rate, or fitted again.

A shift keeps the parent's ranking and its slope: the log-odds of every answer move by one number, so that the mean
probability of some rows is the wanted rate. If outcomes give the rate, this is the maximum-likelihood intercept, whose
score equation says just this about the mean.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from cli.errors import UserError
from training.estimator.calibration import calibrated, fit_calibrator
from training.estimator.private import SigmoidCalibration
from validation.weights import effective_size, per_mean

Floats = NDArray[np.float64]

INTERCEPT, SLOPE, ISOTONIC = "intercept", "slope", "isotonic"
# Rows of either outcome: ten a parameter (Peduzzi et al. 1996, doi:10.1016/S0895-4356(96)00236-3); isotonic steps need
# about 1,000 rows (Niculescu-Mizil and Caruana 2005, doi:10.1145/1102351.1102430), and outcomes as a validation does.
LEAST: Mapping[str, int] = {INTERCEPT: 10, SLOPE: 20, ISOTONIC: 100}
LEAST_ROWS_OF_ISOTONIC = 1_000
LARGEST_SHIFT = 60.0  # of log-odds; beyond, float64 holds no other probability


def refuse_few(method: str, target: NDArray[np.int8], weight: Floats | None) -> None:
    """Raise UserError for too few outcomes [N] for a method; weighted rows count as their effective number."""
    least = LEAST[method]
    for outcome, words in ((1, "defaults"), (0, "rows without a default")):
        its = target == outcome
        found = float(its.sum()) if weight is None else effective_size(weight[its])
        if found < least:
            raise UserError(
                f"--method {method}: expected {least} {words} or more, got {found:,.0f}; "
                + ("gather more" if method == INTERCEPT else f"gather more, or use --method {INTERCEPT}")
            )
    if method == ISOTONIC and len(target) < LEAST_ROWS_OF_ISOTONIC:
        raise UserError(
            f"--method isotonic: expected {LEAST_ROWS_OF_ISOTONIC:,} rows or more, got {len(target):,}; "
            f"use --method {SLOPE} or {INTERCEPT}"
        )


def refitted(method: str, x: Floats, target: NDArray[np.int8], weight: Floats | None, parent: Any) -> Any:
    """The calibrator of margins `x` [N] with outcomes [N] and weights [N] by a method. Raises UserError."""
    refuse_few(method, target, weight)
    calibrator = fitted(method, x, target, weight, parent)
    if method == INTERCEPT:
        return calibrator
    rising = calibrator.a_ < 0 if method == SLOPE else len(np.unique(calibrator.y_thresholds_)) > 1
    if not rising:
        raise UserError(
            f"--method {method}: expected default rates that rise with the margin, got none; are these applicants of "
            "another model?"
        )
    return calibrator


def fitted(method: str, x: Floats, target: NDArray[np.int8], weight: Floats | None, parent: Any) -> Any:
    """The same of any rows with both outcomes, such as those of a fold."""
    if method == INTERCEPT:
        return shifted_to(float(np.average(target, weights=weight)), parent, x, weight)
    return fit_calibrator("sigmoid" if method == SLOPE else "isotonic", x, target, per_mean(weight))


def shifted_to(rate: float, parent: Any, x: Floats, weight: Floats | None = None) -> Any:
    """The parent's calibrator, shifted in log-odds so that the mean probability of margins `x` [N] is the rate.

    Raises UserError for a rate that no shift reaches.
    """
    now = calibrated(parent, x)
    lowest, highest = (float(np.average(its, weights=weight)) for its in (now >= 1, now > 0))
    if not lowest < rate < highest:
        raise UserError(
            f"expected a default rate above {lowest:.6g} and below {highest:.6g}, got {rate:.6g}: no shift of a "
            "calibrator moves a probability of 0 or 1"
        )

    def missing(by: float) -> float:
        return float(np.average(calibrated(shifted(parent, by), x), weights=weight)) - rate

    if missing(-LARGEST_SHIFT) > 0 or missing(LARGEST_SHIFT) < 0:
        raise UserError(f"expected a default rate that log-odds within {LARGEST_SHIFT:g} reach, got {rate:.6g}")
    return shifted(parent, float(brentq(missing, -LARGEST_SHIFT, LARGEST_SHIFT, xtol=1e-14, rtol=1e-15)))


def shifted(parent: Any, by: float) -> Any:
    """A calibrator whose log-odds are those of the parent plus `by`; for an isotonic one, at the knots."""
    if isinstance(parent, IsotonicRegression):
        knots = expit(logit(parent.y_thresholds_) + by)
        return IsotonicRegression(out_of_bounds="clip").fit(parent.X_thresholds_, knots)
    slope, intercept = (-1.0, 0.0) if parent is None else (parent.a_, parent.b_)
    calibrator = SigmoidCalibration()
    calibrator.a_, calibrator.b_ = float(slope), float(intercept - by)
    return calibrator


def margins_at(probability: Floats, calibrator: Any) -> Floats:
    """A margin [N] to which a calibrator answers each probability [N]."""
    if isinstance(calibrator, IsotonicRegression):
        return np.asarray(np.interp(probability, calibrator.y_thresholds_, calibrator.X_thresholds_))
    odds = logit(probability)
    return np.asarray(odds if calibrator is None else -(odds + calibrator.b_) / calibrator.a_)
