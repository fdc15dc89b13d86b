"""Addresses of an applicant in the tables of reasons: for each group, the sum of what the conditions that hold add.

A number meets the condition of each threshold that it is not below, or the condition of being missing; a category meets
the condition of its level. If it fits, a matrix holds the sum of each class of values for every group, and one row of
it is read for each column.
"""

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# At or below it a float64 is minus infinity in float32, which a row maximum skips.
LOWEST = -float.fromhex("0x1.ffffffp+127")
LARGEST_MATRIX = 32 * 2**20  # bytes


class Addresses:
    """The addresses of applicants. Safe to use from several threads."""

    __slots__ = (
        "_axis",
        "_base",
        "_bits",
        "_categories",
        "_every_row",
        "_first",
        "_level",
        "_level_rows",
        "_matrix",
        "_maxima",
        "_missing",
        "_numbers",
        "_row",
        "_singles",
        "_small",
        "_starts",
        "_strides",
        "_thresholds",
    )

    def __init__(self, head: dict[str, Any], arrays: "dict[str, NDArray[Any]]") -> None:
        self._thresholds, self._axis = arrays["thresholds"], arrays["axis"].astype(np.intp)
        self._categories = [
            (
                its["position"],
                dict.fromkeys([*its["own"], ""], -1) | its["levels"],
                -1 if its["pool"] is None else its["pool"],
            )
            for its in head["categories"]
        ]
        levels = sum(len(its["levels"]) + (its["pool"] is not None) for its in head["categories"])
        self._base, self._starts = arrays["base"].astype(np.int32), arrays["starts"].astype(np.intp)
        self._bits, self._strides = arrays["bits"].astype(np.intp), arrays["strides"].astype(np.int32)
        counts = np.bincount(self._axis, minlength=len(head["numbers"]))
        self._first = np.cumsum([0, *counts])[:-1]  # threshold of each number
        self._level = len(self._thresholds)  # bit of the first level
        self._missing = self._level + levels  # bit of the first number's being missing
        # Rows of the matrix: of each number its classes and "missing", one for no level, one a level, then the bases.
        self._row = np.cumsum([0, *(counts + 2)])
        self._level_rows = int(self._row[-1]) + 1 - self._level
        self._every_row = int(self._row[-1]) + 1 + levels
        by_number = np.split(self._thresholds, self._first[1:]) if len(counts) else []
        numbers = [
            (positions, its.tolist(), int(row))
            for positions, its, row in zip(head["numbers"], by_number, self._row, strict=False)
        ]
        # One number after the other is bisected: for one applicant that takes a quarter of numpy's dozen calls.
        self._singles = [(its[0], thresholds, row) for its, thresholds, row in numbers if len(its) == 1]
        self._maxima = [number for number in numbers if len(number[0]) > 1]
        about = [
            (int(row), int(first), int(count), self._missing + i)
            for i, (row, first, count) in enumerate(zip(self._row, self._first, counts, strict=False))
        ]
        is_single = [len(positions) == 1 for positions in head["numbers"]]
        self._numbers = [
            its for one in (True, False) for its, single in zip(about, is_single, strict=True) if single == one
        ]
        # All sums stay below the largest number of rows of a block.
        self._small = max((rows for _, _, rows in head["widths"]), default=0) < 2**16
        size = (self._every_row + 1) * len(self._base) * (2 if self._small else 4)
        self._matrix = self._sums(counts) if size <= LARGEST_MATRIX else None

    def of(self, numbers: "Sequence[float]", categories: "Sequence[str]") -> "NDArray[Any]":
        """The row of each group, among the tables of its width."""
        # Nothing is below NaN and NaN is below nothing: it comes after the last class, and one more is "missing".
        rows = [
            row + bisect_right(thresholds, value := numbers[position]) + (value != value)
            for position, thresholds, row in self._singles
        ]
        for positions, thresholds, row in self._maxima:
            value = max((its for position in positions if (its := numbers[position]) > LOWEST), default=math.nan)
            rows.append(row + bisect_right(thresholds, value) + (value != value))
        for position, known, pool in self._categories:
            bit = known.get(categories[position], pool)
            rows.append(self._level_rows + (bit if bit >= 0 else self._level - 1))
        if self._matrix is None:
            return self._added(rows)
        rows.append(self._every_row)
        found: NDArray[Any] = np.add.reduce(self._matrix.take(rows, axis=0), axis=0, dtype=self._matrix.dtype)
        return found

    def thresholds(self, position: int) -> list[float]:
        """Positions of the conditions that read one of the numbers, ascending."""
        both = [its for positions, its, _ in self._maxima if position in positions]
        both += [its for single, its, _ in self._singles if single == position]
        return sorted({threshold for its in both for threshold in its})

    def _added(self, rows: list[int]) -> "NDArray[Any]":
        """Bit by bit, without the matrix whose rows these are."""
        bits = np.zeros(self._missing + len(self._numbers), dtype=np.int32)
        count = len(self._numbers)
        for its, (row, first, size, missing) in zip(rows[:count], self._numbers, strict=True):
            if its > row + size:
                bits[missing] = 1
            else:
                bits[first : first + its - row] = 1
        bits[[its - self._level_rows for its in rows[count:] if its >= self._level_rows + self._level]] = 1
        found: NDArray[Any] = np.add.reduceat(bits.take(self._bits) * self._strides, self._starts)
        found += self._base
        return found

    def _sums(self, counts: "NDArray[np.intp]") -> "NDArray[Any]":
        """For each class of values of a column what it adds to the address in each group [rows, G]."""
        row_of = np.empty(self._missing + len(counts), dtype=np.intp)
        within = np.arange(self._level) - self._first[self._axis]
        row_of[: self._level] = self._row[self._axis] + 1 + within
        row_of[self._level : self._missing] = np.arange(self._level, self._missing) + self._level_rows
        row_of[self._missing :] = self._row[1:] - 1
        matrix = np.zeros((self._every_row + 1, len(self._base)), dtype=np.uint16 if self._small else np.int32)
        lengths = np.diff(np.append(self._starts, len(self._bits)))
        group = np.repeat(np.arange(len(self._base)), lengths)
        matrix[row_of[self._bits], group] = self._strides
        matrix[self._every_row] = self._base
        for first, count in zip(self._row, counts, strict=False):
            block = matrix[first : first + count + 1]
            np.add.accumulate(block, axis=0, out=block)
        return matrix
