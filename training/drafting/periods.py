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
    r"(?<![^\W_])(?P<month>jan|jän|ene|gen|sty|f[eéè][bv]|lut|mar|mär|mrt|maa|apr|abr|avr|kwi|ma[iyjg]"
    r"|juin|juil|jun|jul|cze|lip|giu|lug|aug|ago|ao[uû]|s(ie|ep|et)|wrz|oct|okt|out|ott|paź|nov|lis|dec|dez|d[eé]c"
    r"|dic|gru)[^\W\d_]*\W{1,2}\d\d(?!\d)",
    re.I,
)
WITH_DIGITS = 0.8  # of the texts; the others may be words such as unknown
FIRST_YEAR, LAST_YEAR = 1900, 2099
FEWEST_MONTHS = 6  # different ones that are known among numbers


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


def of_lost_october(levels: Sequence[str]) -> str | None:
    """The text among months such as 2016.09 and 2016.1 that may be an October without its zero; None for others."""
    months = [level.partition(".")[2] for level in levels]
    if "1" not in months or "10" in months or all(len(month) == 1 for month in months):
        return None
    return next(level for level, month in zip(levels, months, strict=True) if month == "1")


def as_year_and_month(values: NDArray[np.float64], rows: NDArray[np.int64]) -> str:
    """The reason to leave out numbers that are a year and its month, such as 2016.09; empty for others."""
    years = np.floor(values)
    months = (values - years) * 100
    fit = (years >= FIRST_YEAR) & (years <= LAST_YEAR) & np.isclose(months, np.round(months), atol=1e-6)
    fit &= (np.round(months) >= 1) & (np.round(months) <= 12)
    if fit.sum() < FEWEST_MONTHS or rows[fit].sum() < NEARLY_ALL * rows.sum():
        return ""
    example = values[fit][0]
    return f"looks like months, {example:.2f} is month {(example % 1) * 100:.0f} of {example:.0f}: are they?"
