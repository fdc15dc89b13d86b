"""Trials of a search: the ROC-AUC that a less discriminatory model loses against the adverse impact ratio gained."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.fairness.documents import Frontier
from validation.report.plots.style import INK, TEST, TRAIN, Picture, drawing, key, label

TRIAL = {"color": TRAIN["color"], "marker": "o", "markersize": 4, "linestyle": "none"}
KEPT = {**TEST, "marker": "o", "markersize": 5, "linewidth": 1.2}
CHOSEN = {"color": INK, "marker": "D", "markersize": 6, "linestyle": "none"}


def frontier(its: Frontier) -> Picture:
    """Each finished trial by its area and its lowest ratio; those that are kept are joined."""
    chosen = next(trial for trial in its["trials"] if trial["trial"] == its["chosen"])
    kept = sorted((trial for trial in its["trials"] if trial["kept"]), key=lambda trial: trial["roc_auc"])
    near = [trial for trial in its["trials"] if trial["roc_auc"] >= chosen["roc_auc"] - 2 * its["loss"]]
    with drawing() as canvas:
        axes = canvas.axes()
        axes.plot(*_points(near), **TRIAL)
        axes.plot(*_points(kept), **KEPT)
        axes.plot(*_points([chosen]), **CHOSEN)
        axes.margins(0.12, 0.3)
        axes.locator_params(nbins=5)
        key(axes, [("trial", TRIAL), ("kept", KEPT), ("chosen", CHOSEN)], 0.03, 0.17)
        label(axes, "ROC-AUC, cross-validated", "lowest adverse impact ratio")
    fairest = max(kept, key=lambda trial: trial["ratio"])
    alt = (
        f"Of {len(its['trials'])} trials {len(kept)} are kept. The chosen one, number {chosen['trial'] + 1}, has a "
        f"ROC-AUC of {chosen['roc_auc']:.4f} and a lowest ratio of {chosen['ratio']:.3f} ({chosen['group']}); number "
        f"{fairest['trial'] + 1} has {fairest['roc_auc']:.4f} and {fairest['ratio']:.3f}."
    )
    return Picture("frontier", "Less discriminatory models", alt, canvas.svg)


def _points(trials: list[Any]) -> NDArray[np.float64]:
    return np.array([[trial["roc_auc"], trial["ratio"]] for trial in trials], dtype=float).reshape(-1, 2).T
