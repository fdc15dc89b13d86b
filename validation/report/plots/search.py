"""How the search for parameters went: the value of each trial, and the best so far."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from validation.report.plots.style import REFERENCE, TEST, TRAIN, Picture, Style, drawing, key, label

TRIAL: Style = {"color": TRAIN["color"], "marker": "o", "markersize": 4, "linestyle": "none"}
BASELINE: Style = {"color": REFERENCE, "linewidth": 1.4}


def search(tuning: Mapping[str, Any]) -> Picture:
    """The cross-validated log loss of each finished trial, in their order."""
    finished = [
        (number, entry["value"]) for number, entry in enumerate(tuning["history"]) if entry["value"] is not None
    ]
    number, value = (np.array(column) for column in zip(*finished, strict=True))
    best = np.minimum.accumulate(value)
    with drawing() as canvas:
        axes = canvas.axes(left=0.75)
        axes.axhline(tuning["baseline_value"], **BASELINE)
        axes.plot(number + 1, value, **TRIAL)
        axes.plot(number + 1, best, steps=True, **TEST)
        key(axes, [("trial", TRIAL), ("best so far", TEST), ("the settings' parameters", BASELINE)], 0.45, 0.94)
        # A few bad trials would press all others against the axis.
        top = max(tuning["baseline_value"], np.quantile(value, 0.9))
        axes.y.limits = (best[-1] - 0.05 * (top - best[-1]), top + 0.5 * (top - best[-1]))
        axes.x.most, axes.x.whole = 6, True
        label(axes, "trial", "log loss, cross-validated")
    best_trial = int(number[value.argmin()]) + 1
    alt = (
        f"Of {tuning['trials']} trials ({tuning['pruned']} stopped early) the best, number {best_trial}, has a "
        f"cross-validated log loss of {tuning['best_value']:.5f}; with the parameters of the settings it is "
        f"{tuning['baseline_value']:.5f}."
    )
    return Picture("search", "Search", alt, canvas.svg)
