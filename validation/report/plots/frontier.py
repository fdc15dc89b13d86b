"""Trials of a search: the ROC-AUC that a less discriminatory model loses against the adverse impact ratio gained."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.fairness.documents import Frontier
from validation.report.plots.style import INK, TEST, TRAIN, Picture, Style, drawing, key, label

TRIAL: Style = {"color": TRAIN["color"], "marker": "o", "markersize": 4, "linestyle": "none"}
KEPT: Style = {**TEST, "marker": "o", "markersize": 5, "linewidth": 1.2}
CHOSEN: Style = {"color": INK, "marker": "o", "markersize": 8, "linestyle": "none"}


def frontier(its: Frontier) -> Picture:
    """Each finished trial by its area and its lowest ratio; those that are kept are joined."""
    chosen = next(trial for trial in its["trials"] if trial["trial"] == its["chosen"])
    kept = sorted((trial for trial in its["trials"] if trial["kept"]), key=lambda trial: trial["roc_auc"])
    near = [trial for trial in its["trials"] if trial["roc_auc"] >= chosen["roc_auc"] - 2 * its["loss"]]
    with drawing() as canvas:
        axes = canvas.axes()
        axes.plot(*_points([chosen]), **CHOSEN)
        axes.plot(*_points(near), **TRIAL)
        axes.plot(*_points(kept), **KEPT)
        axes.x.limits, axes.y.limits = _room(its["roc_auc"] for its in near), _room(its["ratio"] for its in near)
        axes.x.most = axes.y.most = 5
        key(axes, [("trial", TRIAL), ("kept", KEPT), ("chosen", CHOSEN)], 0.03, 0.17)
        label(axes, "ROC-AUC, cross-validated", "lowest adverse impact ratio")
    fairest = max(kept, key=lambda trial: trial["ratio"])
    alt = (
        f"Of {len(its['trials'])} trials {len(kept)} are kept. The chosen one, number {chosen['trial'] + 1}, has a "
        f"ROC-AUC of {chosen['roc_auc']:.4f} and a lowest ratio of {chosen['ratio']:.3f} ({chosen['group']}); number "
        f"{fairest['trial'] + 1} has {fairest['roc_auc']:.4f} and {fairest['ratio']:.3f}."
    )
    return Picture("frontier", "Less discriminatory models", alt, canvas.svg)


def _room(values: Iterable[float]) -> tuple[float, float]:
    """Limits with room around the values, below for the key."""
    low, high = min(values := list(values)), max(values)
    width = max(high - low, 0.01)
    return low - 0.35 * width, high + 0.1 * width


def _points(trials: list[Any]) -> NDArray[np.float64]:
    return np.array([[trial["roc_auc"], trial["ratio"]] for trial in trials], dtype=float).reshape(-1, 2).T
