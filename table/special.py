"""Special codes that are none: frequent values in the midst of the others."""

import numpy as np
from numpy.typing import NDArray

from cli.errors import UserError
from table.cells import Source, numbers_as_written
from table.settings import Feature
from table.words import number_of

FREQUENT = 0.3  # share of a column's values
BESIDE = 0.01  # of the other values, that are on each side of one in their midst
FEWEST = 50  # other values that tell where their midst is


def refuse_ordinary_codes(source: Source, feature: Feature, kept: "NDArray[np.bool_] | slice") -> None:
    """Raises UserError for a special code of a number that a third of the rows have and that is among the others.

    A code is told by its distance: -9 among ages, 365243 among days. One that has an indicator is kept apart by that.
    """
    values = numbers_as_written(source, feature.column)[kept]
    values = values[np.isfinite(values) & ~np.isin(values, source.missing.numbers)]
    codes = [code for code in map(number_of, feature.special) if code is not None]
    others = values[~np.isin(values, codes)]
    for written, code in zip(feature.special, codes, strict=True):
        share = float(np.mean(values == code)) if len(values) else 0.0
        if share > FREQUENT and len(others) >= FEWEST and is_among(code, others):
            low, high = (f"{end:.6g}" for end in (others.min(), others.max()))
            raise UserError(
                f"{source.name}: column {feature.column}: special: expected codes that are no values, got {written}, "
                f"which is {share:.0%} of the values and lies among the others, {low} to {high}; take it out, or set "
                f"features.{feature.name}.indicator to keep it apart"
            )


def is_among(code: float, others: NDArray[np.float64]) -> bool:
    """True for a code that other values [N] surround, or that is as near to them as they are to each other.

    A negative code beside values of which none is negative stands out by its sign.
    """
    below = float(np.mean(others < code))
    if BESIDE <= below <= 1 - BESIDE:
        return True
    distinct = np.unique(others)
    if code < 0 <= distinct[0] or len(distinct) < 2:
        return False
    return bool(np.abs(distinct - code).min() <= np.median(np.diff(distinct)))
