"""Metrics of probabilities of default against outcomes, from scikit-learn where it has them."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    auc,
    average_precision_score,
    brier_score_loss,
    precision_recall_fscore_support,
    roc_curve,
)

from runtime.score import Scale
from validation.calibration import (
    calibration_intercept,
    decompose_brier,
    expected_calibration_error,
    group,
    log_odds,
    regress,
)
from validation.losses import log_losses
from validation.weights import effective_size

PROBABILITY_LIMITS = Scale().probability_limits


def evaluate(
    target: NDArray[np.int8],
    probability: NDArray[np.float64],
    threshold: float,
    probability_limits: tuple[float, float] = PROBABILITY_LIMITS,
    weight: NDArray[np.float64] | None = None,
) -> dict[str, float]:
    """Metrics of probabilities [N] of default against a 0/1 target [N] that has both values, with weights [N].

    `precision`, `recall` and `f1` are those of the rule "default from `threshold` on"; without a predicted
    default the first and the last are 0. `ece` and the parts of the Brier score are over groups of equal mass, and
    `calibration_slope` and `calibration_intercept` are of the log-odds: see validation.calibration. The
    slope is NaN if undefined. `on_limit` is the share of probabilities at `probability_limits` or beyond, where
    the score stays. `rows` and `defaults` are counts; where there are weights `weight` and `weighted_defaults` are
    their sums beside them, `effective_rows` and `effective_defaults` see validation.weights.effective_size.
    """
    predicted = probability >= threshold
    precision, recall, f1, _ = precision_recall_fscore_support(
        target, predicted, average="binary", zero_division=0, sample_weight=weight
    )
    false_positive, true_positive, _ = roc_curve(target, probability, sample_weight=weight)
    area, ks = auc(false_positive, true_positive), np.abs(true_positive - false_positive).max()
    del predicted, false_positive, true_positive  # as large as the table
    brier = brier_score_loss(target, probability, sample_weight=weight)
    groups = group(target, probability, weight=weight)
    x = log_odds(probability, probability_limits)
    figures = {
        "rows": len(target),
        "defaults": int(target.sum()),
        **({} if weight is None else _weights(target, weight)),
        "default_rate": np.average(target, weights=weight),
        "mean_probability": np.average(probability, weights=weight),
        "roc_auc": area,
        "gini": 2 * area - 1,
        "pr_auc": average_precision_score(target, probability, sample_weight=weight),
        "ks": ks,
        "log_loss": np.average(log_losses(probability, target), weights=weight),
        "brier": brier,
        **decompose_brier(groups, brier),
        "ece": expected_calibration_error(groups),
        "calibration_slope": regress(target, x, weight)[1],
        "calibration_intercept": calibration_intercept(target, x, weight),
        "on_limit": np.average(
            (probability <= probability_limits[0]) | (probability >= probability_limits[1]), weights=weight
        ),
        "threshold": threshold,
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }
    return {name: value if isinstance(value, int) else float(value) for name, value in figures.items()}


def _weights(target: NDArray[np.int8], weight: NDArray[np.float64]) -> dict[str, float]:
    of_defaults = weight[target == 1]
    return {
        "weight": float(weight.sum()),
        "weighted_defaults": float(of_defaults.sum()),
        "effective_rows": effective_size(weight),
        "effective_defaults": effective_size(of_defaults),
    }
