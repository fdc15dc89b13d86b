"""What is in each band of scores: observed beside predicted default rate, and how many applicants."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from validation.report.plots.reliability import log_percent_axis
from validation.report.plots.style import (
    INK,
    REPAID,
    SMALL,
    SOFT,
    TEST,
    WIDTH,
    Picture,
    Style,
    drawing,
    key,
    label,
    percent_axis,
)
from validation.report.words import percent

OBSERVED: Style = {"color": TEST["color"], "marker": "o", "markersize": 5, "linestyle": "none"}
PREDICTED: Style = {"color": INK, "linewidth": 1.4}
WIDE, HIGH = 1.6 * WIDTH, 4.2
TELLABLE = 0.001  # the smallest share that is written over its bar
MOST_TICKS = 16
GAP = 0.6  # of a band's width, where bands without applicants are left out


def bands(table: pd.DataFrame, edges: Sequence[float]) -> Picture:
    """The test's bands with applicants, riskiest first: default rates above, shares of the applicants below.

    `table` as validation.bands has it.
    """
    ends = _ends(table["Band"].astype(str).tolist(), edges)
    filled = table["Band Size"].to_numpy() > 0
    ends = [its for its, there in zip(ends, filled, strict=True) if there]
    shown = table[filled]
    rates = {name: shown[name].to_numpy(dtype=float) / 100 for name in ("Observed", "Predicted", "Low", "High")}
    size = shown["Weight" if "Weight" in shown else "Band Size"].to_numpy()
    share = size / size.sum()
    begin, ticks = _places(ends)
    known = np.concatenate([rates["Observed"], rates["Predicted"]])
    lowest = known[known > 0].min() / 2
    rates = {name: np.maximum(rate, lowest) for name, rate in rates.items()}
    zero = shown["Observed"].to_numpy() == 0
    with drawing(WIDE, HIGH) as canvas:
        above, below = canvas.rows([2.4, 1], between=0.47)
        log_percent_axis(above.y)
        above.vlines(begin + 0.5, rates["Low"], rates["High"], color=TEST["color"], linewidth=1.2)
        above.hlines(rates["Predicted"], begin, begin + 1, **PREDICTED)
        for those, marker in ((~zero, "o"), (zero, "v")):
            style = OBSERVED | {"marker": marker}
            above.plot(begin[those] + 0.5, rates["Observed"][those], clip_on=False, **style)
        above.y.limits = (lowest, min(1.0, 1.3 * rates["High"].max()))
        above.text(0, 1.04, "default rate, observed with 95 % interval", shares="xy", color=SOFT)
        key(above, [("observed", OBSERVED), ("predicted", PREDICTED)], 0.6, 1.065, across=0.2)
        below.bar(begin + 0.5, share, 0.96, color=REPAID)
        told = share >= TELLABLE
        for x, y in zip(begin[told] + 0.5, share[told], strict=True):
            below.text(x, y, f"{100 * y:.1f} %", shift=(0, 3), ha="center", size=SMALL, color=INK)
        above.x.set_names([], [])
        below.x.set_names([place for place, _ in ticks], [f"{edge:g}" for _, edge in ticks])
        above.x.limits = below.x.limits = (0, begin[-1] + 1)
        above.x.grid = below.x.grid = False
        below.y.limits = (0, 1.2 * share.max())
        percent_axis(below.y, ticks=3)
        label(below, "score in points, edges of the bands", "share of the applicants")
    return Picture("bands", "Score bands", _alt(shown, share), canvas.svg, wide=True)


def _ends(names: list[str], edges: Sequence[float]) -> list[tuple[float | None, float | None]]:
    """The edges of each band, None where it has none: below and above all others."""
    below = [(None, edges[0])] if names[0].startswith("below") else []
    above = [(edges[-1], None)] if names[-1].startswith("above") else []
    return [*below, *pairwise(edges), *above]


def _places(ends: list[tuple[float | None, float | None]]) -> tuple[NDArray[np.float64], list[tuple[float, float]]]:
    """Where each band begins, one unit wide, with a gap before one that does not follow on; and edges to be told."""
    begin, ticks = np.zeros(len(ends)), []
    for i, (low, high) in enumerate(ends):
        follows = i > 0 and ends[i - 1][1] == low
        if i:
            begin[i] = begin[i - 1] + (1 if follows else 1 + GAP)
        if low is not None and not follows:
            ticks.append((begin[i], low))
        if high is not None:
            ticks.append((begin[i] + 1, high))
    step = -(-len(ticks) // MOST_TICKS)
    return begin, [*ticks[:-1:step], ticks[-1]] if (len(ticks) - 1) % step == 0 else ticks[::step]


def _alt(filled: pd.DataFrame, share: NDArray[np.float64]) -> str:
    within = filled["Predicted"].between(filled["Low"], filled["High"])
    rates = filled[["Predicted", "Observed"]].to_numpy() / 100
    riskiest, safest = ([percent(rate) for rate in rates[at]] for at in (0, -1))
    names = filled["Band"].tolist()
    return (
        f"In {int(within.sum())} of the test's {len(filled)} bands with applicants the predicted default rate lies "
        f"within the interval of the observed one. It goes from {riskiest[0]} in {names[0]} (observed {riskiest[1]}) "
        f"to {safest[0]} in {names[-1]} (observed {safest[1]}). The largest band, {names[int(share.argmax())]}, holds "
        f"{percent(share.max())} of the applicants."
    )
