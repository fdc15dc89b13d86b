"""Rows of raw columns as bits: for each condition of the trees one bit a row, 64 rows a word.

A number is compared in float32 where its thresholds are float32's, as the graph casts it, else in float64. A missing
number fulfils no comparison.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

WORD = 64  # rows
# At or below it a float64 is minus infinity in float32, which a row maximum skips.
LOWEST = -float.fromhex("0x1.ffffffp+127")


class Levels(dict[str, int]):
    """Number of each category that a condition names; for any other text, the number of the pool, or -1."""

    __slots__ = ("_pool",)

    def __init__(self, levels: "dict[str, int]", own: "Iterable[str]", pool: int | None) -> None:
        super().__init__(dict.fromkeys([*own, ""], -1) | levels)
        self._pool = -1 if pool is None else pool

    def __missing__(self, key: object) -> int:
        """Text of an object as onnxruntime reads it: its `str`."""
        return self._pool if isinstance(key, str) else self[str(key)]


class Number:
    """The conditions of one number."""

    __slots__ = ("below", "in_float32", "not_below", "positions")

    def __init__(self, entry: "dict[str, Any]", thresholds: "NDArray[np.float64]") -> None:
        self.positions: list[int] = entry["positions"]
        self.in_float32: bool = entry["float32"]
        if self.in_float32:
            with np.errstate(over="ignore"):
                thresholds = thresholds.astype(np.float32)
        self.not_below = thresholds[: entry["not_below"], None]
        self.below = thresholds[entry["not_below"] :, None]


class Conditions:
    """All conditions of a model, in the order of their numbers. Safe to use from several threads."""

    __slots__ = ("_categories", "_count", "_numbers", "_of_float32", "_widest")

    def __init__(self, head: "dict[str, Any]", thresholds: "NDArray[np.float64]") -> None:
        self._count: int = head["conditions"]
        self._numbers: list[Number] = []
        first = 0
        for entry in head["numbers"]:
            count = entry["not_below"] + entry["below"]
            self._numbers.append(Number(entry, thresholds[first : first + count]))
            first += count
        self._categories = [
            (its["position"], Levels(its["levels"], its["own"], its["pool"]), its["count"])
            for its in head["categories"]
        ]
        self._of_float32 = any(number.in_float32 for number in self._numbers)
        sizes = [len(number.not_below) + len(number.below) for number in self._numbers]
        self._widest = max([*sizes, *(count for _, _, count in self._categories)], default=0)

    def bits(self, numbers: "NDArray[np.float64]", categories: Any, padded: int) -> "NDArray[np.uint64]":
        """[conditions, padded / 64] for rows [N, n] and [N, c], N <= padded; bits beyond the rows say nothing."""
        rows = len(numbers)
        found = np.empty((self._count, padded // 8), dtype=np.uint8)
        holds = np.zeros((self._widest, padded), dtype=np.bool_)
        rounded: Any = None
        if self._of_float32:
            rounded = np.ascontiguousarray(numbers.T, dtype=np.float32)
        first = 0
        for number in self._numbers:
            values = _values(number, numbers, rounded)
            middle = len(number.not_below)
            last = middle + len(number.below)
            np.greater_equal(values, number.not_below, out=holds[:middle, :rows])
            np.less(values, number.below, out=holds[middle:last, :rows])
            found[first : first + last] = np.packbits(holds[:last], axis=1, bitorder="little")
            first += last
        for position, levels, count in self._categories:
            texts = categories[:, position].tolist()
            reached = np.fromiter(map(levels.__getitem__, texts), dtype=np.int32, count=rows)
            np.equal(reached, np.arange(count, dtype=np.int32)[:, None], out=holds[:count, :rows])
            found[first : first + count] = np.packbits(holds[:count], axis=1, bitorder="little")
            first += count
        return found.view(np.uint64)


def _values(number: Number, numbers: "NDArray[np.float64]", rounded: Any) -> Any:
    """[N], NaN where missing; the largest of several where something is left of them."""
    columns = rounded if number.in_float32 else numbers.T
    if len(number.positions) == 1:
        return columns[number.positions[0]]
    members = columns[number.positions]
    members[members <= LOWEST] = np.nan
    return np.fmax.reduce(members, axis=0)
