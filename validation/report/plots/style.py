"""How every picture looks: readable in greyscale, the same bytes for the same numbers, text as text.

A picture is as wide as half a page, so that two stand side by side and one fills a phone.
"""

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

WIDTH, HEIGHT = 4.6, 3.2
INK, SOFT, GRID = "#1c2128", "#59626d", "#e4e8ec"
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": SOFT,
    "axes.grid": True,
    "axes.labelcolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titley": 1.0,  # placed by us: matplotlib would measure every label for it
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "svg.fonttype": "none",  # text stays text: smaller, searchable, read aloud
    "svg.hashsalt": "lastbit",  # the same picture is the same bytes
    "text.color": INK,
    "text.parse_math": False,  # names may hold dollar signs
    "xtick.color": SOFT,
    "xtick.major.pad": 6,
    "xtick.major.size": 0,
    "ytick.color": SOFT,
    "ytick.major.pad": 5,
    "ytick.major.size": 0,
}
# Told apart by darkness and by line, not by colour alone.
TRAIN: dict[str, Any] = {"color": "#8f979f", "linestyle": (0, (4, 2)), "linewidth": 1.5}
TEST: dict[str, Any] = {"color": "#1f4e79", "linestyle": "-", "linewidth": 2.0}
REPAID, DEFAULTED = "#a9c3dc", "#9c2f23"
REFERENCE = "#cbd0d6"
# Colours that stand in one picture differ in lightness (CIE L*, 0 to 100) by at least this much.
LEAST_CONTRAST = 20
TOGETHER = ((TRAIN["color"], TEST["color"]), (REPAID, DEFAULTED), (REFERENCE, TEST["color"]), (REPAID, TEST["color"]))

_SHEET = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>\s*", re.DOTALL)
_STROKES = "stroke-linejoin: round; stroke-linecap: butt"  # what the sheet says
_OUTLINE = re.compile(r' d="[^"]*"')
_MORE_THAN_TWO_DECIMALS = re.compile(r"(\.\d\d)\d+")
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


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
    """A figure to draw on, and its SVG when it is done."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.svg = ""

    def axes(
        self, *, left: float = 0.6, right: float = 0.28, top: float = 0.3, bottom: float = 0.5, **grid: Any
    ) -> Any:
        """The axes, one or an array of them, with so many inches around; `grid` is what `Figure.subplots` takes."""
        width, height = self.figure.get_size_inches()
        around = {"left": left / width, "right": 1 - right / width, "top": 1 - top / height, "bottom": bottom / height}
        grid["gridspec_kw"] = {**around, **grid.get("gridspec_kw", {})}
        return self.figure.subplots(**grid)


@contextmanager
def drawing(width: float = WIDTH, height: float = HEIGHT) -> Iterator[Drawing]:
    """A figure of so many inches in the common style; `svg` is set when the block ends."""
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # Text stays text, which the reader's fonts draw; matplotlib's own font only measures it.
        warnings.filterwarnings("ignore", r"(?s).*(missing from font|does not support .* natively)", UserWarning)
        canvas = Drawing(Figure(figsize=(width, height)))
        yield canvas
        text = io.StringIO()
        canvas.figure.savefig(text, format="svg", metadata=_NO_METADATA)
        canvas.svg = _own(text.getvalue())


def _own(document: str) -> str:
    """Only the element, so that it can stand in a page: its style sheet would be the whole page's."""
    element = _SHEET.sub("", document[document.index("<svg") :], count=1)
    return _OUTLINE.sub(_rounded, element.replace("<svg", f'<svg style="{_STROKES}"', 1))


def _rounded(outline: re.Match[str]) -> str:
    """A hundredth of a point is nothing that can be seen."""
    return _MORE_THAN_TWO_DECIMALS.sub(r"\1", outline[0])


def label(axes: Axes, x: str, y: str) -> None:
    """Names both axes, the upright one by a line above it that is read without turning the head."""
    figure: Any = axes.get_figure()
    above = axes.transAxes + ScaledTranslation(0, 8 / 72, figure.dpi_scale_trans)
    below = axes.transAxes + ScaledTranslation(0, -28 / 72, figure.dpi_scale_trans)
    axes.text(0, 1, y, transform=above, color=SOFT)
    axes.text(1, 0, x, transform=below, color=SOFT, ha="right", va="center")


def key(
    axes: Axes, entries: Sequence[tuple[str, Mapping[str, Any]]], x: float, y: float, across: float | None = None
) -> None:
    """What each line stands for, from (`x`, `y`) in shares of the axes downwards, or so far apart to the right."""
    figure: Any = axes.get_figure()
    line = 13 / 72 / (axes.get_position().height * figure.get_figheight())
    for text, style in entries:
        ends = [x + 0.035] if style.get("linestyle") == "none" else [x, x + 0.07]
        axes.plot(ends, [y] * len(ends), transform=axes.transAxes, clip_on=False, **style)
        axes.text(x + 0.09, y, text, transform=axes.transAxes, va="center")
        x, y = (x, y - line) if across is None else (x + across, y)


def percent_axis(*those: Axis, ticks: int = 5) -> None:
    """Ticks in per cent of shares."""
    for axis in those:
        axis.set_major_locator(MaxNLocator(ticks))
        axis.set_major_formatter(lambda share, _: f"{100 * share:.4g} %")
