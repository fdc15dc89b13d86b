"""Axes to draw on: what is drawn waits until all of it is known, then limits, ticks and outlines follow.

Names of methods and of styles are matplotlib's where it has one of the kind. Its figures cost a run more than its
metrics did: every tick, label and spine is an object that is laid out, measured and drawn.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from validation.report.plots import svg
from validation.report.plots.direction import SOFT, Direction

Floats = NDArray[np.float64]
Dashes = tuple[float, ...]
GRID = "#e4e8ec"
FONT_SIZE = 9.0  # points, as all sizes and widths here
BELOW, BESIDE = 6.0, 5.0  # from the axes to the names of their ticks
HAIRLINE = 0.8
TICK = 36.0  # that a number below the axes takes
GRID_ORDER, AREA_ORDER, LINE_ORDER, TEXT_ORDER = 0, 1, 2, 4


class Axes:
    """A rectangle of the picture, `left`, `top`, `width` and `height` in points, with `x` to the right and `y` up."""

    def __init__(self, left: float, top: float, width: float, height: float, number: int = 0) -> None:
        self.left, self.top, self.width, self.height = left, top, width, height
        self.x, self.y = Direction(), Direction()
        self._number = number
        self._marks: list[tuple[int, bool, Callable[[], str]]] = []

    # ---------------------------------------------------------------- marks

    def plot(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        color: str,
        linewidth: float = 1.5,
        linestyle: str | Dashes = "-",
        marker: str = "",
        markersize: float = 6.0,
        markerfacecolor: str | None = None,
        steps: bool = False,
        shares: str = "",
        clip_on: bool = True,
    ) -> None:
        """A line through points [N], with a marker at each: `o`, `.`, `v` or `_`.

        With `steps` it keeps its height up to the next point. Directions in `shares` ("x", "y") are shares of the axes.
        """
        px, py = (np.atleast_1d(np.asarray(each, dtype=np.float64)) for each in (x, y))
        self._see(px, py, shares)

        def draw() -> str:
            left, down = self._points(px, py, shares)
            found = []
            if linestyle != "none":
                outline = svg.line(np.repeat(left, 2)[1:], np.repeat(down, 2)[:-1]) if steps else svg.line(left, down)
                found.append(svg.path(outline, svg.stroke(color, linewidth, _dashes(linestyle))))
            if marker:
                found.append(svg.markers(left, down, marker, markersize, color, markerfacecolor or color))
            return "".join(found)

        self._add(LINE_ORDER, draw, clipped=clip_on and not shares and not marker)

    def vlines(
        self, x: ArrayLike, low: ArrayLike, high: ArrayLike, *, color: str, linewidth: float, shares: str = ""
    ) -> None:
        """Upright lines [N] from `low` to `high`."""
        self._segments(x, low, x, high, color, linewidth, shares)

    def hlines(self, y: ArrayLike, low: ArrayLike, high: ArrayLike, *, color: str, linewidth: float) -> None:
        """Level lines [N] from `low` to `high`."""
        self._segments(low, y, high, y, color, linewidth, "")

    def axvline(self, x: float, *, color: str, linewidth: float, dashes: Dashes = (), behind: bool = False) -> None:
        """A line from the bottom to the top."""
        self.x.see(x)
        self._rule([x, x], [0, 1], "y", svg.stroke(color, linewidth, dashes), behind=behind)

    def axhline(self, y: float, *, color: str, linewidth: float) -> None:
        """A line from the left to the right."""
        self.y.see(y)
        self._rule([0, 1], [y, y], "x", svg.stroke(color, linewidth))

    def bar(self, x: ArrayLike, height: ArrayLike, width: float, *, color: str) -> None:
        """Bars [N] from 0 up, their middles at `x`."""
        middle = np.asarray(x, dtype=np.float64)
        self._boxes(middle - width / 2, 0.0, middle + width / 2, height, color)

    def barh(self, y: ArrayLike, length: ArrayLike, width: float, *, color: str, left: float = 0.0) -> None:
        """Bars [N] from `left` to the right, their middles at `y`."""
        middle = np.asarray(y, dtype=np.float64)
        self._boxes(left, middle - width / 2, left + np.asarray(length, dtype=np.float64), middle + width / 2, color)

    def cells(self, x: ArrayLike, y: ArrayLike, *, color: str) -> None:
        """Squares of a unit, from the corners given."""
        self._boxes(x, y, np.asarray(x) + 1.0, np.asarray(y) + 1.0, color)

    def stairs(self, heights: ArrayLike, edges: ArrayLike, *, color: str, linewidth: float = 0.0) -> None:
        """Heights [N] between edges [N + 1], filled down to 0 where there is no line."""
        x, y = np.repeat(edges, 2), np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])
        self._see(x, y, "")
        style = svg.stroke(color, linewidth) if linewidth else f"fill: {color}"
        self._add(LINE_ORDER if linewidth else AREA_ORDER, lambda: svg.path(svg.line(*self._points(x, y)), style))

    def fill_between(self, x: ArrayLike, low: ArrayLike, high: ArrayLike, *, color: str) -> None:
        """The area between two lines through points [N]."""
        px, py = np.concatenate([x, np.flip(x)]), np.concatenate([low, np.flip(high)])
        self._see(px, py, "")
        self._add(AREA_ORDER, lambda: svg.path(svg.line(*self._points(px, py)), f"fill: {color}"))

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        color: str,
        size: float = FONT_SIZE,
        ha: str = "left",
        va: str = "baseline",
        shift: tuple[float, float] = (0.0, 0.0),
        shares: str = "",
        bold: bool = False,
    ) -> None:
        """Text at a point, moved by `shift` points to the right and up."""

        def draw() -> str:
            left, down = self._points(np.array([x]), np.array([y]), shares)
            if not (np.isfinite(left[0]) and np.isfinite(down[0])):
                return ""
            place = float(left[0]) + shift[0], float(down[0]) - shift[1]
            return svg.text(*place, words, color=color, size=size, ha=ha, va=va, bold=bold)

        self._add(TEXT_ORDER, draw, clipped=False)

    # ---------------------------------------------------------------- the whole

    def elements(self) -> list[str]:
        """What is drawn, from the grid to the text."""
        self.x.settle()
        self.y.settle()
        self.x.most = max(2, min(self.x.most, int(self.width / TICK)))
        clip = f"axes{self._number}"
        frame = f'<rect x="{svg.number(self.left)}" y="{svg.number(self.top)}" '
        frame += f'width="{svg.number(self.width)}" height="{svg.number(self.height)}"/>'
        found = [f'<clipPath id="{clip}">{frame}</clipPath>', *self._grid()]
        for _, clipped, draw in sorted(self._marks, key=lambda mark: mark[0]):
            drawn = draw()
            found.append(f'<g clip-path="url(#{clip})">{drawn}</g>' if clipped and drawn else drawn)
        return found

    def _grid(self) -> list[str]:
        """Lines at the ticks, names beside them, and the two spines."""
        right, bottom = self.left + self.width, self.top + self.height
        (across, names_across), (up, names_up) = self.x.ticks(), self.y.ticks()
        x = self.left + self.width * self.x.shares(across)
        y = bottom - self.height * self.y.shares(up)
        grid = []
        if self.x.grid:
            grid.append(svg.segments(x, np.full(len(x), bottom), x, np.full(len(x), self.top)))
        if self.y.grid:
            grid.append(svg.segments(np.full(len(y), self.left), y, np.full(len(y), right), y))
        corner = svg.line(np.array([self.left, self.left, right]), np.array([self.top, bottom, bottom]))
        return [
            svg.path(" ".join(filter(None, grid)), svg.stroke(GRID, HAIRLINE)),
            svg.path(corner, svg.stroke(SOFT, HAIRLINE)),
            *(self._below(at, bottom, name) for at, name in zip(x.tolist(), names_across, strict=True)),
            *(
                svg.text(self.left - BESIDE, at, name, color=self.y.color, size=FONT_SIZE, ha="right", va="center")
                for at, name in zip(y.tolist(), names_up, strict=True)
            ),
        ]

    def _below(self, at: float, bottom: float, name: str) -> str:
        turned = self.x.rotation
        return svg.text(
            at,
            bottom + BELOW,
            name,
            color=self.x.color,
            size=FONT_SIZE,
            ha="right" if turned else "center",
            va="top",
            rotation=turned,
        )

    # ---------------------------------------------------------------- helpers

    def _points(self, x: Floats, y: Floats, shares: str = "") -> tuple[Floats, Floats]:
        """Values [N] as points of the picture, from its upper left corner."""
        across = x if "x" in shares else self.x.shares(x)
        up = y if "y" in shares else self.y.shares(y)
        return self.left + self.width * across, self.top + self.height * (1 - up)

    def _see(self, x: ArrayLike, y: ArrayLike, shares: str) -> None:
        if "x" not in shares:
            self.x.see(x)
        if "y" not in shares:
            self.y.see(y)

    def _add(self, order: int, draw: Callable[[], str], *, clipped: bool = True) -> None:
        self._marks.append((order, clipped, draw))

    def _rule(self, x: list[float], y: list[float], shares: str, style: str, *, behind: bool = False) -> None:
        def draw() -> str:
            return svg.path(svg.line(*self._points(np.array(x), np.array(y), shares)), style)

        self._add(GRID_ORDER if behind else LINE_ORDER, draw)

    def _segments(
        self, x0: ArrayLike, y0: ArrayLike, x1: ArrayLike, y1: ArrayLike, color: str, width: float, shares: str
    ) -> None:
        each = (np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (x0, y0, x1, y1))
        a, b, c, d = np.broadcast_arrays(*each)
        self._see([a, c], [b, d], shares)

        def draw() -> str:
            outline = svg.segments(*self._points(a, b, shares), *self._points(c, d, shares))
            return svg.path(outline, svg.stroke(color, width))

        self._add(LINE_ORDER, draw, clipped=not shares)

    def _boxes(self, x0: ArrayLike, y0: ArrayLike, x1: ArrayLike, y1: ArrayLike, color: str) -> None:
        each = (np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (x0, y0, x1, y1))
        a, b, c, d = np.broadcast_arrays(*each)
        self._see([a, c], [b, d], "")
        self._add(AREA_ORDER, lambda: svg.path(svg.boxes(*self._points(a, b), *self._points(c, d)), f"fill: {color}"))


def _dashes(linestyle: str | Dashes) -> Dashes:
    return () if isinstance(linestyle, str) else linestyle
