"""The columns that trees read, in terms of raw values: axes, their players, and thresholds on raw float64 numbers.

An axis is a raw number, the row maximum of several, or a category: the cells of a table are cut along axes. Its
conditions are bits: a number is not below a threshold, a category is a level. A player is a raw feature, or a group of
them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trees.ensemble import Ensemble, Tree
from trees.refusal import BoosterRefused

# A float64 at or below it is minus infinity in float32.
LOWEST_OF_FLOAT64 = -float.fromhex("0x1.ffffffp+127")


@dataclass(frozen=True)
class Number:
    """A column of a raw number, or of the largest of several, rounded to float32."""

    positions: tuple[int, ...]  # among the raw numbers


@dataclass(frozen=True)
class Level:
    """A column that is 1 where a category is a level, else 0."""

    category: int  # position among the raw categories
    level: str | None  # None: any text but "" and those in `own`
    own: tuple[str, ...] = ()


@dataclass(frozen=True)
class Condition:
    """An outcome of a split on the path to a leaf."""

    bit: int
    right: bool  # the bit is set
    missing_left: bool
    share: float = field(default=math.nan, compare=False)
    """Share of the split's cover that went this way."""


@dataclass(frozen=True)
class Split:
    """A node of a tree with children; a leaf is a float."""

    bit: int
    missing_left: bool
    left: "Split | float"
    right: "Split | float"
    left_share: float
    """Share of the cover that went left; the rest went right."""


@dataclass(frozen=True)
class NumberAxis:
    """A number with its thresholds on raw float64 values, ascending; `first` is the bit of the lowest."""

    positions: tuple[int, ...]
    thresholds: NDArray[np.float64]
    first: int


@dataclass(frozen=True)
class CategoryAxis:
    """A category with the levels that conditions test, the pool as None; `first` is the bit of the first."""

    category: int
    levels: tuple[str | None, ...]
    own: tuple[str, ...]  # of the pool: the levels that it does not hold
    first: int


@dataclass(frozen=True)
class Order:
    """A category as an axis of numbers: the place of each level, of a missing and of an unseen one."""

    category: int
    places: Mapping[str, int]  # "" is missing
    unseen: int


@dataclass(frozen=True)
class Columns:
    """Inputs of the boosters: axes in order, numbers first, and the trees of one booster after another."""

    axes: tuple[NumberAxis | CategoryAxis, ...]
    player_of: tuple[int, ...]  # of each axis
    boosters: tuple[tuple[Split | float, ...], ...]
    base_margins: tuple[float, ...] = field(default=())
    orders: Mapping[int, Order] = field(default_factory=dict)
    """Order of an axis whose numbers are places in it; reference rows hold the place as one more raw number."""

    @cached_property
    def axis_of(self) -> list[int]:
        """The axis of each bit."""
        return [number for number, axis in enumerate(self.axes) for _ in range(_size(axis))]

    @cached_property
    def masks(self) -> list[int]:
        """The bits of each axis, as one integer."""
        return [((1 << _size(axis)) - 1) << axis.first for axis in self.axes]

    @cached_property
    def is_number(self) -> list[bool]:
        """For each axis, True if it is a number's."""
        return [isinstance(axis, NumberAxis) for axis in self.axes]


def columns_of(
    ensembles: Sequence[Ensemble], columns: Sequence[Number | Level], player_of: dict[Number | int, int]
) -> Columns:
    """The axes of ensembles, whose matrix has these columns; `player_of` knows numbers and positions of categories.

    The ensembles compare raw numbers (log1p has been moved into the thresholds), rounded to float32. Conditions that
    always have the same outcome are left out.
    """
    thresholds: dict[int, list[NDArray[np.float32]]] = {}
    for ensemble in ensembles:
        for column, values in ensemble.thresholds().items():
            thresholds.setdefault(column, []).append(values)
    axes: list[NumberAxis | CategoryAxis] = []
    players: list[int] = []
    place: dict[int, tuple[int, NDArray[np.float32]]] = {}  # column: its first bit and its float32 thresholds
    bit = 0
    for column, source in enumerate(columns):
        if isinstance(source, Number) and column in thresholds:
            values = np.unique(np.concatenate(thresholds[column]))
            axes.append(NumberAxis(source.positions, raw_thresholds(values), bit))
            players.append(player_of[source])
            place[column] = (bit, values)
            bit += len(values)
    levels: dict[int, list[tuple[int, Level]]] = {}
    for column, source in enumerate(columns):
        if isinstance(source, Level) and any(
            0 < threshold <= 1 for values in thresholds.get(column, ()) for threshold in values
        ):
            levels.setdefault(source.category, []).append((column, source))
    for category, tested in sorted(levels.items()):
        own = next((level.own for _, level in tested if level.level is None), ())
        axes.append(CategoryAxis(category, tuple(level.level for _, level in tested), own, bit))
        players.append(player_of[category])
        for column, _ in tested:
            place[column] = (bit, np.empty(0, dtype=np.float32))
            bit += 1
    boosters = tuple(tuple(_read(tree, 0, columns, place) for tree in ensemble.trees) for ensemble in ensembles)
    return Columns(tuple(axes), tuple(players), boosters, tuple(float(its.base_margin) for its in ensembles))


def raw_thresholds(thresholds: NDArray[np.float32]) -> NDArray[np.float64]:
    """For each threshold the smallest float64 whose rounding to float32 is not below it, by bisection.

    Raises BoosterRefused where the rounding of the values beside it says otherwise.
    """
    low = np.full(len(thresholds), _ordered(np.array(-np.inf)))  # rounds to what is below, or is the answer
    high = np.full(len(thresholds), _ordered(np.array(np.inf)))
    while (low + 1 < high).any():
        middle = (low >> 1) + (high >> 1) + (low & high & 1)  # their difference does not fit
        below = _rounded(_float(middle)) < thresholds
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    found = np.where(np.isneginf(thresholds), -np.inf, _float(high))
    beside = np.isneginf(found) | (_rounded(np.nextafter(found, -np.inf)) < thresholds)
    if not (beside & (_rounded(found) >= thresholds)).all():
        raise BoosterRefused("a threshold could not be mapped back to raw numbers; report this as a bug")
    return np.asarray(found)


def axis_values(axis: NumberAxis, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The axis' values [N] for raw numbers [N, n], NaN where missing; as the reader computes them."""
    if len(axis.positions) == 1:
        return numbers[:, axis.positions[0]]
    members = numbers[:, axis.positions]
    return np.asarray(np.fmax.reduce(np.where(members <= LOWEST_OF_FLOAT64, np.nan, members), axis=1))


def _read(
    tree: Tree, node: int, columns: Sequence[Number | Level], place: dict[int, tuple[int, NDArray[np.float32]]]
) -> Split | float:
    if tree.left[node] < 0:
        return float(tree.leaf[node])
    column, threshold = int(tree.feature[node]), tree.threshold[node]
    if isinstance(columns[column], Level) and not 0 < threshold <= 1:
        child = tree.left[node] if threshold > 1 else tree.right[node]  # 0 and 1 go the same way
        return _read(tree, int(child), columns, place)
    first, values = place[column]
    bit = first + int(np.searchsorted(values, threshold))
    left, right = (_read(tree, int(child[node]), columns, place) for child in (tree.left, tree.right))
    covers = [float(tree.cover[child[node]]) for child in (tree.left, tree.right)]
    share = covers[0] / sum(covers) if sum(covers) else math.nan
    return Split(bit, bool(tree.missing_left[node]), left, right, share)


def _size(axis: NumberAxis | CategoryAxis) -> int:
    return len(axis.thresholds) if isinstance(axis, NumberAxis) else len(axis.levels)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _ordered(value: NDArray[np.float64]) -> int:
    """The position of a float64 in ascending order: neighbours differ by 1."""
    bits = int(value.view(np.int64))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFFFFFFFFFF)


def _float(position: NDArray[np.int64]) -> NDArray[np.float64]:
    negative = (-position) | np.int64(-0x8000000000000000)
    return np.where(position >= 0, position, negative).astype(np.int64).view(np.float64)
