"""Remarks on a table's columns: dates among the numbers, levels that may be one."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from cli.words import shown
from table.settings import Schema
from table.time_format import UNORDERED, misleading, misleading_of_two_figures

if TYPE_CHECKING:
    import pandas as pd

FREQUENT, SHARE = 10, 0.005  # rows, and their share, from which a value may be a code
FEW, DIFFERENT = 4, 10  # codes of a column at most, and other values at least
MOST_NINES, FEWEST_OTHERS = 8, 3  # the same of codes such as 97, 98, 99
FORMULA = re.compile(r'="[^"]*"')
YEARS_OF_FOUR = tuple(text for text in UNORDERED if "%Y" in text)


def remarks_of(frame: "pd.DataFrame", schema: Schema) -> list[str]:
    """A line for each column that may not be what its settings say."""
    found: list[str] = []
    for feature in schema.features:
        if frame[feature.name].isna().all():
            found.append(f"column {feature.name}: is missing in every row; leave it out")
        elif feature.type == "number":
            values = frame[feature.name].to_numpy(dtype=np.float64)
            distinct, rows = np.unique(values[~np.isnan(values)], return_counts=True)
            found += _dates(feature.name, values, distinct)
            found += _codes(feature.name, distinct, rows)
        elif feature.type == "category" and not feature.vocabulary:
            found += _formulas(feature.name, frame[feature.name])
            found += _alike(feature.name, frame[feature.name])
    return found


def _dates(name: str, values: NDArray[np.float64], distinct: NDArray[np.float64]) -> Iterator[str]:
    formats = misleading(values, YEARS_OF_FOUR) or misleading_of_two_figures(distinct)
    if formats:
        said = f"looks like dates written as {' or '.join(map(shown, formats))}, which do not sort as numbers"
        yield f"column {name}: {said}; leave it out, or replace it by the days since then"


def _codes(name: str, distinct: NDArray[np.float64], rows: NDArray[np.integer[Any]]) -> Iterator[str]:
    codes = codes_among(distinct, rows)
    if codes:
        written = ", ".join(f"{code:.15g}" for code in codes)
        yield f"column {name}: {written} may be codes, not numbers; special = [{written}] makes them missing"


def codes_among(distinct: NDArray[np.float64], rows: NDArray[np.integer[Any]]) -> list[float]:
    """Numbers that are probably codes for missing values, among ascending numbers and the `rows` of each.

    They are a few negative whole numbers where all others are positive, numbers of nines such as 97 to 99 or 9999 that
    are far above all others, and a frequent value far above all others.
    """
    found: list[float] = []
    negative, others = distinct[distinct < 0], distinct[distinct >= 0]
    if 0 < len(negative) <= FEW and len(others) >= DIFFERENT and (negative == np.round(negative)).all():
        found += negative.tolist() if rows[: len(negative)].sum() >= FREQUENT else []
    if nines := _nines(distinct[len(found) :], rows[len(found) :]):
        return found + nines
    if len(distinct) > DIFFERENT and distinct[-1] > 0:
        enough = rows[-1] >= max(FREQUENT, SHARE * rows.sum())
        if enough and distinct[-1] - distinct[-2] > distinct[-2] - distinct[len(found)]:
            found.append(float(distinct[-1]))
    return found


def _nines(distinct: NDArray[np.float64], rows: NDArray[np.integer[Any]]) -> list[float]:
    """The highest numbers, if they have nines but for a last figure of 6 to 9, and are frequent and far above."""
    first = len(distinct)
    while first and re.fullmatch(r"9+[6-9]", f"{distinct[first - 1]:.15g}"):
        first -= 1
    for at in range(max(first, FEWEST_OTHERS), len(distinct)):
        if distinct[at] - distinct[at - 1] > distinct[at - 1] - distinct[0] and len(distinct) - at <= MOST_NINES:
            enough = rows[at:].sum() >= max(FREQUENT, SHARE * rows.sum())
            return distinct[at:].tolist() if enough else []
    return []


def _formulas(name: str, column: "pd.Series[Any]") -> Iterator[str]:
    formula = next((level for level in column.dropna().unique() if FORMULA.fullmatch(level)), None)
    if formula is not None:
        yield f"column {name}: {shown(formula)} is a formula of Excel and read as it stands; write the text alone"


def _alike(name: str, column: "pd.Series[Any]") -> Iterator[str]:
    levels = defaultdict(list)
    for level in sorted(column.dropna().unique()):
        levels["".join(normalize("NFKC", level).casefold().split())].append(level)
    groups = [group for group in levels.values() if len(group) > 1]
    if not groups:
        return
    one, other = groups[0][:2]
    more = f" (and {len(groups) - 1:,} more such)" if len(groups) > 1 else ""
    if normalize("NFC", one) == normalize("NFC", other):
        said = f"two levels {shown(one)} differ only in Unicode form{more}"
        yield f'column {name}: {said}; set data.normalization = "NFC"'
    else:
        yield f"column {name}: {shown(one)} and {shown(other)} differ only in case, blanks or form{more}; are they one?"
