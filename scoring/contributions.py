"""Exact contributions of many rows, group by group, with the bits that runtime.tables gives each row alone.

A group of leaves reads few columns. For each of them it has a list of what a class of values adds to the address in the
group's table. So a handful of look-ups gives the addresses of all rows, and the values found there are added player by
player, in the same order as for a single row.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.addresses import LOWEST
from runtime.tables import made_columns

ROWS_AT_ONCE = 4_096  # whose look-ups stay in a core's cache


@dataclass(frozen=True)
class _Group:
    base: int
    lists: tuple[tuple[int, NDArray[np.int32]], ...]
    """Addend of each class for each column that it reads (numbers, then categories)."""
    table: NDArray[np.float32]
    players: tuple[int, ...]


class Contributions:
    """The tables of a reasons.bin that runtime.tables has checked, arranged by group."""

    def __init__(self, head: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        self.players: int = head["players"]
        self._made = made_columns(arrays)
        self._positions = [np.array(its) for its in head["numbers"]]
        axis = arrays["axis"].astype(np.intp)
        self._thresholds = [arrays["thresholds"][axis == number] for number in range(len(self._positions))]
        self._first_level = len(axis)
        levels = sum(len(its["levels"]) + (its["pool"] is not None) for its in head["categories"])
        self._no_level = levels  # the class of a category that has none
        self._categories = [
            (
                its["position"],
                dict.fromkeys([*its["own"], ""], -1) | its["levels"],
                -1 if its["pool"] is None else its["pool"],
            )
            for its in head["categories"]
        ]
        starts = arrays["starts"].astype(np.intp)[1:]
        bits = np.split(arrays["bits"].astype(np.intp), starts)
        strides = np.split(arrays["strides"].astype(np.int32), starts)
        first, group, slot = 0, 0, 0
        self._groups: list[_Group] = []
        for width, groups, rows in head["widths"]:
            table = arrays["tables"][first : first + rows * width].reshape(rows, width)
            players = arrays["players"][slot : slot + groups * width].reshape(groups, width)
            for its in players.tolist():
                lists = self._lists(axis, bits[group], strides[group])
                self._groups.append(_Group(int(arrays["base"][group]), lists, table, tuple(its)))
                group += 1
            first, slot = first + rows * width, slot + groups * width

    def of(self, numbers: NDArray[np.float64], categories: NDArray[np.object_]) -> NDArray[np.float64]:
        """Contribution of each player to the margin against the reference mean, float64 [N, players]."""
        added = np.zeros((len(numbers), self.players))
        for first in range(0, len(numbers), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            added[rows] = self._of_some(numbers[rows], categories[rows]).T
        return added

    def _of_some(self, numbers: NDArray[np.float64], categories: NDArray[np.object_]) -> NDArray[np.float64]:
        if self._made is not None:
            numbers = self._made.behind(numbers, categories)
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
        """Class of each value: thresholds that a number reaches, one more if missing; the place of a level."""
        classes = []
        for thresholds, positions in zip(self._thresholds, self._positions, strict=True):
            value = numbers[:, positions]
            if len(positions) > 1:
                value[value <= LOWEST] = np.nan
                value = np.fmax.reduce(value, axis=1)
            else:
                value = value[:, 0]
            reached = np.searchsorted(thresholds, value, side="right")
            reached[np.isnan(value)] = len(thresholds) + 1
            classes.append(reached)
        for position, known, pool in self._categories:
            bits = np.array([known.get(text, pool) for text in categories[:, position].tolist()], dtype=np.intp)
            classes.append(np.where(bits < 0, self._no_level, bits - self._first_level))
        return classes

    def _lists(
        self, axis: NDArray[np.intp], bits: NDArray[np.intp], strides: NDArray[np.int32]
    ) -> tuple[tuple[int, NDArray[np.int32]], ...]:
        """Addend of each class of each column to the address in one group."""
        numbers = len(self._thresholds)
        missing = self._first_level + self._no_level  # bit of the first number's being missing
        starts = np.searchsorted(axis, np.arange(numbers))
        lists: dict[int, NDArray[np.int32]] = {}

        def adds(column: int, size: int) -> NDArray[np.int32]:
            return lists.setdefault(column, np.zeros(size, dtype=np.int32))

        for bit, stride in zip(bits.tolist(), strides.tolist(), strict=True):
            if bit < self._first_level:
                number = int(axis[bit])
                adds(number, len(self._thresholds[number]) + 2)[bit - starts[number] + 1 : -1] += stride
            elif bit >= missing:
                number = bit - missing
                adds(number, len(self._thresholds[number]) + 2)[-1] += stride
            else:
                for place, (_, known, pool) in enumerate(self._categories):
                    if bit == pool or bit in known.values():
                        adds(numbers + place, self._no_level + 1)[bit - self._first_level] += stride
        return tuple(lists.items())
