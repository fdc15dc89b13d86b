"""Named amounts as horizontal bars, the first on top."""

from collections.abc import Sequence
from unicodedata import combining, east_asian_width

from validation.report.plots.style import INK, SMALL, TEST, drawing, label

BAR = 0.21  # inches that a bar takes
CHARACTER = 0.085  # inches, of a wide font
LONGEST_NAME = 34


def bars(names: Sequence[str], values: Sequence[float], what: str, spec: str, limit: float | None = None) -> str:
    """The SVG; `spec` is how a value is written, `limit` one to be marked."""
    shown = [short(name) for name in names]
    left = 0.15 + CHARACTER * max(map(columns, shown), default=0)
    with drawing(height=0.65 + BAR * len(shown)) as canvas:
        axes = canvas.axes(left=left, right=0.5, top=0.1)
        place = range(len(shown))
        axes.barh(place, values, 0.66, color=TEST["color"])
        for y, value in zip(place, values, strict=True):
            axes.text(value, y, format(value, spec), shift=(4, 0), va="center", size=SMALL, color=INK)
        axes.y.set_names(place, shown, color=INK)
        axes.y.limits, axes.y.grid = (len(shown) - 0.4, -0.6), False
        axes.x.limits, axes.x.most = (0, 1.02 * max(*values, limit or 0, 1e-12)), 4
        if limit is not None:
            axes.axvline(limit, color=INK, linewidth=1.2, dashes=(3, 2))
        label(axes, what, "")
    return canvas.svg


def columns(name: str) -> int:
    """Width of a name in Latin letters: East Asian letters count two, combining marks none."""
    return sum(2 if east_asian_width(sign) in "WF" else not combining(sign) for sign in name)


def short(name: str) -> str:
    """A name cut in the middle; both ends distinguish it."""
    if columns(name) <= LONGEST_NAME:
        return name
    half = (LONGEST_NAME - 1) // 2
    return f"{_cut(name, half)}…{_cut(name[::-1], half)[::-1]}"


def _cut(name: str, width: int) -> str:
    """Cut a name to the characters that fit."""
    return next(name[:end] for end in range(len(name), -1, -1) if columns(name[:end]) <= width)
