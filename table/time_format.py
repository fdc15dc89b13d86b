"""Date formats of a file, such as %d.%m.%Y, detected where only one fits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
NAMES = ["january", "february", "march", "april", "may", "june"]
NAMES += ["july", "august", "september", "october", "november", "december"]
FIRST_YEAR, LAST_YEAR = 1900, 2100  # of detected formats; a format that is set takes any year
PIVOT = 69  # %y: 69 to 99 are of the last century, as strptime has it
DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "q": r"(?P<q>[1-4])",
    "b": rf"(?P<b>{'|'.join([*NAMES, 'sept', *MONTHS])})\.?",
    "H": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{2})",
    "S": r"(?P<S>\d{2}(?:\.\d{1,9})?)",
}
DIRECTIVES["B"] = DIRECTIVES["b"]
NUMBER = "number"

WITH_NAMES = (
    *("%b-%Y", "%b %Y", "%b/%Y", "%b%Y", "%Y-%b", "%Y %b", "%d%b%Y", "%d-%b-%Y", "%d %b %Y", "%d/%b/%Y"),
    *("%d%b%Y:%H:%M:%S", "%d%b%Y:%H:%M", "%d%b%Y %H:%M:%S", "%d-%b-%Y %H:%M:%S", "%d-%b-%Y %H:%M"),
    *("%b %d, %Y", "%b %d %Y", "%b-%y", "%b %y", "%d%b%y", "%d-%b-%y", "%d %b %y", "%d/%b/%y"),
)
QUARTERS = ("%YQ%q", "%Y-Q%q", "%Y Q%q", "%Y/Q%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y", "%qQ%Y", "%qQ %Y")
IN_FIGURES = (
    *("%d.%m.%Y", "%d.%m.%y", "%m.%Y", "%Y.%m.%d", "%Y.%m"),
    *("%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y/%m", "%m/%Y", "%m-%Y"),
    *("%m/%d/%y", "%d/%m/%y", "%y/%m/%d", "%m-%d-%y", "%d-%m-%y", "%y-%m-%d", "%m/%y", "%y/%m"),
)
MARKED = ("%YM%m", "%Y年%m月", "%Y年%m月%d日", "'%Y%m", "'%Y%m%d")  # ' as spreadsheets mark text
CLOCKS = (" %H:%M", " %H:%M:%S")
TEXTS = (*WITH_NAMES, *QUARTERS, *MARKED, *(f"{day}{clock}" for day in IN_FIGURES for clock in ("", *CLOCKS)))
# Formats of whole numbers whose order is not that of time, unlike %Y%m and %Y%m%d.
UNORDERED = ("%m%Y", "%d%m%Y", "%m%d%Y", "%m%y", "%d%m%y", "%m%d%y")
MOST = 0.9  # of different values have to fit where the year has four figures; all where it has two
LOOKED_AT = 2_000
FEWEST_MONTHS, MOST_MONTHS, NEARLY_EVERY = 6, 40 * 12, 0.8


@dataclass(frozen=True)
class TimeFormat:
    """A format of strptime's directives %Y %y %m %d %b %B %H %M %S and %q, a quarter's number; names are English."""

    text: str

    def read(self, cell: str) -> datetime | None:
        """The moment that a cell writes; months and quarters stand for their first day."""
        match = _pattern(self.text).fullmatch(cell)
        return None if match is None else _moment(match.groupdict())

    def problem(self) -> str | None:
        """Fault in the format, in words."""
        said = re.findall(r"%(.?)", self.text)
        unknown = [letter for letter in said if letter not in DIRECTIVES]
        parts = [letter.lower() if letter in "BY" else letter for letter in said]
        if unknown:
            return f"%{unknown[0]} is not supported"
        if len(set(parts)) < len(parts):
            return "a directive occurs twice"
        if "y" not in parts:
            return "has no year"
        return None


@lru_cache
def _pattern(text: str) -> re.Pattern[str]:
    pattern, before = "", ""
    for piece in re.findall(r"%.|[^%]+", text):
        if piece[0] != "%":
            pattern, before = pattern + re.escape(piece), piece
            continue
        part = DIRECTIVES[piece[1]]
        if before[:1] == "%" and before[1] in "YymdqHMS":  # 012016: only the first part may have lost a zero
            part = part.replace(r"\d{1,2}", r"\d{2}")
        pattern, before = pattern + part, piece
    return re.compile(pattern, re.IGNORECASE)


def _moment(parts: dict[str, str | None]) -> datetime | None:
    found = {name: part for name, part in parts.items() if part is not None}
    if "Y" in found:
        year = int(found["Y"])
    else:
        year = int(found["y"])
        year += 1900 if year >= PIVOT else 2000
    month = int(found.get("m", "1"))
    if "b" in found:
        month = MONTHS.index(found["b"][:3].lower()) + 1
    if "q" in found:
        month = 3 * int(found["q"]) - 2
    second, _, fraction = found.get("S", "0").partition(".")
    try:
        return datetime(
            year,
            month,
            int(found.get("d", "1")),
            int(found.get("H", "0")),
            int(found.get("M", "0")),
            int(second),
            int(f"{fraction:0<6}"[:6]),
        )
    except ValueError:
        return None


def fitting(cells: Sequence[str]) -> list[str]:
    """The formats by which every cell is a moment of a plausible year, one for each way to read them."""
    found: dict[tuple[datetime | None, ...], str] = {}
    for text in TEXTS:
        read = TimeFormat(text).read
        if all(_is_plausible(read(cell)) for cell in cells):
            found.setdefault(tuple(map(read, cells)), text)
    return list(found.values())


def misleading(numbers: NDArray[np.float64], formats: Sequence[str] = UNORDERED) -> list[str]:
    """The formats by which numbers are moments in another order than they are as numbers."""
    known = numbers[np.isfinite(numbers)]
    formats = [text for text in formats if "%Y" not in text or _have_years(known[:LOOKED_AT])]
    different = np.unique(known) if formats else known[:0]
    if len(different) < 2 or different[-1] >= 10**8:
        return []
    if len(different) > LOOKED_AT:
        different = different[np.linspace(0, len(different) - 1, LOOKED_AT).astype(int)]
    cells = [f"{number:.0f}" for number in different.tolist() if number.is_integer()]
    return [text for text in formats if _is_another_order(cells, text, len(different))]


def misleading_of_two_figures(numbers: NDArray[np.float64]) -> list[str]:
    """`misleading` by formats with years of two figures, of numbers whose months follow one another.

    Most numbers of three to six figures could be such dates; hardly any others are of nearly every month of a time.
    """
    different = np.unique(numbers[np.isfinite(numbers)])
    if len(different) < FEWEST_MONTHS or different[0] <= 100 or different[-1] >= 10**6:
        return []
    found = []
    for text in misleading(different, [text for text in UNORDERED if "%y" in text]):
        read = map(TimeFormat(text).read, (f"{number:.0f}" for number in different.tolist()))
        months = {12 * moment.year + moment.month for moment in read if moment is not None}
        span = max(months) - min(months) + 1
        if max(FEWEST_MONTHS, NEARLY_EVERY * span) <= len(months) and span <= MOST_MONTHS:
            found.append(text)
    return found


def _have_years(numbers: NDArray[np.float64]) -> bool:
    """True if the last four figures of most of the numbers are a year's: a cheap first look."""
    years = numbers % 10_000
    return bool(np.mean((years >= FIRST_YEAR) & (years <= LAST_YEAR)) >= MOST / 2) if len(numbers) else False


def _is_another_order(ascending: Sequence[str], text: str, of: int) -> bool:
    read = map(TimeFormat(text).read, ascending)
    moments = [moment for moment in read if moment is not None and _is_plausible(moment)]
    return len(moments) >= (MOST if "%Y" in text else 1) * of and moments != sorted(moments)


def _is_plausible(moment: datetime | None) -> bool:
    return moment is not None and FIRST_YEAR <= moment.year <= LAST_YEAR
