"""The README's first picture: error of two exports of one isotonic model, drawn by `make pictures`."""

from pathlib import Path

import numpy as np

from benchmarks.million import stock as stock_graph
from benchmarks.subject import applicants, subject
from validation.report.plots.scales import Logarithmic
from validation.report.plots.style import DEFAULTED, DOT, TEST, drawing, label

TITLE = "error in percentage points, one CalibratedClassifierCV (isotonic), 90,000 applicants"


def draw(out: Path) -> None:
    """Draw into `out` how far both exports of one isotonic model are from scikit-learn, over its probability."""
    its = subject("calibrated-cv", "isotonic", "probability")
    inputs = its.pipeline[0].raw_inputs(applicants())
    expected = its.pipeline.predict_proba(its.pipeline[0].frame(inputs))[:, 1]
    ours = its.model.predict(**inputs)[0]
    stock = stock_graph(its)(inputs)
    # Every applicant whose error can be seen, and a few of the others.
    wrong = np.flatnonzero(np.abs(stock - expected) > 1e-3)
    order = np.union1d(wrong, np.argsort(expected)[:: len(expected) // 200])
    order = order[np.argsort(expected[order])]
    worst, least = (100 * np.abs(them - expected).max() for them in (stock, ours))
    with drawing(9, 3.2) as canvas:
        axes = canvas.axes()
        p = 100 * expected[order]
        axes.x.scale, axes.x.written = Logarithmic(), lambda value: f"{value:g}"
        axes.plot(p, 100 * (stock - expected)[order], **DOT | {"marker": ".", "color": DEFAULTED})
        axes.plot(p, 100 * (ours - expected)[order], **TEST)
        axes.text(0.03, 0.9, f"stock converters: up to {worst:.1f} points", color=DEFAULTED, shares="xy")
        axes.text(0.03, 0.47, f"lastbit: {least:.1g}", color=TEST["color"], shares="xy", bold=True)
        label(axes, "probability of default by scikit-learn, %", TITLE)
    out.write_text(canvas.svg, encoding="utf-8")
