"""The adverse impact ratio of each group over all cut-offs."""

from collections.abc import Iterator

import numpy as np

from validation.fairness.documents import AttributeFigures, FairnessFigures
from validation.report.plots.bars import short
from validation.report.plots.style import INK, REFERENCE, SOFT, TEST, TRAIN, Picture, Style, drawing, key, label

# Told apart by the line first.
LINES: tuple[Style, ...] = (
    TEST,
    TRAIN,
    {"color": INK, "linestyle": (1, 1.5), "linewidth": 1.8},
    {"color": SOFT, "linestyle": (6, 2, 1, 2), "linewidth": 1.4},
)
LIMIT: Style = {"color": REFERENCE, "linewidth": 1.4}
HIGHEST = 2.0


def ratios(fairness: FairnessFigures) -> Iterator[Picture]:
    """A picture for each column of groups; intersections are tables only."""
    single = [its for its in fairness["attributes"] if len(its["columns"]) == 1]
    for number, its in enumerate(single):
        if any(ratio is not None for curve in its["curves"] for ratio in curve["ratios"]):
            yield _picture(its, fairness, number)


def _picture(its: AttributeFigures, fairness: FairnessFigures, number: int) -> Picture:
    drawn = [curve for curve in its["curves"] if any(ratio is not None for ratio in curve["ratios"])][: len(LINES)]
    ratio = np.array([curve["ratios"] for curve in drawn], dtype=float)
    reference = short(its["reference"] or "")
    with drawing() as canvas:
        axes = canvas.axes()
        axes.axhline(1, color=SOFT, linewidth=0.8)
        axes.axhline(fairness["limit"], **LIMIT)
        axes.axvline(fairness["cutoff"], **LIMIT)
        for curve, values, style in zip(drawn, ratio, LINES, strict=False):
            axes.plot(curve["cutoffs"], values, **style)
        lowest = min(fairness["limit"], float(np.nanmin(ratio)))
        axes.y.limits = (max(0.0, lowest - 0.3), min(max(1.0, float(np.nanmax(ratio))) + 0.1, HIGHEST))
        entries = [(short(curve["group"]), style) for curve, style in zip(drawn, LINES, strict=False)]
        key(axes, entries, 0.03, 0.05 + 0.065 * (len(drawn) - 1))
        label(axes, "approved from this score on", f"approval rate, as a multiple of {reference}")
    told = "; ".join(
        f"of {curve['group']} {values[at]:.2f}, from {curve['cutoffs'][at]:.0f} points on"
        for curve, values in zip(drawn, ratio, strict=True)
        if (at := int(np.nanargmin(values))) >= 0
    )
    alt = (
        f"Adverse impact ratio over all cut-offs, compared with {its['reference']}; the lowest is {told}. Grey lines: "
        f"the limit of {fairness['limit']:g} and the cut-off of {fairness['cutoff']:g} points."
    )
    if more := len(its["curves"]) - len(drawn):
        alt += f" Groups without a line: {more}."
    return Picture(f"ratios_{number}", f"Approval by {its['attribute']}", alt, canvas.svg)
