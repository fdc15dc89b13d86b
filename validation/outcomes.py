"""Whether what was predicted has come true, of the applicants whose outcome is known."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from runtime.score import band_labels
from validation.calibration import interval


def outcomes(
    outcome: NDArray[np.float64], probability: NDArray[np.float64], scores: NDArray[np.float64], edges: Sequence[float]
) -> dict[str, Any]:
    """Figures of the rows [N] whose outcome is known (1 defaulted, 0 repaid, NaN not yet); `rows` may be 0, then alone.

    `roc_auc` is None where only one outcome has been seen. `bands`, the riskiest first: `band`, `rows`, `defaults`,
    the observed `default_rate` with `low` and `high` (see validation.calibration.interval), and the predicted one,
    `mean_probability`.
    """
    known = ~np.isnan(outcome)
    target, probability, scores = outcome[known].astype(np.int8), probability[known], scores[known]
    found: dict[str, Any] = {"rows": len(target), "unknown": int((~known).sum())}
    if not len(target):
        return found
    both = 0 < target.sum() < len(target)
    return found | {
        **_observed(target, probability),
        "roc_auc": float(roc_auc_score(target, probability)) if both else None,
        "log_loss": float(log_loss(target, probability, labels=[0, 1])),
        "brier": float(brier_score_loss(target, probability)),
        "bands": _by_band(target, probability, scores, edges),
    }


def _by_band(
    target: NDArray[np.int8], probability: NDArray[np.float64], scores: NDArray[np.float64], edges: Sequence[float]
) -> list[dict[str, Any]]:
    names = [f"below {edges[0]:g}", *band_labels(edges), f"above {edges[-1]:g}"]
    ends = [*edges[:-1], math.nextafter(edges[-1], math.inf)]  # the last band holds its upper edge
    place = np.searchsorted(ends, scores, side="right")
    return [
        {"band": names[i], **_observed(target[place == i], probability[place == i])}
        for i in range(len(names))
        if (place == i).any()
    ]


def _observed(target: NDArray[np.int8], probability: NDArray[np.float64]) -> dict[str, Any]:
    rows, defaults = len(target), int(target.sum())
    low, high = interval(np.array([defaults]), np.array([rows]))
    return {
        "rows": rows,
        "defaults": defaults,
        "default_rate": defaults / rows,
        "low": float(low[0]),
        "high": float(high[0]),
        "mean_probability": float(probability.mean()),
    }
