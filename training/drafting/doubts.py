"""Questions about one column that its cells do not answer: counts of days, dates in several forms, letters, scales."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cli.words import shown
from table.time_format import fitting
from table.times import is_iso
from table.words import EXACT
from training.drafting.cells import Cells
from training.drafting.writing import FEW_WORDS, MANY_NUMBERS, NEARLY_ALL

NAME_OF_TIME = re.compile(
    r"(^|[_\W])(date|dt|day|datum|fecha|data|time|timestamp|ts|dob|geb|seit|since|start|begin|end|ende|maturity)($|[_\W])"
    r"|(date|datum|fecha|time|timestamp|_ms|_at)$|[a-z](Dt|At)$|DT$"
    r"|(^|[_\W])(creat|updat|open|clos|issu|sign|start|begin|beginn|matur|birth|geburt|naissance|nacimiento|nascita"
    r"|ouvert|eröffn|apertura|vencim|scadenza|échéance|fällig)",
    re.I,
)
DAYS_OF_EXCEL = "days since 1900, as Excel counts them"
# Moments of about 1990 to 2060 as counts from some first one.
COUNTED = (
    (DAYS_OF_EXCEL, 32_000, 60_000),
    ("days since 1960, as SAS counts them", 10_000, 32_000),
    ("seconds since 1970", 6e8, 3e9),
    ("milliseconds since 1970", 6e11, 3e12),
)
FEW_TIMES = 3  # different values
# Of a column whose name is not that of a time: of so many years, in no round numbers. SAS's days are any numbers.
MANY_TIMES, MOST_YEARS, MOST_ROUND = 50, 25, 0.5
OF_A_DAY = {DAYS_OF_EXCEL: 1, "seconds since 1970": 86_400, "milliseconds since 1970": 86_400_000}
SHARE = re.compile(
    r"rate|ratio|util|pct|percent|share|quote|anteil|taux|tasa|tasso|zins|(^|[_\W])(ltv|dti|apr|int)($|[_\W])", re.I
)
FEWEST_SHARES = 0.1  # of the rows, on either side
LONGEST_UNIT = 8  # letters behind numbers
MOST_UNITS = 3
BEHIND = re.compile(r"[-+]?\d[\d.,'\s]*(?P<unit>[^\W\d][^\d]*)")
BEFORE = re.compile(r"(?P<unit>[A-Za-z]{1,4}\.?)\s[-+]?\d[\d.,'\s]*")
NO_TEXTS = {
    re.compile(r'="[^"]*"'): "holds formulas of Excel, such as {}: write the texts alone",
    re.compile(r"(19|20)\d\d[- ]?(W|KW|CW|WK|S)[- ]?\d\d?", re.I): "holds weeks, such as {}: "
    "for the split write the first day of each; a feature is how long ago",
}
FIRST_LOOK, LOOKED_AT = 20, 200  # texts
FEW_CODES, FREQUENT_CODES = 4, 10  # different values that are codes for missing at most, and their rows at least
FEWEST_OTHERS = 3  # different values beside a code of -1, which is also an ordinary value
WHOLE = re.compile(r"[+-]?\d+(\.0*)?")


def counted(name: str, values: NDArray[np.float64]) -> str | None:
    """The unit of a count that says when something was, where the name speaks of a time and nearly all values fit."""
    if not NAME_OF_TIME.search(name) or len(values) < FEW_TIMES:
        return None
    unit = _unit_of(values)
    return None if unit != DAYS_OF_EXCEL and (values % 1).any() else unit


def counted_by_values(values: NDArray[np.float64]) -> str | None:
    """The unit of numbers that may be times by their values alone."""
    if len(values) < MANY_TIMES or (values % 1).any():
        return None
    unit = _unit_of(values)
    day = OF_A_DAY.get(unit or "")
    if day is None or np.ptp(values) > MOST_YEARS * 366 * day:
        return None
    midnights = (values % day == 0) if day > 1 else np.zeros(len(values), dtype=bool)
    is_round = np.mean((values % 10 == 0) & ~midnights) > MOST_ROUND  # as amounts are
    return None if is_round else unit


def _unit_of(values: NDArray[np.float64]) -> str | None:
    return next((unit for unit, low, high in COUNTED if np.mean((values >= low) & (values < high)) >= NEARLY_ALL), None)


def beyond_exact(levels: Sequence[str], values: NDArray[np.float64]) -> str:
    """The reason to leave out whole numbers of which more than a few codes have no float64; empty for others."""
    large = [level for level in np.array(levels, dtype=object)[np.abs(values) > EXACT] if WHOLE.fullmatch(level)]
    if len(large) <= min(FEW_CODES, len(levels) // 2):
        return ""
    return f"holds whole numbers such as {shown(large[0])}, too large for a number to be exact, like an identifier"


def negative_codes(distinct: NDArray[np.float64], rows: NDArray[np.int64], *, surely: bool) -> list[float]:
    """Negative whole numbers that may be codes for missing, among ascending numbers and the `rows` of each.

    They are few and frequent, and no other number is below 0. `surely` leaves out those that may be ordinary values:
    -1 beside 0 and 1, and -1, -2 and so on without a gap.
    """
    negative, others = distinct[distinct < 0], distinct[distinct >= 0]
    if not 0 < len(negative) <= FEW_CODES or (negative % 1).any() or len(others) < 2:
        return []
    if rows[: len(negative)].sum() < FREQUENT_CODES:
        return []
    without_gap = negative[0] == -len(negative)
    if surely and without_gap and (len(negative) > 1 or len(others) < FEWEST_OTHERS):
        return []
    is_balanced = len(negative) > 1 and without_gap and others[-1] <= -negative[0]  # a scale such as -2 to 2
    return [] if is_balanced else negative.tolist()


def in_several_forms(levels: Sequence[str]) -> str | None:
    """The reason to leave out texts that are dates, each in some form, and not all in the same; None for others."""
    for some in (levels[:1], levels[:FIRST_LOOK], levels[:LOOKED_AT]):
        if sum(map(_is_date, some)) < NEARLY_ALL * len(some):
            return None
    dates = [level for level in levels[:LOOKED_AT] if _is_date(level)]
    other = next((level for level in dates if not _are_alike([dates[0], level])), None)
    if other is None:  # month first in one, day first in another
        other = next((level for level in dates if not _are_alike(dates[: dates.index(level) + 1])), None)
    if other is None:
        return None
    return f"holds dates in more than one form, such as {shown(dates[0])} and {shown(other)}: write all in one"


def _is_date(level: str) -> bool:
    return any(map(str.isdigit, level)) and not level.isdigit() and _are_alike([level])


def _are_alike(levels: list[str]) -> bool:
    return is_iso(levels) or bool(fitting(levels))


def amounts_in_words(cells: Cells) -> str:
    """A question about texts that are numbers but for a few units, such as 7.3k or 12.00 CR; empty for others."""
    if len(cells.levels) <= MANY_NUMBERS:
        return ""
    rests = Counter(_beside_a_number(level) for level in cells.levels)
    units = [rest for rest, _ in rests.most_common(MOST_UNITS) if any(map(str.isalpha, rest))]
    read = sum(rests[unit] for unit in units)
    if not units or max(map(len, units)) > LONGEST_UNIT or read < NEARLY_ALL * len(cells.levels):
        return ""
    example = next(level for level in cells.by_rows if _beside_a_number(level) in units)
    if rests[units[0]] >= NEARLY_ALL * len(cells.levels):
        return f"is {shown(example)} a number? then write it without {shown(units[0])}"
    named = " and ".join(map(shown, sorted(units)))
    return f"is {shown(example)} a number? then write it without {named}, and with the sign or size that they mean"


def _beside_a_number(level: str) -> str:
    """The unit behind or before a number, empty for a number without a unit."""
    found = BEHIND.fullmatch(level) or BEFORE.fullmatch(level)
    return "" if found is None else found["unit"]


def as_no_text(levels: Sequence[str]) -> str:
    """The reason to leave out texts that are written for a spreadsheet, or that are weeks; empty for others."""
    for pattern, said in NO_TEXTS.items():
        example = next(filter(pattern.fullmatch, levels), None)
        if example and sum(pattern.fullmatch(level) is not None for level in levels) >= NEARLY_ALL * len(levels):
            return said.format(shown(example))
    return ""


def with_odd_texts(levels: Sequence[str], are_numbers: Sequence[bool]) -> str:
    """A question about texts of which most are numbers, or in which quotes are escaped; empty for others."""
    others = [level for level, number in zip(levels, are_numbers, strict=True) if not number]
    if len(levels) - len(others) >= MANY_NUMBERS and len(others) <= FEW_WORDS:
        named = ", ".join(map(shown, others))
        return f"is it a number? then give {named} a number in the file, or name {named} in missing"
    escaped = next((level for level in levels if '\\"' in level), None)
    return f'is {shown(escaped)} a text with quotes? then write each as "", not as \\"' if escaped else ""


def of_two_scales(name: str, values: NDArray[np.float64], rows: NDArray[np.int64]) -> str:
    """A question about rates of which some are up to 1 and others are up to 100; empty for others."""
    if not SHARE.search(name) or values.min() < 0 or not 1 < values.max() <= 100:
        return ""
    known = values != 0
    low = rows[known & (values <= 1)].sum() / rows[known].sum()
    if not FEWEST_SHARES <= low <= 1 - FEWEST_SHARES or np.quantile(values, 1 - FEWEST_SHARES / 2) <= 2:
        return ""
    return "are some of these percentages and others fractions of 1? then write all in one form"
