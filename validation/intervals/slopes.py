"""Slope and intercept of many logistic regressions at a time, for the draws of the bootstrap.

R samples have their applicants in the same cells: `size` [R, C] and `defaults` [R, C] of them, and `x` [C] the
log-odds of each cell. Newton's method begins at the solution for all applicants, which is close to that of any draw.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

MOST_STEPS = 25
CONVERGED = 1e-6  # of the last step, in log-odds


def slopes(size: Floats, defaults: Floats, x: Floats, start: tuple[float, float]) -> Floats:
    """The slope [R] of each regression of default on `x`; NaN where it is undefined."""
    intercept, slope = (np.full(len(size), value) for value in start)
    step = np.zeros(len(size))
    with np.errstate(all="ignore"):  # without a solution the numbers overflow
        for _ in range(MOST_STEPS):
            p = expit(intercept[:, None] + slope[:, None] * x)
            missing, weight = defaults - size * p, size * p * (1 - p)
            gradient, gradient_x = missing.sum(axis=1), missing @ x
            a, b, c = weight.sum(axis=1), weight @ x, weight @ (x * x)
            determinant = a * c - b * b
            step = (a * gradient_x - b * gradient) / determinant
            intercept = intercept + (c * gradient - b * gradient_x) / determinant
            slope = slope + step
            if not (np.abs(step) >= CONVERGED).any():
                break
        return np.where(np.abs(step) < CONVERGED, slope, np.nan)


def intercepts(size: Floats, defaults: Floats, x: Floats, start: float) -> Floats:
    """Intercept at slope 1 with which as many defaults are expected as were observed, [R]."""
    intercept = np.full(len(size), start)
    step = np.zeros(len(size))
    with np.errstate(all="ignore"):
        for _ in range(MOST_STEPS):
            p = expit(intercept[:, None] + x)
            step = (defaults - size * p).sum(axis=1) / (size * p * (1 - p)).sum(axis=1)
            intercept = intercept + step
            if not (np.abs(step) >= CONVERGED).any():
                break
        return np.where(np.abs(step) < CONVERGED, intercept, np.nan)
