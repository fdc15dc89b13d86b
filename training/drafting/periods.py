"""Months, quarters and years in forms that no time format reads: texts in any language, and days of a year."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cli.words import shown
from training.drafting.writing import NEARLY_ALL

WITH_YEAR = re.compile(
    r"(?<!\d)(19|20)\d\d((0[1-9]|1[0-2])?(?!\d))"  # 2016 and 201605
    r"|(?<![^\W_])(FY|GJ|[QH][1-4])\W{0,2}\d\d(?!\d)|(?<!\d)\d\d\W?[QH][1-4](?!\d)|\d年",
    re.I,
)
# Of English, German, French, Spanish, Italian, Portuguese, Dutch, Polish and Swedish.
MONTH_AND_YEAR = re.compile(
    r"(?<![^\W_])(?P<month>jan|jän|ene|gen|sty|f[eéè][bv]|lut|mar|mär|mrt|maa|apr|abr|avr|kwi|ma[iyjg]|juin|juil|jun|jul|cze|lip"
    r"|giu|lug|aug|ago|ao[uû]|sie|sep|set|wrz|oct|okt|out|ott|paź|nov|lis|dec|dez|d[eé]c|dic|gru)[^\W\d_]*\W{1,2}\d\d(?!\d)",
    re.I,
)
WITH_DIGITS = 0.8  # of the texts; the others may be words such as unknown
FIRST_YEAR, LAST_YEAR = 1900, 2099


def as_period(levels: Sequence[str]) -> str:
    """The reason to leave out texts of which nearly all hold a year; empty for others."""
    written = [level for level in levels if any(map(str.isdigit, level))]
    if len(written) < 2 or len(written) < WITH_DIGITS * len(levels):
        return ""
    months = {match["month"].casefold() for match in map(MONTH_AND_YEAR.search, written) if match}
    found = [level for level in written if WITH_YEAR.search(level) or (months and MONTH_AND_YEAR.search(level))]
    if len(found) < NEARLY_ALL * len(written) or (len(months) == 1 and not all(map(WITH_YEAR.search, found))):
        return ""
    example = shown(found[0])
    return (
        f"holds years, such as {example}: is it a time? For the split write it as 2016-01-31; a feature is how long ago"
    )


def as_day_of_year(values: NDArray[np.float64], rows: NDArray[np.int64]) -> str:
    """The reason to leave out whole numbers that are a year and its day, such as 2016140; empty for others."""
    if len(values) < 2 or (values % 1).any():
        return ""
    years, days = values // 1000, values % 1000
    fit = (years >= FIRST_YEAR) & (years <= LAST_YEAR) & (days >= 1) & (days <= 366)
    if rows[fit].sum() < NEARLY_ALL * rows.sum():
        return ""
    example = int(values[fit][0])
    return f"looks like days of a year, {example} is day {example % 1000} of {example // 1000}: are they?"
