"""Figures over time as a small picture: points joined by a line, a second series by dashes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 440, 170, 58, 14, 12, 30
MOST_NAMES = 5  # under the axis
SERIES = ("#1f4e79", "#9c2f23")
DASHES = ("", ' stroke-dasharray="5 4"')


@dataclass(frozen=True)
class Lines:
    """A picture and its title."""

    title: str
    svg: Markup


def lines(title: str, names: Sequence[str], series: Sequence[Sequence[float | None]]) -> Lines | None:
    """Each series [T] at the places `names` [T]; None where fewer than two values are known."""
    known = [value for values in series for value in values if value is not None]
    if len(known) < 2 or len(names) < 2:
        return None
    low, high = min(known), max(known)
    spread = (high - low) or abs(high) or 1.0
    low, high = low - spread / 10, high + spread / 10

    def x(place: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * place / (len(names) - 1)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    parts = [_axis(low, high, y)]
    for values, colour, dash in zip(series, SERIES, DASHES, strict=False):
        there = [(x(i), y(value)) for i, value in enumerate(values) if value is not None]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in there)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.6" fill="{colour}"/>' for a, b in there]
    step = max(1, -(-(len(names) - 1) // (MOST_NAMES - 1)))
    shown = [i for i in range(len(names)) if i % step == 0]
    for i in shown:
        anchor = "start" if i == 0 else "end" if i == len(names) - 1 else "middle"
        text = names[i] if len(names[i]) <= 14 else f"{names[i][:13]}…"
        parts.append(f'<text x="{x(i):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{escape(text)}</text>')
    said = "; ".join(
        f"{names[i]}: " + ", ".join("–" if v[i] is None else f"{v[i]:.4g}" for v in series) for i in range(len(names))
    )
    svg = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" font-size="10" fill="#59626d" '
        f'role="img" aria-label="{escape(title)}. {escape(said)}">{"".join(parts)}</svg>'
    )
    return Lines(title, Markup(svg))


def _axis(low: float, high: float, y: Callable[[float], float]) -> str:
    middle = (low + high) / 2
    rules = [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#d8dde3"/>'
        f'<text x="{LEFT - 6}" y="{y(value) + 3.5:.1f}" text-anchor="end">{value:.3g}</text>'
        for value in (low, middle, high)
    ]
    return "".join(rules)
