"""The table of a group: for each cell, the points of margin of each player."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trees.reasons.columns import Columns, Condition
from trees.reasons.covers import Covers
from trees.reasons.groups import Group, Shape, Term
from trees.reasons.reference import Reference
from trees.reasons.shapley import values_of


@dataclass(frozen=True)
class Layout:
    """The cells of a group: its axes with classes and strides, and what each set bit adds to the address."""

    axes: list[int]
    players: list[int]  # of each column; columns of zeros, there for the width alone, repeat the last one
    sizes: list[int]  # classes of each axis
    strides: list[int]
    missing: list[int]  # the class of a missing number; 0 for a category
    bits: list[list[int]]  # of each axis, ascending

    @property
    def cells(self) -> int:
        """The number of cells."""
        return self.sizes[0] * self.strides[0]


def layout_of(columns: Columns, shape: Shape, group: Group) -> Layout:
    """The layout of a group's table; the last axis has stride 1."""
    conditions = group.conditions
    axes = shape.axes(conditions)
    sizes = [shape.classes(axis, conditions) for axis in axes]
    strides = [1] * len(axes)
    for i in reversed(range(len(axes) - 1)):
        strides[i] = strides[i + 1] * sizes[i + 1]
    missing = [shape.missing_class(axis, conditions) if columns.is_number[axis] else 0 for axis in axes]
    both = conditions.left | conditions.right
    bits = [_bits(both & columns.masks[axis]) for axis in axes]
    return Layout(axes, shape.players(axes), sizes, strides, missing, bits)


def table_of(
    columns: Columns, layout: Layout, terms: list[Term], reference: Reference | Covers
) -> tuple[NDArray[np.float64], float]:
    """[cells, players], summed over the terms in float64, and the terms' mean over the reference rows."""
    mean, table = 0.0, np.zeros((layout.cells, len(layout.players)))
    by_width: dict[int, list[tuple[float, dict[int, list[Condition]]]]] = defaultdict(list)
    for term in terms:
        players: dict[int, list[Condition]] = {}
        for condition in term.path:
            players.setdefault(reference.unit(condition.bit), []).append(condition)
        if players:
            by_width[len(players)].append((term.weight, players))
        else:  # the whole tree: no player gets anything
            mean += term.weight
    slots = {player: layout.players.index(player) for player in layout.players}
    known: dict[frozenset[Condition], NDArray[np.int64]] = {}
    for alike in by_width.values():
        frequencies = np.array([reference.frequencies(list(players.values())) for _, players in alike])
        mean += float(sum(weight * its[-1] for its, (weight, _) in zip(frequencies, alike, strict=True)))
        for values, (weight, players) in zip(values_of(frequencies), alike, strict=True):
            code: NDArray[np.int64] = np.zeros((1,) * len(layout.axes), dtype=np.int64)
            for j, conditions in enumerate(players.values()):
                met = known.get(its := frozenset(conditions))
                if met is None:
                    met = known[its] = _met(columns, layout, conditions)
                code = code + (met << j)
            codes = np.broadcast_to(code, layout.sizes).ravel()
            values *= weight
            for j, conditions in enumerate(players.values()):
                player = columns.player_of[columns.axis_of[conditions[0].bit]]
                table[:, slots[player]] += values[:, j].take(codes)
    return table, mean


def _met(columns: Columns, layout: Layout, conditions: list[Condition]) -> NDArray[np.int64]:
    """1 in the cells where all conditions hold, else 0; axes that they do not read have length 1."""
    met = np.ones((1,) * len(layout.axes), dtype=np.int64)
    for condition in conditions:
        axis = columns.axis_of[condition.bit]
        i = layout.axes.index(axis)
        rank, classes = layout.bits[i].index(condition.bit), np.arange(layout.sizes[i])
        if columns.is_number[axis]:
            right = classes > rank
            right[layout.missing[i]] = not condition.missing_left  # the same, where that class is an interval's too
        else:
            right = classes == rank + 1
        shape = [1] * len(layout.axes)
        shape[i] = -1
        met = met & (right == condition.right).astype(np.int64).reshape(shape)
    return met


def _bits(mask: int) -> list[int]:
    found = []
    while mask:
        found.append((mask & -mask).bit_length() - 1)
        mask &= mask - 1
    return found
