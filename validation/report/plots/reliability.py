"""Does a probability mean what it says? Observed beside predicted default rates, on logarithmic axes.

Default rates are of the order of 1 %: on plain axes all that matters would be in one corner.
"""

from typing import Any

import numpy as np
import pandas as pd

from validation.report.plots.axes import Axes
from validation.report.plots.direction import Direction
from validation.report.plots.scales import Logarithmic
from validation.report.plots.style import REFERENCE, TEST, TRAIN, Picture, drawing, in_percent, key, label
from validation.report.words import percent

STYLES = {"train": TRAIN, "test": TEST}
DOT = {"markersize": 5, "linestyle": "none"}
FLOOR = 0.5  # of the smallest rate above 0: where a rate of 0 is shown, by a triangle


def reliability(tables: "dict[str, pd.DataFrame]") -> Picture:
    """The observed default rate of groups of applicants over the predicted one, with intervals; by part."""
    rates = np.concatenate([table[["Predicted", "Observed"]].to_numpy().ravel() for table in tables.values()])
    lowest, highest = rates[rates > 0].min() * FLOOR, min(1.0, rates.max() * 1.6)
    with drawing() as canvas:
        axes = canvas.axes()
        log_percent_axis(axes.x, axes.y)
        axes.plot([lowest, 1], [lowest, 1], color=REFERENCE, linewidth=1)
        for name, table in tables.items():
            _groups(axes, table, STYLES[name]["color"], lowest, filled=name == "test")
        entries = [(name, {"marker": "o"} | _style(STYLES[name]["color"], filled=name == "test")) for name in tables]
        key(axes, entries, 0.04, 0.95)
        axes.x.limits = axes.y.limits = (lowest, highest)
        label(axes, "predicted default rate", "observed default rate, with 95 % interval")
    return Picture("reliability", "Reliability", _alt(tables["test"]), canvas.svg)


def log_percent_axis(*those: Direction) -> None:
    """A logarithmic axis of shares, its ticks in per cent."""
    for direction in those:
        direction.scale, direction.written = Logarithmic(), in_percent


def _groups(axes: Axes, table: pd.DataFrame, color: str, lowest: float, *, filled: bool) -> None:
    predicted, observed = np.maximum(table["Predicted"].to_numpy(), lowest), table["Observed"].to_numpy()
    shown = np.maximum(observed, lowest)
    if filled:
        low = np.maximum(table["Low"].to_numpy(), lowest)
        axes.vlines(predicted, low, np.maximum(table["High"].to_numpy(), lowest), color=color, linewidth=1.2)
    for those, marker in ((observed > 0, "o"), (observed == 0, "v")):
        axes.plot(predicted[those], shown[those], clip_on=False, **_style(color, filled=filled), marker=marker)


def _style(color: str, *, filled: bool) -> dict[str, Any]:
    return {**DOT, "color": color, "markerfacecolor": color if filled else "#ffffff"}


def _alt(table: pd.DataFrame) -> str:
    within = table["Predicted"].between(table["Low"], table["High"])
    rates = table[["Predicted", "Observed"]].to_numpy()
    safest, riskiest = ([percent(rate) for rate in rates[at]] for at in (0, -1))
    return (
        f"In {int(within.sum())} of {len(table)} groups of the test's applicants the predicted default rate lies "
        f"within the interval of the observed one. Safest group: predicted {safest[0]}, observed {safest[1]}; "
        f"riskiest: predicted {riskiest[0]}, observed {riskiest[1]}."
    )
