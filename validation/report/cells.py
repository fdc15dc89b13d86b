"""A data frame as the cells of a table: numbers of one column with the same decimals, missing ones as a dash."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from validation.report.words import MISSING, between, figure, is_missing, is_number, plain

DIGITS = 4  # that count, of a column's largest number
MOST_DECIMALS = 6


@dataclass(frozen=True)
class Cell:
    """Displayed text of a cell, and the browser's sort key if it differs."""

    text: str
    key: int | None = None


@dataclass(frozen=True)
class Column:
    """A heading, whether what is below are numbers, and the cells [N]."""

    name: str
    numeric: bool
    cells: list[Cell]


def columns_of(frame: pd.DataFrame, formats: Mapping[str, str] | None = None) -> list[Column]:
    """The columns of a frame. `formats` holds format specifications such as ".1%" by heading.

    Without one, the decimals of a column of floats follow from its largest number; numbers in a column of objects
    are metrics, each with its own. Pairs are intervals. An ordered categorical column sorts in its order, not by the
    alphabet.
    """
    return [_column(str(name), frame[name], (formats or {}).get(str(name))) for name in frame.columns]


def _column(name: str, values: "pd.Series[Any]", spec: str | None) -> Column:
    dtype = values.dtype
    content = [None if is_missing(value) else value for value in values.tolist()]
    if isinstance(dtype, pd.CategoricalDtype):
        codes = [code if dtype.ordered and code >= 0 else None for code in values.cat.codes.tolist()]
        return Column(name, False, [Cell(plain(value), code) for value, code in zip(content, codes, strict=True)])
    known = [value for value in content if value is not None]
    if known and all(isinstance(value, tuple) and len(value) == 2 for value in known):
        return Column(name, True, [Cell(between(value)) for value in content])
    if not known or not all(map(is_number, known)):
        return Column(name, False, [Cell(plain(value)) for value in content])
    if dtype.kind == "O" and spec is None:
        return Column(name, True, [Cell(figure(value)) for value in content])
    spec = spec or decimals([float(value) for value in known])
    return Column(name, True, [Cell(MISSING if value is None else format(value, spec)) for value in content])


def decimals(values: list[float]) -> str:
    """The format specification that gives four digits to the largest of these numbers and none to whole ones."""
    largest = max(map(abs, values), default=0.0)
    if all(value.is_integer() for value in values) or largest == 0:
        return ",.0f"
    return f",.{min(MOST_DECIMALS, max(0, DIGITS - 1 - math.floor(math.log10(largest))))}f"
