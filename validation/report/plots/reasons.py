"""Reasons: how many points each feature costs or brings, along its values, to three applicants, and in each band."""

import numpy as np
import pandas as pd

from cli.words import isolated
from validation.reasons import ReasonsEvidence, Waterfall
from validation.report.plots.bars import BAR, CHARACTER, columns, short
from validation.report.plots.features import along, by_level, shown
from validation.report.plots.style import (
    DEFAULTED,
    DOT,
    INK,
    REPAID,
    SMALL,
    SOFT,
    TEST,
    WIDTH,
    Picture,
    drawing,
    label,
)

MOST_FEATURES = 12
TALLER = 0.25  # inches of a row of shares
WIDE = 2 * WIDTH
LEAST_SHOWN, SOME, HALF = 0.005, 0.2, 0.5
STEPS = ((SOME, HALF, REPAID), (HALF, 1.1, TEST["color"]))


def points(evidence: ReasonsEvidence) -> Picture:
    """The middle half and the middle 90 % of the points of each feature."""
    table = evidence.summary.head(MOST_FEATURES)
    names = [short(str(name)) for name in table["Feature"]]
    with drawing(height=0.65 + BAR * len(table)) as canvas:
        axes = canvas.axes(left=0.15 + CHARACTER * max(map(columns, names)), right=0.3, top=0.1)
        place = np.arange(len(table))
        axes.axvline(0, color=SOFT, linewidth=0.8)
        axes.hlines(place, table["5 %"], table["95 %"], color=REPAID, linewidth=2)
        axes.hlines(place, table["25 %"], table["75 %"], color=REPAID, linewidth=6)
        axes.plot(table["Median"], place, **DOT | {"color": TEST["color"]})
        axes.y.set_names(place.tolist(), names, color=INK)
        axes.y.limits, axes.y.grid = (len(table) - 0.4, -0.6), False
        label(axes, "points: median, middle half, middle 90 %", "")
    first = evidence.summary.iloc[0]
    alt = f"{first['Feature']} moves the score most, by {first['Mean points']:.1f} points on average, "
    alt += f"from {first['5 %']:.1f} to {first['95 %']:.1f} for nine of ten applicants."
    return Picture("reasons_points", "Points of each feature", alt, canvas.svg)


def dependence(feature: str, table: pd.DataFrame, number: int) -> Picture:
    """Mean points along the values of a feature, and the middle half of the applicants with such a value."""
    what = "points, mean and middle half"
    numeric = pd.api.types.is_numeric_dtype(table["Value"].dtype)
    svg = along(feature, table, "Mean points", what) if numeric else by_level(table, "Mean points", what)
    its, values = table["Mean points"].to_numpy(), [shown(value) for value in table["Value"]]
    low, high = int(its.argmin()), int(its.argmax())
    at = ["where missing" if value == "missing" else f"at {value}" for value in values]
    alt = (
        f"Along {feature} the points are lowest, {its[low]:+.1f}, {at[low]}, and highest, {its[high]:+.1f}, {at[high]}."
    )
    return Picture(f"reasons_along_{number}", f"Points along {feature}", alt, svg)


def waterfall(its: Waterfall, number: int) -> Picture:
    """From the mean of the reference rows to the score, step by step."""
    names = ["mean of the reference rows", *(short(name) for name, _ in its.steps), "score"]
    ends = its.base + np.cumsum([0.0, *(size for _, size in its.steps)])
    with drawing(height=0.65 + BAR * len(names)) as canvas:
        axes = canvas.axes(left=0.15 + CHARACTER * max(map(columns, names)), right=0.5, top=0.1)
        span = max(float(np.ptp(ends)), 1.0)
        for place, ((_, size), start) in enumerate(zip(its.steps, ends[:-1], strict=True), 1):
            axes.barh(place, size, 0.66, left=start, color=DEFAULTED if size < 0 else REPAID)
            end = max(start, start + size)
            axes.text(end, place, f"{size:+.2f}", shift=(4, 0), va="center", size=SMALL, color=INK)
        for place, value in ((0, its.base), (len(names) - 1, its.total)):
            axes.plot(value, place, **DOT | {"color": INK, "markersize": 5})
            axes.text(value, place, f"{value:.2f}", shift=(6, 0), va="center", size=SMALL, color=INK)
        axes.y.set_names(range(len(names)), names, color=INK)
        axes.y.limits, axes.y.grid = (len(names) - 0.4, -0.6), False
        axes.x.limits = (ends.min() - 0.05 * span, ends.max() + 0.12 * span)
        label(axes, "points", "")
    costs = [f"{name} ({size:+.2f})" for name, size in its.steps if size < 0][:3]
    alt = f"From {its.base:.2f} to {its.total:.2f} points. "
    alt += f"What costs most: {', '.join(costs)}." if costs else "Nothing costs points."
    return Picture(f"reasons_of_{number}", its.title, alt, canvas.svg)


def frequency(evidence: ReasonsEvidence) -> Picture:
    """The share of each band's applicants who get each reason, cells shaded in three steps."""
    table = evidence.frequency
    names = list(table.columns[2:])
    shares = table[names].to_numpy(dtype=np.float64).T  # [reasons, bands]
    bands = table["Band"].tolist()
    labels = [short(name) for name in names]
    with drawing(width=WIDE, height=0.75 + TALLER * len(names)) as canvas:
        axes = canvas.axes(left=0.15 + CHARACTER * max(map(columns, labels)), right=0.1, top=0.05, bottom=0.7)
        for least, most, color in STEPS:
            those = np.argwhere((shares >= least) & (shares < most))
            if len(those):
                axes.cells(those[:, 1], those[:, 0], color=color)
        for y, x in np.argwhere(shares >= LEAST_SHOWN):
            color = "#ffffff" if shares[y, x] >= HALF else INK
            written = f"{100 * shares[y, x]:.0f}"
            axes.text(x + 0.5, y + 0.5, written, ha="center", va="center", size=SMALL, color=color)
        turned = 30 if len(bands) > 6 else 0
        axes.y.set_names([place + 0.5 for place in range(len(names))], labels, color=INK)
        axes.x.set_names([place + 0.5 for place in range(len(bands))], list(map(_band, bands)), rotation=turned)
        axes.y.limits, axes.x.limits = (len(names), 0), (0, len(bands))
        axes.x.grid = axes.y.grid = False
    lowest = dict(zip(names, shares[:, 0], strict=True))
    first = sorted(names, key=lambda name: -lowest[name])[:3]
    alt = f"Share of the applicants of a band who get a reason, in %. In {bands[0]}: "
    alt += ", ".join(f"{isolated(name)} {100 * lowest[name]:.0f}\N{NO-BREAK SPACE}%" for name in first) + "."
    return Picture("reasons_frequency", "Principal reasons by band", alt, canvas.svg, wide=True)


def _band(name: str) -> str:
    return name.strip("[]()").replace(", ", "–")
