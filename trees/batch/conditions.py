"""The distinct conditions of boosters: a number compared with a threshold, or a category with a level.

A comparison with a missing number is false. So a split that sends missing values right asks `value < t`, and a row for
which this holds goes left; a split that sends them left asks `value >= t`, and a row for which this holds goes right.
No condition has to test for NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trees.reasons.columns import CategoryAxis, Columns, NumberAxis, Split, raw_thresholds


@dataclass(frozen=True)
class Node:
    """An inner node: the nodes to which its condition leads if it holds and if it does not; a leaf is a float."""

    condition: int
    on: "Node | float"
    off: "Node | float"


@dataclass(frozen=True)
class NumberConditions:
    """Conditions on a raw number or the largest of several: `not_below` (value >= t) before `below` (value < t)."""

    positions: tuple[int, ...]
    not_below: NDArray[np.float64]  # ascending, on raw float64 values
    below: NDArray[np.float64]

    @property
    def in_float32(self) -> bool:
        """True where the value may be rounded to float32 first, which changes the outcome for no float64."""
        thresholds = np.concatenate([self.not_below, self.below])
        with np.errstate(over="ignore"):
            rounded = thresholds.astype(np.float32)
        return bool(np.array_equal(raw_thresholds(rounded), thresholds))


@dataclass(frozen=True)
class Conditions:
    """All conditions, numbered: those of each number, then those of each category; and the trees over them."""

    numbers: tuple[NumberConditions, ...]
    categories: tuple[CategoryAxis, ...]
    count: int
    boosters: tuple[tuple[Node | float, ...], ...]


def conditions_of(columns: Columns) -> Conditions:
    """The conditions that the splits of `columns` need, and no others."""
    asked: set[tuple[int, bool]] = set()
    for booster in columns.boosters:
        for tree in booster:
            _ask(tree, asked)
    numbers, number_of, count = [], {}, 0
    for axis in columns.axes:
        if not isinstance(axis, NumberAxis):
            continue
        thresholds = []
        for missing_left in (True, False):
            bits = [axis.first + i for i in range(len(axis.thresholds)) if (axis.first + i, missing_left) in asked]
            number_of.update({(bit, missing_left): count + i for i, bit in enumerate(bits)})
            count += len(bits)
            thresholds.append(axis.thresholds[[bit - axis.first for bit in bits]])
        numbers.append(NumberConditions(axis.positions, *thresholds))
    categories = []
    for axis in columns.axes:
        if isinstance(axis, CategoryAxis):
            categories.append(axis)
            for i in range(len(axis.levels)):
                number_of[axis.first + i, True] = number_of[axis.first + i, False] = count + i
            count += len(axis.levels)
    is_level = {axis.first + i for axis in categories for i in range(len(axis.levels))}
    boosters = tuple(tuple(_node(tree, number_of, is_level) for tree in booster) for booster in columns.boosters)
    return Conditions(tuple(numbers), tuple(categories), count, boosters)


def leaves_of(tree: Node | float) -> Sequence[float]:
    """The leaves in order: first those of the side where a condition holds."""
    if not isinstance(tree, Node):
        return [tree]
    return [*leaves_of(tree.on), *leaves_of(tree.off)]


def _ask(tree: Split | float, asked: set[tuple[int, bool]]) -> None:
    if isinstance(tree, Split):
        asked.add((tree.bit, tree.missing_left))
        _ask(tree.left, asked)
        _ask(tree.right, asked)


def _node(tree: Split | float, number_of: dict[tuple[int, bool], int], is_level: set[int]) -> Node | float:
    if not isinstance(tree, Split):
        return tree
    left, right = (_node(child, number_of, is_level) for child in (tree.left, tree.right))
    condition = number_of[tree.bit, tree.missing_left]
    if tree.missing_left or tree.bit in is_level:
        return Node(condition, on=right, off=left)
    return Node(condition, on=left, off=right)
