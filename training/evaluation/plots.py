"""What people would rather see than read: ranking quality and scores by class, as SVG."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "grid.alpha": 0.3,
    "svg.hashsalt": "lastbit",  # the same picture is the same bytes
}
TRAIN = {"color": "#8a8a8a", "linestyle": "--", "linewidth": 1.4}
TEST = {"color": "#1f4e79", "linestyle": "-", "linewidth": 2.0}
REPAID, DEFAULTED = "#9fbfdf", "#b03a2e"
POINTS_ON_A_CURVE = 400

Sample = tuple[NDArray[np.int8], NDArray[np.float64]]  # target, and probability or score


def draw_discrimination(path: Path, train: Sample, test: Sample) -> None:
    """ROC and precision-recall curves, train beside test."""
    with plt.rc_context(STYLE):
        _, (roc, pr) = plt.subplots(1, 2, figsize=(9, 4))
        for name, (target, probability), style in (("train", train, TRAIN), ("test", test, TEST)):
            false_positive, true_positive, _ = roc_curve(target, probability)
            _curve(roc, false_positive, true_positive, name, style)
            precision, recall, _ = precision_recall_curve(target, probability)
            _curve(pr, recall, precision, name, style)
        roc.plot([0, 1], [0, 1], color="#cccccc", linewidth=1)
        roc.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC")
        pr.axhline(test[0].mean(), color="#cccccc", linewidth=1)
        pr.set(xlabel="recall", ylabel="precision", title="Precision and recall")
        roc.legend(loc="lower right", frameon=False)
        _save(path)


def draw_scores(path: Path, test: Sample, edges: Sequence[float]) -> None:
    """The distribution of test scores by class, each class to its own total, with the band edges."""
    target, scores = test
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(9, 3.6))
        bins = np.linspace(scores.min(), scores.max() + 1e-9, 60).tolist()
        for label, value, color in (("repaid", 0, REPAID), ("defaulted", 1, DEFAULTED)):
            chosen = scores[target == value]
            weights = np.full(len(chosen), 100 / len(chosen))
            filled = {"alpha": 0.8} if value == 0 else {"histtype": "step", "linewidth": 2.0}
            axes.hist(chosen, bins=bins, weights=weights, color=color, label=label, **filled)
        for edge in edges:
            axes.axvline(edge, color="#888888", linewidth=0.6, linestyle=":")
        axes.set(xlabel="score in points", ylabel="% of the class", title="Scores by class, test")
        axes.legend(frameon=False)
        _save(path)


def _curve(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], name: str, style: dict[str, Any]) -> None:
    """Thinned out evenly along the curve: the smallest file that looks the same."""
    length = np.concatenate([[0.0], np.hypot(np.diff(x), np.diff(y)).cumsum()])
    kept = np.unique(np.searchsorted(length, np.linspace(0, length[-1], POINTS_ON_A_CURVE)))
    axes.plot(x[kept], y[kept], label=name, **style)


def _save(path: Path) -> None:
    plt.savefig(path, metadata={"Date": None})
    plt.close()
