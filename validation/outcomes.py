"""Whether what was predicted has come true, of the applicants whose outcome is known."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from runtime.grades import Grades
from runtime.score import band_labels
from validation.calibration import interval_of_rates
from validation.grades import places_of
from validation.weights import effective_size


def outcomes(
    outcome: NDArray[np.float64],
    probability: NDArray[np.float64],
    scores: NDArray[np.float64],
    edges: Sequence[float],
    weight: NDArray[np.float64] | None = None,
    grades: Grades | None = None,
) -> dict[str, Any]:
    """Figures of the rows [N] whose outcome is known (1 defaulted, 0 repaid, NaN not yet); `rows` may be 0, then alone.

    `roc_auc` is None where only one outcome has been seen. `bands`, the riskiest first: `band`, `rows`, `defaults`,
    the observed `default_rate` with `low` and `high` (see validation.calibration.interval), and the predicted one,
    `mean_probability`. `grades`, where the model has them, are the same by `grade`, the lowest probabilities first.
    With weights [N] all but the counts is weighted, and `effective_rows` stands beside `rows`.
    """
    known = ~np.isnan(outcome)
    target, probability, scores = outcome[known].astype(np.int8), probability[known], scores[known]
    w = None if weight is None else weight[known]
    found: dict[str, Any] = {"rows": len(target), "unknown": int((~known).sum())}
    if not len(target):
        return found
    both = 0 < target.sum() < len(target)
    return found | {
        **_observed(target, probability, w),
        "roc_auc": float(roc_auc_score(target, probability, sample_weight=w)) if both else None,
        "log_loss": float(log_loss(target, probability, labels=[0, 1], sample_weight=w)),
        "brier": float(brier_score_loss(target, probability, sample_weight=w)),
        "bands": _by_band(target, probability, scores, edges, w),
        **({} if grades is None else {"grades": _by_grade(target, probability, grades, w)}),
    }


def _by_band(
    target: NDArray[np.int8],
    probability: NDArray[np.float64],
    scores: NDArray[np.float64],
    edges: Sequence[float],
    weight: NDArray[np.float64] | None,
) -> list[dict[str, Any]]:
    names = [f"below {edges[0]:g}", *band_labels(edges), f"above {edges[-1]:g}"]
    ends = [*edges[:-1], math.nextafter(edges[-1], math.inf)]  # the last band holds its upper edge
    place = np.searchsorted(ends, scores, side="right")
    return _by_place("band", names, place, target, probability, weight)


def _by_grade(
    target: NDArray[np.int8], probability: NDArray[np.float64], grades: Grades, weight: NDArray[np.float64] | None
) -> list[dict[str, Any]]:
    return _by_place("grade", grades.names, places_of(grades, probability), target, probability, weight)


def _by_place(
    key: str,
    names: Sequence[str],
    place: NDArray[np.intp],
    target: NDArray[np.int8],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
) -> list[dict[str, Any]]:
    return [
        {key: name, **_observed(target[its], probability[its], None if weight is None else weight[its])}
        for i, name in enumerate(names)
        if (its := place == i).any()
    ]


def _observed(
    target: NDArray[np.int8], probability: NDArray[np.float64], weight: NDArray[np.float64] | None
) -> dict[str, Any]:
    rows, rate = len(target), float(np.average(target, weights=weight))
    effective = rows if weight is None else effective_size(weight)
    low, high = interval_of_rates(np.array([rate]), np.array([effective]))
    return {
        "rows": rows,
        **({} if weight is None else {"effective_rows": effective}),
        "defaults": int(target.sum()),
        "default_rate": rate,
        "low": float(low[0]),
        "high": float(high[0]),
        "mean_probability": float(np.average(probability, weights=weight)),
    }
