"""What is in each band of scores: observed beside predicted default rate, and how many applicants."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from training.plots.reliability import log_percent_axis
from training.plots.style import INK, REPAID, SOFT, TEST, WIDTH, Picture, drawing, key, label, percent_axis
from training.report.words import percent

OBSERVED = {"color": TEST["color"], "marker": "o", "markersize": 5, "linestyle": "none"}
PREDICTED = {"color": INK, "linewidth": 1.4}
WIDE, HIGH = 1.6 * WIDTH, 4.2
TELLABLE = 0.001  # the smallest share that is written over its bar
MOST_TICKS = 14


def bands(table: pd.DataFrame, edges: Sequence[float]) -> Picture:
    """The test's bands along the score: default rates above, shares of the applicants below.

    `table` as training.evaluation.bands has it; applicants beyond the outer edges are left out.
    """
    inside = table[table["Band"].astype(str).str.startswith("[")]
    rates = {name: inside[name].to_numpy(dtype=float) / 100 for name in ("Observed", "Predicted", "Low", "High")}
    share = inside["Band Size"].to_numpy() / table["Band Size"].sum()
    middle = (np.asarray(edges[1:]) + np.asarray(edges[:-1])) / 2
    known = np.concatenate([rates["Observed"], rates["Predicted"]])
    lowest = known[known > 0].min() / 2
    with drawing(WIDE, HIGH) as canvas:
        above, below = canvas.axes(nrows=2, sharex=True, gridspec_kw={"height_ratios": [2.4, 1], "hspace": 0.32})
        low, high = (np.maximum(np.nan_to_num(rates[name], nan=lowest), lowest) for name in ("Low", "High"))
        filled = share > 0
        above.vlines(middle[filled], low[filled], high[filled], color=TEST["color"], linewidth=1.2)
        above.hlines(rates["Predicted"], edges[:-1], edges[1:], **PREDICTED)
        for those, marker in ((rates["Observed"] > 0, "o"), (rates["Observed"] == 0, "v")):
            above.plot(
                middle[those],
                np.maximum(rates["Observed"], lowest)[those],
                clip_on=False,
                **OBSERVED | {"marker": marker},
            )
        above.set(yscale="log", ylim=(lowest, min(1.0, 1.3 * np.nanmax(high))))
        log_percent_axis(above.yaxis)
        above.text(0, 1.04, "default rate, observed with 95 % interval", transform=above.transAxes, color=SOFT)
        key(above, [("observed", OBSERVED), ("predicted", PREDICTED)], 0.8, 0.94)
        below.stairs(share, edges, fill=True, color=REPAID, edgecolor="white", linewidth=1)
        told = share >= TELLABLE
        for x, y in zip(middle[told], share[told], strict=True):
            below.annotate(f"{100 * y:.1f} %", (x, y), (0, 3), textcoords="offset points", ha="center", fontsize=8)
        below.set(xticks=_readable(edges), xlim=(edges[0], edges[-1]), ylim=(0, 1.2 * share.max()))
        above.grid(visible=False, axis="x")
        below.grid(visible=False, axis="x")
        percent_axis(below.yaxis, ticks=3)
        label(below, "score in points, edges of the bands", "share of the applicants")
    return Picture("bands", "Score bands", _alt(inside, share), canvas.svg)


def _readable(edges: Sequence[float]) -> list[float]:
    """The first, the last, and those between that leave room for their numbers."""
    room = (edges[-1] - edges[0]) / MOST_TICKS
    kept = [edges[0]]
    for edge in edges[1:-1]:
        if edge - kept[-1] >= room and edges[-1] - edge >= room:
            kept.append(edge)
    return [*kept, edges[-1]]


def _alt(table: pd.DataFrame, share: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> str:
    filled = table[table["Band Size"] > 0]
    within = filled["Predicted"].between(filled["Low"], filled["High"])
    largest = table["Band"].iloc[int(share.argmax())]
    rates = filled[["Predicted", "Observed"]].to_numpy() / 100
    riskiest, safest = ([percent(rate) for rate in rates[at]] for at in (0, -1))
    return (
        f"In {int(within.sum())} of the test's {len(filled)} bands with applicants the predicted default rate lies "
        f"within the interval of the observed one. It falls from {riskiest[0]} in {filled['Band'].iloc[0]} (observed "
        f"{riskiest[1]}) to {safest[0]} in {filled['Band'].iloc[-1]} (observed {safest[1]}). The "
        f"largest band, {largest}, holds {percent(share.max())} of the applicants."
    )
