"""Do risky applicants come first? ROC, precision and recall, gains, lift."""

from collections.abc import Mapping

import numpy as np

from validation.report.plots.ranking import Ranking, thinned
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
from validation.report.words import between, figure, percent

STYLES = {"train": TRAIN, "test": TEST}
SHARES = (0.05, 0.1, 0.2)
Rankings = Mapping[str, Ranking]
Figures = Mapping[str, Mapping[str, float]]
Intervals = Mapping[str, Mapping[str, tuple[float, float]]]


def roc(rankings: Rankings, metrics: Figures, intervals: Intervals) -> Picture:
    """True positive rate over false positive rate."""
    with drawing() as canvas:
        axes = canvas.axes()
        axes.plot([0, 1], [0, 1], color=REFERENCE, linewidth=1)
        for name, ranking in rankings.items():
            axes.plot(*thinned(ranking.repaid, ranking.defaulted), **STYLES[name])
        key(axes, [(f"{name} {figure(metrics[name]['roc_auc'])}", STYLES[name]) for name in rankings], 0.58, 0.2)
        percent_axis(axes.x, axes.y)
        axes.x.limits, axes.y.limits = (0, 1), (0, 1.01)
        label(axes, "repaid, but ranked as risky (false positive rate)", "defaulted, found (true positive rate)")
    test = rankings["test"]
    tenth = test.defaulted[test.repaid.searchsorted(0.1, side="right") - 1]
    alt = (
        f"Areas under the ROC curve: test {_with_interval('roc_auc', 'test', metrics, intervals)}, "
        f"train {_with_interval('roc_auc', 'train', metrics, intervals)}. Where 10 % of those who repaid are ranked "
        f"as risky, {percent(tenth)} of the test's defaults are found."
    )
    return Picture("roc", "ROC", alt, canvas.svg)


def precision_recall(rankings: Rankings, metrics: Figures, intervals: Intervals) -> Picture:
    """Precision over recall."""
    with drawing() as canvas:
        axes = canvas.axes()
        axes.axhline(rankings["test"].rate, color=REFERENCE, linewidth=1)
        for name, ranking in rankings.items():
            axes.plot(*thinned(ranking.defaulted[1:], ranking.precision[1:]), **STYLES[name])
        below = any(np.interp(0.55, its.defaulted[1:], its.precision[1:]) > 0.7 for its in rankings.values())
        entries = [(f"{name} {figure(metrics[name]['pr_auc'])}", STYLES[name]) for name in rankings]
        key(axes, entries, 0.58, 0.2 if below else 0.95)
        percent_axis(axes.x, axes.y)
        axes.x.limits, axes.y.limits = (0, 1), (0, 1.01)
        label(axes, "defaults found (recall)", "defaults among those ranked as risky (precision)")
    test = rankings["test"]
    half = test.precision[test.defaulted.searchsorted(0.5)]
    alt = (
        f"Areas under the precision-recall curve: test {_with_interval('pr_auc', 'test', metrics, intervals)}, "
        f"train {_with_interval('pr_auc', 'train', metrics, intervals)}; without a model {percent(test.rate)}. Where "
        f"half of the test's defaults are found, {percent(half)} of those ranked as risky default."
    )
    return Picture("precision_recall", "Precision and recall", alt, canvas.svg)


def gains(rankings: Rankings) -> Picture:
    """Share of the defaults among the riskiest applicants."""
    with drawing() as canvas:
        axes = canvas.axes()
        axes.plot([0, 1], [0, 1], color=REFERENCE, linewidth=1)
        for name, ranking in rankings.items():
            axes.plot(*thinned(ranking.everybody, ranking.defaulted), **STYLES[name])
        test = rankings["test"]
        found = [test.found(share) for share in SHARES]
        axes.plot(SHARES, found, **DOT | {"color": INK})
        for share, value in zip(SHARES, found, strict=True):
            axes.text(share, value, percent(value), shift=(6, -9), size=SMALL, color=INK)
        key(axes, [(name, STYLES[name]) for name in rankings], 0.7, 0.2)
        percent_axis(axes.x, axes.y)
        axes.x.limits, axes.y.limits = (0, 1), (0, 1.01)
        label(axes, "riskiest applicants", "defaults among them, of all defaults")
    told = ", ".join(f"the riskiest {100 * s:g} % hold {percent(v)}" for s, v in zip(SHARES, found, strict=True))
    return Picture("gains", "Gains", f"Of the test's defaults, {told}.", canvas.svg)


def lift(rankings: Rankings) -> Picture:
    """How many times more defaults there are among the riskiest applicants than among all."""
    with drawing() as canvas:
        axes = canvas.axes()
        axes.axhline(1, color=REFERENCE, linewidth=1)
        for name, ranking in rankings.items():
            begin = int(ranking.everybody.searchsorted(0.01))  # the first few applicants are noise
            times = ranking.precision[begin:] / ranking.rate
            axes.plot(*thinned(ranking.everybody[begin:], times), **STYLES[name])
        key(axes, [(name, STYLES[name]) for name in rankings], 0.7, 0.95)
        percent_axis(axes.x)
        axes.x.limits, axes.y.limits = (0, 1), (0, None)
        label(axes, "riskiest applicants", "their default rate, as a multiple of everybody's")
    test = rankings["test"]
    told = [f"{test.found(share) / share:.1f} times among {100 * share:g} %" for share in SHARES]
    alt = f"The riskiest applicants of the test default more often than all of them: {', '.join(told)}."
    return Picture("lift", "Lift", alt, canvas.svg)


def _with_interval(metric: str, name: str, metrics: Figures, intervals: Intervals) -> str:
    value = figure(metrics[name][metric])
    interval = intervals.get(name, {}).get(metric)
    return f"{value} ({between(interval)})" if interval else value
