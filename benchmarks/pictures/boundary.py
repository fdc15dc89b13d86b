"""Picture of one applicant's score around a split: pipeline and exported graph, float32 after float32.

The split is found by bisection of the graph's own answers, so that it lies between two neighbouring numbers.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from runtime.model import Model
from validation.report.plots.style import DEFAULTED, DOT, TEST, drawing, label

STEPS = 6  # neighbouring numbers on each side
GRID = 400

Values = NDArray[np.float32]
Curve = Callable[[Values], NDArray[np.float64]]


def boundary(pipeline: Pipeline, model: Model, applicant: pd.DataFrame, feature: str) -> str:
    """SVG of the probabilities of one applicant (a frame of one row) as `feature` crosses its steepest split."""
    known = applicant[feature].to_numpy(np.float32)[0]

    def rows(values: Values) -> pd.DataFrame:
        frame = applicant.loc[applicant.index.repeat(len(values))].reset_index(drop=True)
        return frame.assign(**{feature: values.astype(np.float64)})

    def graph(values: Values) -> NDArray[np.float64]:
        return np.asarray(model.predict(**pipeline[0].raw_inputs(rows(values)))[0], np.float64)

    low, high = split(graph, np.float32(0), np.float32(4 * abs(known) + 1))
    around = neighbours(low, high)
    by_pipeline = pipeline.predict_proba(rows(around))[:, 1]
    if not np.array_equal(np.sign(np.diff(by_pipeline)), np.sign(np.diff(graph(around)))):
        raise ValueError(f"{feature}: expected both to step at {high}, as the certificate says")
    with drawing(9, 3.0) as canvas:
        axes = canvas.axes(left=0.8)
        steps = np.arange(len(around)) - STEPS + 0.0
        axes.plot(steps, 100 * by_pipeline, **DOT | {"color": DEFAULTED, "markersize": 9})
        axes.plot(steps, 100 * graph(around), **DOT | {"color": "#ffffff", "markersize": 5})
        axes.plot(steps, 100 * graph(around), **DOT | {"color": TEST["color"], "markersize": 4})
        axes.text(0.03, 0.9, "scikit-learn pipeline", color=DEFAULTED, shares="xy")
        axes.text(0.03, 0.8, "exported graph", color=TEST["color"], shares="xy", bold=True)
        label(
            axes,
            f"{feature}, float32 numbers from {high} (0), the first on the other side of a split",
            "probability of default, %: one applicant, both sides of a split",
        )
    return canvas.svg


def split(curve: Curve, low: np.float32, high: np.float32) -> tuple[np.float32, np.float32]:
    """Two neighbouring numbers between which the curve has its largest step over a grid."""
    grid = np.linspace(low, high, GRID, dtype=np.float32)
    at = int(np.abs(np.diff(curve(grid))).argmax())
    before, after = grid[at], grid[at + 1]
    start = curve(np.array([before]))[0]
    if start == curve(np.array([after]))[0]:
        raise ValueError(f"expected a step between {low} and {high}, found none")
    while np.nextafter(before, after) < after:
        middle = np.float32(before + (after - before) / 2)
        if curve(np.array([middle]))[0] == start:
            before = middle
        else:
            after = middle
    return before, after


def neighbours(before: np.float32, after: np.float32) -> Values:
    """Return `STEPS` numbers up to `before` and as many from `after` on, each the next float32."""
    down, up = [before], [after]
    for _ in range(STEPS - 1):
        down.append(np.nextafter(down[-1], np.float32(-np.inf)))
        up.append(np.nextafter(up[-1], np.float32(np.inf)))
    return np.array([*reversed(down), *up], np.float32)
