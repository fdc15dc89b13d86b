"""Applicants divided into groups by a column, or by two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cli.errors import WRONG_USAGE, UserError
from cli.words import did_you_mean
from validation.settings import Fairness

MISSING = "missing"
MOST_LEVELS = 100  # more are no groups of people, but numbers or names
BETWEEN = ", "  # the groups of two columns


@dataclass(frozen=True)
class Attribute:
    """A column that divides N applicants: `codes` [N] are places among `levels`; missing values are the last level.

    `reference` is the level that the settings name. `columns` are those that it is made of: two of an intersection.
    """

    name: str
    levels: tuple[str, ...]
    codes: NDArray[np.intp]
    reference: str | None = None
    columns: tuple[str, ...] = field(default=())

    def of(self, rows: NDArray[Any] | slice) -> "Attribute":
        """The same of some applicants."""
        return Attribute(self.name, self.levels, self.codes[rows], self.reference, self.columns)


def attributes_of(frame: pd.DataFrame, fairness: Fairness) -> list[Attribute]:
    """The attribute of each column [N]: numbers in the bins of the settings, texts as they are.

    Raises UserError, exit status 2, for a column of too many levels and for a reference that nobody has.
    """
    found = []
    for name in frame:
        attribute = _attribute(str(name), frame[name], fairness)
        if attribute.reference is not None and attribute.reference not in attribute.levels:
            raise UserError(
                f"fairness.reference.{name}: no applicant has {attribute.reference}; "
                f"{did_you_mean(attribute.reference, attribute.levels)}",
                WRONG_USAGE,
            )
        found.append(attribute)
    return found


def intersections(attributes: Sequence[Attribute]) -> Iterator[Attribute]:
    """The groups of any two attributes together; its reference is that of both, where both have one."""
    for one, other in combinations(attributes, 2):
        levels = tuple(f"{first}{BETWEEN}{second}" for first in one.levels for second in other.levels)
        codes = one.codes * len(other.levels) + other.codes
        both = one.reference is not None and other.reference is not None
        reference = f"{one.reference}{BETWEEN}{other.reference}" if both else None
        yield Attribute(f"{one.name} and {other.name}", levels, codes, reference, (one.name, other.name))


def _attribute(name: str, column: "pd.Series[Any]", fairness: Fairness) -> Attribute:
    reference = fairness.reference.get(name)
    if name in fairness.bins:
        edges = fairness.bins[name]
        values = column.to_numpy(dtype=np.float64)
        codes = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))
        return Attribute(name, (*_names(edges), MISSING), codes, reference, (name,))
    codes, levels = pd.factorize(column, sort=True)
    if len(levels) > MOST_LEVELS:
        raise UserError(
            f"fairness.groups: column {name}: expected at most {MOST_LEVELS} groups, got {len(levels):,}; where it "
            f"holds numbers, set fairness.bins.{name}",
            WRONG_USAGE,
        )
    names = tuple(map(str, levels))
    missing = MISSING if MISSING not in names else f"{MISSING} value"
    return Attribute(name, (*names, missing), np.where(codes < 0, len(names), codes), reference, (name,))


def _names(edges: Sequence[float]) -> Iterator[str]:
    yield f"below {edges[0]:g}"
    yield from (f"{low:g} to below {high:g}" for low, high in pairwise(edges))
    yield f"{edges[-1]:g} and above"
