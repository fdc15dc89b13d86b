"""`python -m benchmarks.picture`: docs/calibrators.svg, the README's picture, from what was measured."""

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.exactness import _stock
from benchmarks.subject import applicants, subject
from training.evaluation.plots import STYLE

OUT = Path(__file__).parents[1] / "docs" / "calibrators.svg"


def main() -> None:
    """Draws how far both exports of one isotonic model are from scikit-learn, over its probability."""
    its = subject("calibrated-cv", "isotonic", "probability")
    inputs = its.pipeline[0].raw_inputs(applicants())
    expected = its.pipeline.predict_proba(its.pipeline[0].frame(inputs))[:, 1]
    ours = its.model.predict(**inputs)[0]
    stock = _stock(its)(inputs)
    # Every applicant whose error can be seen, and a few of the others.
    wrong = np.flatnonzero(np.abs(stock - expected) > 1e-3)
    order = np.union1d(wrong, np.argsort(expected)[:: len(expected) // 200])
    order = order[np.argsort(expected[order])]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(9, 3.2))
        p = 100 * expected[order]
        axes.plot(p, 100 * (stock - expected)[order], ".", color="#b03a2e", markersize=4)
        axes.plot(p, 100 * (ours - expected)[order], "-", color="#1f4e79", linewidth=2)
        worst = 100 * np.abs(stock - expected).max()
        axes.text(0.03, 0.88, f"stock converters: up to {worst:.1f} points", color="#b03a2e", transform=axes.transAxes)
        label = f"lastbit: {100 * np.abs(ours - expected).max():.1g}"
        axes.text(0.03, 0.44, label, color="#1f4e79", transform=axes.transAxes, fontweight="bold")
        axes.set(
            xscale="log",
            xlabel="probability of default by scikit-learn, %",
            ylabel="error of the export,\npercentage points",
            title="One CalibratedClassifierCV (isotonic), 90,000 applicants, two exports",
        )
        figure.savefig(OUT, metadata={"Date": None})


if __name__ == "__main__":
    main()
