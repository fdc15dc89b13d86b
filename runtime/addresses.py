"""From an applicant's raw columns to a row in the table of each group: the sum of what each condition that holds adds.

A number meets the conditions of all thresholds that it is not below, or the one of being missing; a category that of
its level. Where it fits, a matrix holds the sum of each class of values for every group: one row a column is read.
"""

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
        "_level_rows",
        "_matrix",
        "_row",
        "_skip",
        "_small",
        "axis",
        "base",
        "bits",
        "categories",
        "first",
        "level",
        "maxima",
        "missing",
        "position",
        "starts",
        "strides",
        "thresholds",
    )

    def __init__(self, head: dict[str, Any], arrays: "dict[str, NDArray[Any]]") -> None:
        self.thresholds, self.axis = arrays["thresholds"], arrays["axis"].astype(np.intp)
        self.position = np.array([positions[0] for positions in head["numbers"]], dtype=np.intp)
        self.maxima = [(i, np.array(its)) for i, its in enumerate(head["numbers"]) if len(its) > 1]
        self.categories = [
            (
                its["position"],
                dict.fromkeys([*its["own"], ""], -1) | its["levels"],
                -1 if its["pool"] is None else its["pool"],
            )
            for its in head["categories"]
        ]
        levels = sum(len(its["levels"]) + (its["pool"] is not None) for its in head["categories"])
        self.base, self.starts = arrays["base"].astype(np.int32), arrays["starts"].astype(np.intp)
        self.bits, self.strides = arrays["bits"].astype(np.intp), arrays["strides"].astype(np.int32)
        counts = np.bincount(self.axis, minlength=len(self.position))
        self.first = np.cumsum([0, *counts])[:-1]  # threshold of each number
        self.level = len(self.thresholds)  # bit of the first level
        self.missing = self.level + levels  # bit of the first number's being missing
        # Rows of the matrix: of each number its classes and "missing", then one for no level, then one a level.
        self._row = np.cumsum([0, *(counts + 2)])
        self._skip = counts + 1  # from the lowest class of a number to "missing"
        self._level_rows = int(self._row[-1]) + 1 - self.level
        # All sums stay below the largest number of rows of a block.
        self._small = max((rows for _, _, rows in head["widths"]), default=0) < 2**16
        rows = int(self._row[-1]) + 1 + levels
        size = rows * len(self.base) * (2 if self._small else 4)
        self._matrix = self._sums(counts, rows) if size <= LARGEST_MATRIX else None
        if self._matrix is not None:
            self.base = self.base.astype(self._matrix.dtype)

    def of(self, numbers: "Sequence[float]", categories: "Sequence[str]") -> "NDArray[Any]":
        """The row of each group, among the tables of its width."""
        raw = np.asarray(numbers, dtype=np.float64)
        values = raw.take(self.position)
        for axis, positions in self.maxima:
            members = raw.take(positions)
            members[members <= LOWEST] = np.nan
            values[axis] = np.fmax.reduce(members)
        bits = [known.get(categories[position], pool) for position, known, pool in self.categories]
        if self._matrix is None:
            return self._added(values, [bit for bit in bits if bit >= 0])
        count = len(values)
        rows = np.empty(count + len(bits), dtype=np.intp)
        if count:
            reached = np.empty(self.level, dtype=np.int32)
            np.greater_equal(values.take(self.axis), self.thresholds, out=reached, casting="unsafe")
            np.add(self._row[:-1], np.add.reduceat(reached, self.first), out=rows[:count])
            rows[:count] += np.isnan(values) * self._skip
        if bits:
            no_level = self.level - 1
            rows[count:] = [(bit if bit >= 0 else no_level) + self._level_rows for bit in bits]
        found: NDArray[Any] = np.add.reduce(self._matrix.take(rows, axis=0), axis=0, dtype=self._matrix.dtype)
        found += self.base
        return found

    def _added(self, values: "NDArray[np.float64]", levels: list[int]) -> "NDArray[Any]":
        """Bit by bit, without the matrix."""
        bits = np.zeros(self.missing + len(values), dtype=np.int32)
        np.greater_equal(values.take(self.axis), self.thresholds, out=bits[: self.level], casting="unsafe")
        bits[levels] = 1
        np.isnan(values, out=bits[self.missing :], casting="unsafe")
        found: NDArray[Any] = np.add.reduceat(bits.take(self.bits) * self.strides, self.starts)
        found += self.base
        return found

    def _sums(self, counts: "NDArray[np.intp]", rows: int) -> "NDArray[Any]":
        """For each class of values of a column what it adds to the address in each group [rows, G]."""
        row_of = np.empty(self.missing + len(counts), dtype=np.intp)
        within = np.arange(self.level) - self.first[self.axis]
        row_of[: self.level] = self._row[self.axis] + 1 + within
        row_of[self.level : self.missing] = np.arange(self.level, self.missing) + self._level_rows
        row_of[self.missing :] = self._row[1:] - 1
        matrix = np.zeros((rows, len(self.base)), dtype=np.int32)
        lengths = np.diff(np.append(self.starts, len(self.bits)))
        group = np.repeat(np.arange(len(self.base)), lengths)
        matrix[row_of[self.bits], group] = self.strides
        for first, count in zip(self._row, counts, strict=False):
            block = matrix[first : first + count + 1]
            np.add.accumulate(block, axis=0, out=block)
        return matrix.astype(np.uint16) if self._small else matrix
