"""Refusal of special codes that are ordinary values: frequent values among the others."""

import numpy as np
from numpy.typing import NDArray

from cli.errors import UserError
from table.cells import Source, numbers_as_written
from table.settings import Feature, Schema
from table.words import number_of

FREQUENT = 0.3  # share of a column's values
BESIDE = 0.01  # of the other values, that are on each side of one in their midst
FEWEST = 50  # other values that tell where their midst is


def with_special_codes(schema: Schema) -> list[Feature]:
    """The numbers with codes that may be ordinary values; codes with an indicator are not checked."""
    return [its for its in schema.features if its.type == "number" and its.special and its.indicator is None]


def values_with_codes(source: Source, feature: Feature) -> NDArray[np.float64]:
    """A column [N] with its special codes as the numbers that they are, NaN for what else is missing."""
    values = numbers_as_written(source, feature.column)
    return np.where(np.isfinite(values) & ~np.isin(values, source.missing.numbers), values, np.nan)


def refuse_ordinary_codes(name: str, feature: Feature, values: NDArray[np.float64]) -> None:
    """Raise UserError for a special code that a third of the values [N] have and that is among the others.

    A code is recognised by its distance: -9 among ages, 365243 among days. `name` is the table's.
    """
    values = values[~np.isnan(values)]
    codes = [code for code in map(number_of, feature.special) if code is not None]
    others = values[~np.isin(values, codes)]
    for written, code in zip(feature.special, codes, strict=True):
        share = float(np.mean(values == code)) if len(values) else 0.0
        if share > FREQUENT and len(others) >= FEWEST and is_among(code, others):
            low, high = (f"{end:.6g}" for end in (others.min(), others.max()))
            raise UserError(
                f"{name}: column {feature.column}: special: expected codes outside the range of values, got {written}, "
                f"which is {share:.0%} of the cells and lies within their range, {low} to {high}; take it out, or set "
                f"features.{feature.name}.indicator to keep it apart"
            )


def is_among(code: float, others: NDArray[np.float64]) -> bool:
    """True for a code that other values [N] surround, or that is as near to them as they are to each other.

    A negative code stands out by its sign if no other value is negative.
    """
    below = float(np.mean(others < code))
    if BESIDE <= below <= 1 - BESIDE:
        return True
    distinct = np.unique(others)
    if code < 0 <= distinct[0] or len(distinct) < 2:
        return False
    return bool(np.abs(distinct - code).min() <= np.median(np.diff(distinct)))
