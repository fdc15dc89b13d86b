"""Are the test's applicants those of the training? Shares of the score's bins, and the index of each feature."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cli.words import isolated
from validation.report.plots.bars import bars
from validation.report.plots.style import REPAID, TEST, Picture, Style, drawing, key, label, percent_axis
from validation.report.words import percent

MOST_FEATURES = 15
EXPECTED: Style = {"color": REPAID, "linewidth": 6}
ACTUAL: Style = {"color": TEST["color"], "linewidth": 6}


def score_shift(score: Mapping[str, Any]) -> Picture:
    """The share of the applicants in each bin of the score, train beside test."""
    bins = score["bins"]
    place = np.arange(len(bins))
    with drawing() as canvas:
        axes = canvas.axes(bottom=1.0)
        for move, member, style in ((-0.2, "expected", EXPECTED), (0.2, "actual", ACTUAL)):
            axes.bar(place + move, [entry[member] for entry in bins], 0.38, color=style["color"])
        axes.x.set_names(place.tolist(), [str(entry["bin"]) for entry in bins], rotation=40)
        axes.x.grid = False
        key(axes, [("train", EXPECTED), ("test", ACTUAL)], 0.8, 0.94)
        percent_axis(axes.y)
        axes.y.limits = (0, 1.35 * max(max(entry["expected"], entry["actual"]) for entry in bins))
        label(axes, "", "share of the applicants by score")
    most = max(bins, key=lambda entry: abs(entry["contribution"]))
    alt = (
        f"The population stability index of the score, test against train, is {score['psi']:.4f}; {score['limit']:g} "
        "counts as moved. "
    )
    if f"{score['psi']:.4f}" == "0.0000":
        alt += "It is flat: no bin moved."
    else:
        alt += (
            f"The bin that moved most, {most['bin']}, holds {percent(most['expected'])} of train "
            f"and {percent(most['actual'])} of test."
        )
    return Picture("score_shift", "Score, train and test", alt, canvas.svg)


def feature_shift(features: Sequence[Mapping[str, Any]]) -> Picture:
    """The characteristic stability index of the features that moved most."""
    shown = features[:MOST_FEATURES]
    limit = max(entry["limit"] for entry in shown)
    names, values = [str(entry["feature"]) for entry in shown], [float(entry["csi"]) for entry in shown]
    svg = bars(names, values, "characteristic stability index", ".4f", limit)
    moved = [entry for entry in features if entry["csi"] >= entry["limit"]]
    beyond = (
        f"{len(moved)} of {len(features)} features are at or beyond the limit"
        if moved
        else (f"all {len(features)} features are below the limit")
    )
    most = (
        f"{isolated(names[0])} moved most, {values[0]:.4f}"
        if f"{values[0]:.4f}" != "0.0000"
        else "Flat: no feature moved"
    )
    alt = f"{most}; {beyond} of {limit:g}."
    return Picture("feature_shift", "Features, train and test", alt, svg)
