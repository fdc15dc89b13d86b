"""How every picture looks: readable in greyscale, the same bytes for the same numbers, text as text.

A picture is as wide as half a page, so that two stand side by side and one fills a phone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from validation.report.plots import svg
from validation.report.plots.axes import GRID, Axes
from validation.report.plots.direction import SOFT, Direction

__all__ = ["GRID", "SOFT"]

WIDTH, HEIGHT = 4.6, 3.2  # inches
INCH = 72.0  # points
LETTER = 5.4  # points that a letter takes in a wide font, on average
MARGIN = 20.0  # points right of the axes
INK = "#1c2128"
SMALL = 8.0  # points, of what is written beside a mark
# Told apart by darkness and by line, not by colour alone.
Style = dict[str, Any]  # what Axes.plot takes
TRAIN: Style = {"color": "#8f979f", "linestyle": (4, 2), "linewidth": 1.5}
TEST: Style = {"color": "#1f4e79", "linewidth": 2.0}
DOT: Style = {"linestyle": "none", "marker": "o", "markersize": 4}
REPAID, DEFAULTED = "#a9c3dc", "#9c2f23"
REFERENCE = "#cbd0d6"
# Colours that stand in one picture differ in lightness (CIE L*, 0 to 100) by at least this much.
LEAST_CONTRAST = 20
TOGETHER = ((TRAIN["color"], TEST["color"]), (REPAID, DEFAULTED), (REFERENCE, TEST["color"]), (REPAID, TEST["color"]))


@dataclass(frozen=True)
class Picture:
    """What is drawn (`svg`), and the sentences that say what is to be seen, with its numbers."""

    name: str
    """Of its file, and of its place in a page."""
    title: str
    alt: str
    svg: str
    wide: bool = False
    """As wide as the page."""


class Drawing:
    """A picture to draw on, and its SVG when it is done."""

    def __init__(self, width: float, height: float) -> None:
        self._width, self._height = width * INCH, height * INCH
        self._axes: list[Axes] = []
        self.svg = ""

    def axes(self, *, left: float = 0.6, right: float = 0.28, top: float = 0.3, bottom: float = 0.5) -> Axes:
        """The axes, with so many inches around."""
        return self.rows([1.0], left=left, right=right, top=top, bottom=bottom)[0]

    def rows(
        self,
        shares: Sequence[float],
        *,
        between: float = 0.0,
        left: float = 0.6,
        right: float = 0.28,
        top: float = 0.3,
        bottom: float = 0.5,
    ) -> list[Axes]:
        """Axes below each other, of these shares of the height, with so many inches around and between."""
        width = self._width - INCH * (left + right)
        height = self._height - INCH * (top + bottom + between * (len(shares) - 1))
        down = INCH * top
        for share in shares:
            own = height * share / sum(shares)
            self._axes.append(Axes(INCH * left, down, width, own, len(self._axes)))
            down += own + INCH * between
        return self._axes[-len(shares) :]

    def document(self) -> str:
        """The SVG of all axes."""
        elements = (element for axes in self._axes for element in axes.elements())
        return svg.document(self._width, self._height, elements)


@contextmanager
def drawing(width: float = WIDTH, height: float = HEIGHT) -> Iterator[Drawing]:
    """A picture of so many inches in the common style; `svg` is set when the block ends."""
    canvas = Drawing(width, height)
    yield canvas
    canvas.svg = canvas.document()


def label(axes: Axes, x: str, y: str) -> None:
    """Names both axes, the upright one by a line above it that is read without turning the head."""
    fits = LETTER * len(y) <= axes.width + MARGIN
    axes.text(0 if fits else 1, 1, y, shares="xy", shift=(0, 8), color=SOFT, ha="left" if fits else "right")
    axes.text(1, 0, x, shares="xy", shift=(0, -28), color=SOFT, ha="right", va="center")


def key(
    axes: Axes, entries: Sequence[tuple[str, Mapping[str, Any]]], x: float, y: float, across: float | None = None
) -> None:
    """What each line stands for, from (`x`, `y`) in shares of the axes downwards, or so far apart to the right."""
    line = 13 / axes.height
    for text, style in entries:
        ends = [x + 0.035] if style.get("linestyle") == "none" else [x, x + 0.07]
        axes.plot(ends, [y] * len(ends), shares="xy", **style)
        axes.text(x + 0.09, y, text, shares="xy", va="center", color=INK)
        x, y = (x, y - line) if across is None else (x + across, y)


def percent_axis(*those: Direction, ticks: int = 5) -> None:
    """Ticks in per cent of shares."""
    for direction in those:
        direction.most, direction.written = ticks, in_percent


def in_percent(share: float) -> str:
    """A share as its tick."""
    return f"{100 * share:.4g} %"
