"""Elements of an SVG document: outlines and text, in points, rounded to a hundredth of one."""

from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray

FONT = "sans-serif"
# Distance of the baseline below the middle and the top of a letter, in font sizes.
MIDDLE, TOP = 0.35, 0.76
BASELINES = {"baseline": 0.0, "center": MIDDLE, "top": TOP}
ANCHORS = {"left": "", "center": "; text-anchor: middle", "right": "; text-anchor: end"}
CAP = 'style="stroke-linejoin: round; stroke-linecap: butt"'

Floats = NDArray[np.float64]


def number(value: float) -> str:
    """A hundredth of a point is nothing that can be seen."""
    return f"{round(value, 2) + 0.0:g}"  # -0.0 becomes 0


def numbers(values: Floats) -> list[str]:
    """The same of values [N]."""
    return [f"{value:g}" for value in (np.round(values, 2) + 0.0).tolist()]


def line(x: Floats, y: Floats) -> str:
    """An outline through points [N]; it is broken where one is not finite."""
    known = np.isfinite(x) & np.isfinite(y)
    begins = known & ~np.concatenate([[False], known[:-1]])
    where = np.flatnonzero(known)
    pen = np.where(begins[where], "M", "L").tolist()
    xs, ys = numbers(x[where]), numbers(y[where])
    return " ".join(f"{p}{a} {b}" for p, a, b in zip(pen, xs, ys, strict=True))


def segments(x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> str:
    """An outline of lines [N] apart."""
    known = np.isfinite(x0) & np.isfinite(y0) & np.isfinite(x1) & np.isfinite(y1)
    ends = (numbers(each[known]) for each in (x0, y0, x1, y1))
    return " ".join(f"M{a} {b}L{c} {d}" for a, b, c, d in zip(*ends, strict=True))


def boxes(x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> str:
    """An outline of rectangles [N] between two corners each."""
    ends = (numbers(each) for each in (x0, y0, x1, y1))
    return " ".join(f"M{a} {b}H{c}V{d}H{a}z" for a, b, c, d in zip(*ends, strict=True))


def path(outline: str, style: str) -> str:
    """An element that shows the outline, or nothing without an outline."""
    return f'<path d="{outline}" style="{style}"/>' if outline else ""


def markers(x: Floats, y: Floats, marker: str, size: float, color: str, face: str) -> str:
    """Markers [N], their outlines a point wide."""
    known = np.isfinite(x) & np.isfinite(y)
    half = size / 4 if marker == "." else size / 2
    a, b, d = number(half), number(size), number(-half)
    shapes = {"v": f"m{d} {d}h{b}l{d} {b}z", "_": f"m{d} 0h{b}"}
    circle = f"m{d} 0a{a} {a} 0 1 0 {number(2 * half)} 0a{a} {a} 0 1 0 {number(-2 * half)} 0z"
    shape = shapes.get(marker, circle)
    outline = "".join(f"M{left} {down}{shape}" for left, down in zip(numbers(x[known]), numbers(y[known]), strict=True))
    return path(outline, f"fill: {face}; stroke: {color}; stroke-width: 1")


def stroke(color: str, width: float, dashes: Sequence[float] = ()) -> str:
    """The style of a line; dashes are in widths of it."""
    dashed = f"; stroke-dasharray: {','.join(number(width * dash) for dash in dashes)}" if dashes else ""
    return f"fill: none; stroke: {color}; stroke-width: {number(width)}{dashed}"


def text(
    x: float,
    y: float,
    words: str,
    *,
    color: str,
    size: float,
    ha: str = "left",
    va: str = "baseline",
    rotation: float = 0,
    bold: bool = False,
) -> str:
    """Text beside a point; `rotation` in degrees is against the clock."""
    down = size * BASELINES[va]
    turned = f' transform="rotate({number(-rotation)} {number(x)} {number(y)})"' if rotation else ""
    weight = "bold " if bold else ""
    style = f"font: {weight}{number(size)}px {FONT}{ANCHORS[ha]}; fill: {color}"
    return f'<text x="{number(x)}" y="{number(y + down)}" style="{style}"{turned}>{escape(words)}</text>'


def document(width: float, height: float, elements: Iterable[str]) -> str:
    """The whole picture, so many points wide and high."""
    size = f'width="{number(width)}pt" height="{number(height)}pt" viewBox="0 0 {number(width)} {number(height)}"'
    body = "\n".join(filter(None, elements))
    return f'<svg {CAP} xmlns="http://www.w3.org/2000/svg" {size} version="1.1">\n{body}\n</svg>\n'
