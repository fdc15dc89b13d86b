"""What a cut-off would have brought: bad rate against approval rate, and profit."""

import numpy as np
import pandas as pd

from validation.report.plots.style import (
    DOT,
    INK,
    REFERENCE,
    SMALL,
    TEST,
    TRAIN,
    Picture,
    drawing,
    key,
    label,
    percent_axis,
)
from validation.report.words import percent

LABELLED = (0.5, 0.7, 0.9)
PROFIT, OBSERVED = "Expected profit", "Observed profit"


def approval(cutoffs: pd.DataFrame) -> Picture:
    """The bad rate of those approved over the approval rate, along all cut-off scores."""
    chosen = cutoffs[cutoffs["Approved"] > 0]
    rate, bad = chosen["Approval rate"].to_numpy(), chosen["Bad rate"].to_numpy()
    marked = [int(np.abs(rate - share).argmin()) for share in LABELLED]
    with drawing() as canvas:
        axes = canvas.axes()
        axes.axhline(bad[rate.argmax()], color=REFERENCE, linewidth=1)
        axes.plot(rate, bad, **TEST)
        axes.plot(rate[marked], bad[marked], **DOT | {"color": INK})
        for at in dict.fromkeys(marked):
            text = f"from {chosen['Score from'].iloc[at]:.0f}"
            axes.text(rate[at], bad[at], text, shift=(-6, 5), ha="right", size=SMALL, color=INK)
        axes.x.limits, axes.y.limits = (0, 1), (0, None)
        percent_axis(axes.x, axes.y)
        label(axes, "approved", "defaults among those approved")
    told = "; ".join(
        f"from {chosen['Score from'].iloc[at]:.0f} points on, {percent(rate[at])} are approved and "
        f"{percent(bad[at])} of them default"
        for at in dict.fromkeys(marked)
    )
    return Picture("approval", "Approval and bad rate", f"Of the test's applicants {told}.", canvas.svg)


def profit(cutoffs: pd.DataFrame) -> Picture:
    """The profit over the cut-off score, as the probabilities have it and as it was."""
    score, value = cutoffs["Score from"].to_numpy(), cutoffs[PROFIT].to_numpy(dtype=float)
    best = int(np.nanargmax(value))
    with drawing() as canvas:
        axes = canvas.axes(left=0.85)
        axes.axhline(0, color=REFERENCE, linewidth=1)
        if OBSERVED in cutoffs:
            axes.plot(score, cutoffs[OBSERVED], **TRAIN)
            key(axes, [("as observed", TRAIN), ("by the probabilities", TEST)], 0.04, 0.2)
        axes.plot(score, value, **TEST)
        axes.plot(score[best], value[best], **DOT | {"color": INK, "markersize": 5})
        axes.text(score[best], value[best], f"from {score[best]:.0f}", shift=(6, 6), size=SMALL, color=INK)
        axes.y.room = 0.12
        axes.y.written = lambda amount: f"{amount:,.0f}" if abs(amount) >= 10 else f"{amount:g}"
        label(axes, "approved from this score on", "profit of the test")
    alt = (
        f"The expected profit is highest, {value[best]:,.0f}, where the test's applicants are approved from "
        f"{score[best]:.0f} points on: {percent(cutoffs['Approval rate'].iloc[best])} of them."
    )
    if np.nanmin(value) == value[best]:
        alt = f"The expected profit is flat: {value[best]:,.0f} from every score on."
    return Picture("profit", "Expected profit", alt, canvas.svg)
