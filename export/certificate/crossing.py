"""Proof that no tree falls as a value rises: crossing leaves, and whether one applicant can reach both."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.certificate.tracing import Trees

Box = dict[Any, tuple[float, float, bool]]  # of a value: low <= value < high, and whether it may be missing


@dataclass(frozen=True)
class Crossing:
    """A leaf below a threshold and a leaf above it whose order is not that of the sign."""

    tree: int
    threshold: float
    below: float
    above: float


def moving_splits(trees: Trees, numbers: frozenset[int]) -> NDArray[np.bool_]:
    """Mask of the nodes [n] that compare a column which one of the raw numbers moves."""
    moves = np.array([bool(column.numbers & numbers) for column in trees.columns])
    return np.asarray(trees.splits & moves[trees.place])


def crossings(trees: Trees, numbers: frozenset[int], sign: int) -> Iterator[Crossing]:
    """Pairs of leaves that one applicant reaches with two values of a number, and that contradict the sign.

    The second leaf is reached with the larger value. On most splits no leaf on the left is above one on the right, and
    nothing else has to be checked.
    """
    value = sign * trees.leaf
    lowest, highest = value.copy(), value.copy()
    for nodes in reversed(_levels(trees)):
        left, right = trees.left[nodes], trees.right[nodes]
        lowest[nodes] = np.minimum(lowest[left], lowest[right])
        highest[nodes] = np.maximum(highest[left], highest[right])
    suspects = moving_splits(trees, numbers) & (highest[trees.left] > lowest[trees.right])
    for node in np.flatnonzero(suspects).tolist():
        above = _boxes(trees, int(trees.right[node]))
        for leaf, box in _boxes(trees, int(trees.left[node])).items():
            for other, other_box in above.items():
                if value[leaf] > value[other] and _meet(box, other_box, numbers):
                    where = int(trees.tree[node]), float(trees.threshold[node])
                    yield Crossing(*where, float(trees.leaf[leaf]), float(trees.leaf[other]))


def _levels(trees: Trees) -> list[NDArray[np.int64]]:
    """The splits by depth, those of the roots first."""
    children = np.concatenate([trees.left[trees.splits], trees.right[trees.splits]])
    nodes = np.setdiff1d(np.arange(len(trees.splits)), children)
    levels = []
    while len(nodes := nodes[trees.splits[nodes]]):
        levels.append(nodes)
        nodes = np.concatenate([trees.left[nodes], trees.right[nodes]])
    return levels


def _boxes(trees: Trees, node: int) -> dict[int, Box]:
    """The leaves below a node, each with the values that lead to it from the root."""
    box, child = Box(), node
    while len(parents := np.flatnonzero((trees.left == child) | (trees.right == child))):
        box = _narrowed(trees, int(parents[0]), box, left=bool(trees.left[parents[0]] == child))
        child = int(parents[0])
    leaves, stack = {}, [(node, box)]
    while stack:
        node, box = stack.pop()
        if trees.splits[node]:
            stack.append((int(trees.left[node]), _narrowed(trees, node, box, left=True)))
            stack.append((int(trees.right[node]), _narrowed(trees, node, box, left=False)))
        else:
            leaves[node] = box
    return leaves


def _narrowed(trees: Trees, node: int, box: Box, *, left: bool) -> Box:
    """Part of a box on one side of a split. Columns that differ only in where NaN goes are the same value."""
    column, threshold = trees.columns[trees.place[node]], float(trees.threshold[node])
    key = column.numbers or int(trees.place[node])
    low, high, missing = box.get(key, (-np.inf, np.inf, bool(column.numbers)))
    if left:
        return box | {key: (low, min(high, threshold), missing and column.low)}
    return box | {key: (max(low, threshold), high, missing and not column.low)}


def _meet(below: Box, above: Box, numbers: frozenset[int]) -> bool:
    """True if values that differ only in numbers, none smaller above, lead to both leaves."""
    for key in below.keys() | above.keys():
        (low, high, missing), (other_low, other_high, other_missing) = (
            box.get(key, (-np.inf, np.inf, True)) for box in (below, above)
        )
        if isinstance(key, frozenset) and key & numbers:
            if not (low < high and other_low < other_high and low < other_high):
                return False
        elif not (max(low, other_low) < min(high, other_high) or (missing and other_missing)):
            return False
    return True
