"""Exact contributions of many rows, group by group: the bits that runtime.tables gives each row alone.

A group of leaves reads few columns. Of each it has a list: what a class of the column's values adds to the address in
the group's table. So its addresses are a handful of look-ups for all rows, and what is found there is added player by
player in the order in which one row is added.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.addresses import LOWEST, Addresses
from runtime.tables import Tables

ROWS_AT_ONCE = 4_096  # whose look-ups stay in a core's cache


@dataclass(frozen=True)
class _Group:
    base: int
    lists: tuple[tuple[int, NDArray[np.int32]], ...]
    """Of each column that it reads (numbers, then categories) what each class adds."""
    table: NDArray[np.float32]
    players: tuple[int, ...]


class Contributions:
    """The tables of a model, arranged by group."""

    def __init__(self, tables: Tables) -> None:
        its = tables.addresses
        self._its = its
        self.players = tables.players
        counts = np.bincount(its.axis, minlength=len(its.position))
        self._thresholds = [its.thresholds[its.axis == axis] for axis in range(len(counts))]
        self._groups: list[_Group] = []
        bits = np.split(its.bits, its.starts[1:])
        strides = np.split(its.strides, its.starts[1:])
        for table, first, last, slot, end in tables.blocks:
            players = tables.player_of_slot[slot:end].reshape(last - first, -1)
            for group in range(first, last):
                lists = _lists(its, counts, bits[group], strides[group])
                ours = tuple(players[group - first].tolist())
                self._groups.append(_Group(int(its.base[group]), lists, table, ours))

    def of(self, numbers: NDArray[np.float64], categories: NDArray[np.object_]) -> NDArray[np.float64]:
        """What each player adds to the mean margin of the reference rows, float64 [N, players]."""
        added = np.zeros((len(numbers), self.players))
        for first in range(0, len(numbers), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            added[rows] = self._of_some(numbers[rows], categories[rows]).T
        return added

    def _of_some(self, numbers: NDArray[np.float64], categories: NDArray[np.object_]) -> NDArray[np.float64]:
        classes = self._classes(numbers, categories)
        added = np.zeros((self.players, len(numbers)))
        for group in self._groups:
            row = np.full(len(numbers), group.base, dtype=np.intp)
            for column, adds in group.lists:
                row += adds.take(classes[column])
            found = group.table.take(row, axis=0)
            for slot, player in enumerate(group.players):
                added[player] += found[:, slot]
        return added

    def _classes(self, numbers: NDArray[np.float64], categories: NDArray[np.object_]) -> list[NDArray[np.intp]]:
        """Of each number how many thresholds it reaches, or one more than all where missing; of each category its
        level's position."""
        its = self._its
        values = numbers[:, its.position].T.copy()
        for axis, positions in its.maxima:
            members = numbers[:, positions]
            members[members <= LOWEST] = np.nan
            values[axis] = np.fmax.reduce(members, axis=1)
        classes = []
        for thresholds, value in zip(self._thresholds, values, strict=True):
            reached = np.searchsorted(thresholds, value, side="right")
            reached[np.isnan(value)] = len(thresholds) + 1
            classes.append(reached)
        none = its.missing - its.level
        for position, known, pool in its.categories:
            bits = np.array([known.get(text, pool) for text in categories[:, position].tolist()], dtype=np.intp)
            classes.append(np.where(bits < 0, none, bits - its.level))
        return classes


def _lists(
    its: Addresses, counts: NDArray[np.intp], bits: NDArray[np.intp], strides: NDArray[np.int32]
) -> tuple[tuple[int, NDArray[np.int32]], ...]:
    lists: dict[int, NDArray[np.int32]] = {}
    for bit, stride in zip(bits.tolist(), strides.tolist(), strict=True):
        if bit < its.level:
            axis = int(its.axis[bit])
            adds = lists.setdefault(axis, np.zeros(counts[axis] + 2, dtype=np.int32))
            adds[bit - its.first[axis] + 1 : -1] += stride
        elif bit >= its.missing:
            axis = bit - its.missing
            lists.setdefault(axis, np.zeros(counts[axis] + 2, dtype=np.int32))[-1] += stride
        else:
            for number, (_, known, pool) in enumerate(its.categories):
                if bit == pool or bit in known.values():
                    column = len(counts) + number
                    adds = lists.setdefault(column, np.zeros(its.missing - its.level + 1, dtype=np.int32))
                    adds[bit - its.level] += stride
    return tuple(lists.items())
