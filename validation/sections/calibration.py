"""Are the probabilities right in all? Observed against predicted defaults of the whole portfolio."""

from typing import Any

import numpy as np

from validation.calibration import (
    calibration_intercept,
    decompose_brier,
    expected_calibration_error,
    group,
    interval_of_rates,
    log_odds,
    regress,
    reliability,
)
from validation.sections.json_types import known
from validation.sections.section import Claim, Part, Rows, Subject
from validation.statistics.binomial import binomial, correlated
from validation.statistics.goodness import hosmer_lemeshow, spiegelhalter
from validation.statistics.jeffreys import counted, jeffreys
from validation.statistics.outcome import Tested
from validation.weights import effective_size

METRICS = ("rows", "effective_rows", "default_rate", "mean_probability", "log_loss", "brier")
SMALLEST = float(np.finfo(np.float64).eps)


def make(subject: Subject) -> Part:
    """Figures and tests. Tests are of customers, whatever their weights; figures are weighted."""
    rows = subject.known
    if not len(rows):
        return Part(None, subject.why_no_tests)
    target, probability = rows.target, rows.probability
    groups = group(target, probability, weight=rows.weight)
    metrics = _metrics(rows)
    applied = probability
    if subject.rating.assigned is not None:
        applied = np.asarray(subject.rating.assigned)[subject.known_grades]
    pd_, size, defaults = np.array([applied.mean()]), np.array([float(len(rows))]), np.array([rows.outcome.sum()])
    too_low = float(jeffreys(pd_, size, defaults)[0])
    plain = groups if rows.weight is None else group(target, probability)
    fit = hosmer_lemeshow(plain.size, plain.defaults, plain.expected)
    spread = spiegelhalter(target, probability)
    exact, counts = float(binomial(pd_, size, defaults)[0]), float(counted(pd_, size, defaults)[0])
    rate = float(defaults[0] / size[0])
    figure: dict[str, Any] = {
        "metrics": metrics | _slope(subject, rows),
        "training": None if subject.training is None else {name: subject.training.get(name) for name in METRICS},
        "unknown": len(subject.rows) - len(rows),
        "applied": float(pd_[0]),
        "observed": rate,
        "expected_calibration_error": expected_calibration_error(groups),
        "tests": {
            "jeffreys": {"p": too_low},
            "binomial": {"p": exact},
            "correlated_binomial": {
                "p": float(correlated(pd_, size, defaults, subject.settings.correlation)[0]),
                "correlation": subject.settings.correlation,
            },
            "hosmer_lemeshow": {"statistic": fit.statistic, "p": fit.p, "groups": len(plain.rows)},
            "spiegelhalter": {"statistic": spread.statistic, "p": spread.p},
        },
        "groups": reliability(groups).to_dict("records"),
    }
    claims = _claims(float(pd_[0]), rate, counts, fit, spread)
    return Part(known(figure), claims=claims, tables={"calibration": reliability(groups)})


def _metrics(rows: Rows) -> dict[str, float]:
    target, p, w = rows.target, rows.probability, rows.weight
    right = np.clip(np.where(target == 1, p, 1 - p), SMALLEST, 1 - SMALLEST)
    rate = float(np.average(target, weights=w))
    worth = float(len(rows)) if w is None else effective_size(w)
    low, high = interval_of_rates(np.array([rate]), np.array([worth]))
    brier = float(np.average((p - target) ** 2, weights=w))
    return {
        "rows": len(rows),
        **({} if w is None else {"effective_rows": worth}),
        "defaults": int(rows.outcome.sum()),
        "default_rate": rate,
        "low": float(low[0]),
        "high": float(high[0]),
        "mean_probability": float(np.average(p, weights=w)),
        "log_loss": float(np.average(-np.log(right), weights=w)),
        "brier": brier,
        **decompose_brier(group(target, p, weight=w), brier),
    }


def _slope(subject: Subject, rows: Rows) -> dict[str, float]:
    if subject.why_no_tests:
        return {"calibration_slope": float("nan"), "calibration_intercept": float("nan")}
    x = log_odds(rows.probability, subject.scale.probability_limits)
    return {
        "calibration_slope": regress(rows.target, x, rows.weight)[1],
        "calibration_intercept": calibration_intercept(rows.target, x, rows.weight),
    }


def _claims(applied: float, rate: float, too_low: float, fit: Tested, spread: Tested) -> list[Claim]:
    shown = f"{100 * rate:.2f} % defaulted, {100 * applied:.2f} % was predicted"
    limit = f"{100 * applied:.2f} % predicted"
    return [
        Claim(
            "portfolio",
            "Risk is understated",
            too_low,
            rate,
            limit,
            "supervisor's test",
            f"Of the portfolio {shown} (Jeffreys). Recalibrate, and look for the grades and segments that cause it.",
        ),
        Claim(
            "fit",
            "Risk is overstated",
            1 - too_low,
            rate,
            limit,
            "custom",
            f"Of the portfolio {shown}. Good customers are refused or pay too much: recalibrate.",
        ),
        Claim(
            "fit",
            "Probabilities do not fit (Hosmer–Lemeshow)",
            fit.p,
            fit.statistic,
            "its chi-square distribution",
            "custom",
            "Observed and predicted defaults differ between groups of equal size. Compare them below; recalibrate.",
        ),
        Claim(
            "fit",
            "Probabilities do not fit (Spiegelhalter)",
            spread.p,
            spread.statistic,
            "a standard normal",
            "custom",
            "Probabilities are too extreme, or not extreme enough. Look at the calibration slope; recalibrate.",
        ),
    ]
