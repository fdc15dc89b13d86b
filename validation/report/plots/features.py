"""Dependence of the score: the share of each feature, and the score along the most important ones."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cli.words import isolated
from validation.report.plots.axes import Axes
from validation.report.plots.bars import CHARACTER, bars, columns, short
from validation.report.plots.scales import Symmetric
from validation.report.plots.style import DOT, REPAID, SOFT, TEST, Picture, drawing, label

MOST_FEATURES = 15
FLAT = 1.0  # points between the lowest and the highest mean score: less is not to be seen
RANGE = {"color": REPAID}


def importance(table: pd.DataFrame) -> Picture:
    """The mean absolute contribution of the most important features, in points."""
    top = table.head(MOST_FEATURES)
    names, points = top["Feature"].astype(str).tolist(), top["Mean points"].tolist()
    first = table.head(3)
    told = ", ".join(
        f"{isolated(name)} ({share:.1f} %)" for name, share in zip(first["Feature"], first["Share"], strict=True)
    )
    count = f"{len(first)} of {len(table)} features make up" if len(first) > 1 else "one feature makes up"
    alt = f"{count} {first['Share'].sum():.1f} % of all contributions to the score: {told}."
    if not table["Mean points"].max() > 0:
        alt = "flat: no feature moves the score."
    return Picture(
        "importance",
        "Importance",
        alt[0].upper() + alt[1:],
        bars(names, points, "mean contribution to the score, points", ".1f"),
    )


def dependence(feature: str, table: pd.DataFrame, number: int) -> Picture:
    """The mean score if everybody had the same value of one feature, and the middle half of the applicants.

    `number` is its place among the pictures. A missing value, NaN of numbers, stands apart.
    """
    numeric = pd.api.types.is_numeric_dtype(table["Value"].dtype)
    svg = (
        along(feature, table, "Mean score", "mean score, and the middle half of the applicants")
        if numeric
        else by_level(table, "Mean score", "mean score and middle half")
    )
    score, value = table["Mean score"].to_numpy(), [shown(value) for value in table["Value"]]
    low, high = int(score.argmin()), int(score.argmax())
    if score[high] - score[low] < FLAT:
        return Picture(f"dependence_{number}", feature, f"Along {feature} the mean score is flat: {about(score)}.", svg)
    alt = (
        f"Along {feature} the mean score is lowest, {score[low]:.0f} points, at {value[low]} and highest, "
        f"{score[high]:.0f}, at {value[high]}."
    )
    return Picture(f"dependence_{number}", feature, alt, svg)


def about(score: NDArray[np.float64]) -> str:
    """The points of a flat line."""
    return f"{score.mean():.0f} points at every value, within {score.max() - score.min():.2g}"


def shown(value: object) -> str:
    """A value of a feature, numbers with four digits."""
    if isinstance(value, float):
        return "missing" if value != value else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


def along(feature: str, table: pd.DataFrame, mean: str, what: str) -> str:
    """The column `mean` between Low and High at each number of Value; a missing one stands apart."""
    with drawing(height=2.6) as canvas:
        axes = canvas.axes(right=0.6 if table["Value"].isna().any() else 0.28)
        known, missing = table[table["Value"].notna()], table[table["Value"].isna()]
        scaled(axes, known["Value"])
        axes.fill_between(known["Value"], known["Low"], known["High"], **RANGE)
        axes.plot(known["Value"], known[mean], marker="o", markersize=3, **TEST)
        if len(missing):
            axes.vlines(1.1, missing["Low"], missing["High"], linewidth=6, shares="x", **RANGE)
            axes.plot(1.1, missing[mean], **DOT | {"color": TEST["color"], "markersize": 6}, shares="x")
            axes.text(1.1, 0, "missing", color=SOFT, shares="xy", shift=(0, -6), ha="center", va="top")
        label(axes, short(feature), what)
    return canvas.svg


def scaled(axes: Axes, values: "pd.Series[float]") -> None:
    """Give whole numbers whole ticks, and a logarithmic axis where a few large ones would press the others together."""
    axes.x.most, axes.x.whole = 6, bool((values % 1 == 0).all())
    size = values[values != 0].abs()
    if len(values) > 4 and size.max() > 10 * size.median():
        axes.x.scale = Symmetric(float(size.median()))
    axes.x.written = shown


def by_level(table: pd.DataFrame, mean: str, what: str) -> str:
    """The column `mean` between Low and High of each level of Value."""
    names = [short(shown(value)) for value in table["Value"]]
    with drawing(height=0.85 + 0.2 * len(table)) as canvas:
        axes = canvas.axes(left=0.15 + CHARACTER * max(map(columns, names)))
        place = range(len(table))
        axes.hlines(place, table["Low"], table["High"], linewidth=5, **RANGE)
        axes.plot(table[mean], place, **DOT | {"color": TEST["color"], "markersize": 5})
        axes.y.set_names(place, names)
        axes.y.limits = (len(table) - 0.4, -0.6)
        label(axes, "", what)
    return canvas.svg
