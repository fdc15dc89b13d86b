"""Where the classes lie on the scale of scores: their distributions, and how far they are apart (KS)."""

from collections.abc import Mapping, Sequence

import numpy as np

from cli.words import counted
from runtime.score import Scale
from validation.evidence import Answered
from validation.report.plots.ranking import Ranking, thinned
from validation.report.plots.style import (
    DEFAULTED,
    GRID,
    INK,
    REPAID,
    Picture,
    Style,
    drawing,
    key,
    label,
    percent_axis,
)
from validation.report.words import figure, percent
from validation.weights import median

BINS = 60
OUTERMOST = 0.002  # share of a class at either end who need not be in the picture
FILLED: Style = {"color": REPAID, "linewidth": 6}
LINE: Style = {"color": DEFAULTED, "linewidth": 2}


def scores(test: Answered, edges: Sequence[float]) -> Picture:
    """The distribution of the test's scores by class, each to its own total, with the edges of the bands."""
    bad = test.target == 1
    repaid, defaulted = (test.score[~bad], test.mass[~bad]), (test.score[bad], test.mass[bad])
    low, high = _span(test)
    bins = np.linspace(low, high, BINS + 1)
    with drawing() as canvas:
        axes = canvas.axes()
        for edge in edges:
            axes.axvline(edge, color=GRID, linewidth=0.8, dashes=(2, 2), behind=True)
        for (those, weight), filled in ((repaid, True), (defaulted, False)):
            share = np.histogram(np.clip(those, low, high), bins, weights=weight)[0] / (weight.sum() or 1)
            axes.stairs(share, bins, **({"color": REPAID} if filled else LINE))
        key(axes, [("repaid", FILLED), ("defaulted", LINE)], 0.46, 1.065, across=0.26)
        axes.x.grid = False
        percent_axis(axes.y)
        axes.x.limits, axes.y.limits = (low, high), (0, None)
        label(axes, "score in points", "share of the class")
    of_repaid, of_defaulted = (
        median(test.score[those], None if test.weight is None else test.weight[those]) for those in (~bad, bad)
    )
    below = float(np.average(repaid[0] < of_defaulted, weights=repaid[1]))
    alt = (
        f"The median score of those of the test who repaid is {of_repaid:.0f} points, of those who defaulted "
        f"{of_defaulted:.0f}; {percent(below)} of those who repaid score lower than that."
    )
    beyond = int(((test.score < low) | (test.score > high)).sum())
    if beyond:
        alt += f" {counted(beyond, 'applicant')} beyond {low:.0f} to {high:.0f} points stand in the outermost bars."
    return Picture("scores", "Scores by class", alt, canvas.svg)


def _span(part: Answered) -> tuple[float, float]:
    """Where nearly all scores of each class are: a few far away would press all others together."""
    by_class = [np.quantile(part.score[part.target == y], [OUTERMOST, 1 - OUTERMOST]) for y in (0, 1)]
    low, high = min(lowest for lowest, _ in by_class), max(highest for _, highest in by_class)
    room = max(0.05 * (high - low), 1.0)
    return float(max(low - room, part.score.min() - 0.5)), float(min(high + room, part.score.max() + 0.5))


def ks(test: Answered, ranking: Ranking, scale: Scale, metrics: Mapping[str, float]) -> Picture:
    """The share of each class up to a score, and where they are farthest apart."""
    gap = int(np.argmax(np.abs(ranking.defaulted - ranking.repaid)))
    with drawing() as canvas:
        axes = canvas.axes()
        for share, style in ((ranking.repaid, {**LINE, "color": REPAID}), (ranking.defaulted, LINE)):
            threshold, y = thinned(ranking.threshold[1:], share[1:])
            axes.plot(scale.scores(np.clip(threshold, 0, 1).tolist()), y, steps=True, **style)
        (at,) = scale.scores([min(1.0, float(ranking.threshold[gap]))])
        low, high = sorted((ranking.repaid[gap], ranking.defaulted[gap]))
        axes.plot([at, at], [low, high], color=INK, linewidth=1.2, marker="_", markersize=7)
        axes.text(at, (low + high) / 2, figure(metrics["ks"]), shift=(5, 0), va="center", color=INK)
        key(axes, [("repaid", {**LINE, "color": REPAID}), ("defaulted", LINE)], 0.46, 1.065, across=0.26)
        percent_axis(axes.y)
        axes.x.limits, axes.y.limits = _span(test), (0, 1.01)
        label(axes, "score in points", "share at or below")
    alt = (
        f"The classes are farthest apart at {at:.0f} points: {percent(ranking.defaulted[gap])} of the test's defaults "
        f"score at most that, and {percent(ranking.repaid[gap])} of those who repaid. KS {figure(metrics['ks'])}."
    )
    if not metrics["ks"] > 0:
        alt = "Flat: at no score are the classes apart."
    return Picture("ks", "Kolmogorov-Smirnov", alt, canvas.svg)
