"""Values as people read them: few digits, a dash for what is missing, intervals as "a to b"."""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

MISSING = "–"
MOST_SHOWN = 40  # rows of a table, or sections; of more the first SHOWN stand open, and the others are folded
SHOWN = 25


def is_number(value: object) -> bool:
    """Whether a value is a number and not a truth value."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)


def is_missing(value: object) -> bool:
    """Whether a value is None, NaN, infinite or pandas' NA: nothing that a page could show."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float | np.floating) and not math.isfinite(value)


def plain(value: object) -> str:
    """One value by itself: numbers with up to six digits, truth values in words, lists with commas."""
    if is_missing(value):
        return MISSING
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return f"{value:,.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return str(value)


def percent(share: float | None) -> str:
    """A share from 0 to 1 as a percentage of three digits: `1.43 %`."""
    if share is None or is_missing(share):
        return MISSING
    return f"{_digits(100 * share, 3)}\N{NO-BREAK SPACE}%"


def figure(value: float | None) -> str:
    """A metric: whole numbers as they are, others with four decimals, one where large, four digits where small."""
    if value is None or is_missing(value):
        return MISSING
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if abs(value) >= 1_000:
        return f"{value:,.1f}"
    return f"{value:.4f}" if abs(value) >= 0.1 or value == 0 else _digits(value, 4)


def p_value(p: float | None) -> str:
    """A p value: four decimals, powers of ten for small ones."""
    if p is None or is_missing(p):
        return MISSING
    return f"{p:.4f}" if p >= 0.0001 else f"{p:.1e}"


def between(interval: Iterable[float] | None, how: str = "figure") -> str:
    """An interval: `0.861 to 0.884`, of metrics or (`how` "percent") of shares."""
    if interval is None or any(map(is_missing, interval := tuple(interval))):
        return MISSING
    low, high = interval
    if how == "percent":
        return f"{percent(low)[:-2]} to {percent(high)}"
    return f"{figure(low)} to {figure(high)}"


def _digits(value: float, digits: int) -> str:
    """Fixed notation with so many digits that count, zeros kept; tiny numbers in powers of ten."""
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, decimals)}f}" if decimals <= 8 else f"{value:.{digits - 1}e}"


def shown_of(count: int) -> int:
    """How many of so many rows stand open."""
    return count if count <= MOST_SHOWN else SHOWN
