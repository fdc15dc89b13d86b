"""How every picture looks: readable in greyscale, the same bytes for the same numbers, text as text."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.family": "sans-serif",
    "font.size": 10,
    "grid.alpha": 0.3,
    "svg.fonttype": "none",  # text stays text: smaller, searchable, read aloud
    "svg.hashsalt": "lastbit",  # the same picture is the same bytes
}
# Told apart by darkness and by line, not by colour alone.
TRAIN: dict[str, Any] = {"color": "#8a8a8a", "linestyle": "--", "linewidth": 1.4}
TEST: dict[str, Any] = {"color": "#1f4e79", "linestyle": "-", "linewidth": 2.0}
REPAID, DEFAULTED = "#9fbfdf", "#b03a2e"
REFERENCE = "#cccccc"


class Drawing:
    """A figure to draw on, and its SVG when it is done."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.svg = ""


@contextmanager
def drawing(width: float, height: float) -> Iterator[Drawing]:
    """A figure of so many inches in the common style; `svg` is set when the block ends."""
    with plt.rc_context(STYLE):
        canvas = Drawing(plt.figure(figsize=(width, height)))
        try:
            yield canvas
            text = io.StringIO()
            canvas.figure.savefig(text, format="svg", metadata={"Date": None})
            canvas.svg = text.getvalue()
        finally:
            plt.close(canvas.figure)
