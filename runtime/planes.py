"""From the bits of conditions to margins: 64 rows a word, trees side by side, and float32 sums in XGBoost's order.

The leaf that a row reaches has a number. Each bit of it is a plane, the union of masks of rows that reach a node.
Transposing eight planes gives bytes, which address the leaves. Two numbers of at most four bits share a byte, and both
rows are looked up as one pair. Transposing changes the order of the rows, which is undone after all trees are added.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# Transposition of 8 x 8 bits: shifts, and masks of the bits that stay.
STEPS = ((4, 0x0F0F0F0F0F0F0F0F), (2, 0x3333333333333333), (1, 0x5555555555555555))
LARGEST_PAIRS = 32 * 2**20  # bytes of a model's tables of pairs
AT_ONCE = 16_384  # addresses that are looked up in one call
FEW = 4  # trees that are added one by one as fast


class Block:
    """Trees of one booster, level by level. See trees.batch.blocks, which lays them out."""

    __slots__ = ("_levels", "_masks", "_order", "_starts", "_tables", "_terms", "has_leaves_alone", "pairs", "trees")

    def __init__(self, entry: "dict[str, Any]", take: "Callable[[str, int], NDArray[Any]]", *, pairs: bool) -> None:
        """`take` gives so many numbers more of an array."""
        self.trees: int = entry["trees"]
        self._levels: list[tuple[Any, Any, int]] = []
        self._masks = 0
        for count, second in entry["levels"]:
            conditions = take("conditions", count).astype(np.intp)
            rows = take("masks", count if self._levels else 0).astype(np.intp)
            in_a_row = len(rows) > 0 and bool((np.diff(rows) == 1).all())
            self._levels.append((conditions, slice(int(rows[0]), int(rows[-1]) + 1) if in_a_row else rows, second))
            self._masks += count + second
        self._terms = [take("terms", count).astype(np.intp) for count in entry["terms"]]
        planes = entry["planes"]
        self.has_leaves_alone = not planes
        self.pairs = pairs and planes <= 4
        lanes = 4 if self.pairs else 8
        without = entry["terms"][0] if entry["terms"] else 0  # a row of zeros
        order = np.full((lanes, self.trees), without, dtype=np.intp)
        order[:planes] = take("order", planes * self.trees).reshape(planes, self.trees)
        if self.pairs:  # the planes of the first half of the rows, then those of the second
            order = 2 * order[:, None, :] + np.arange(2)[:, None]
        self._order = order.ravel()
        leaves = take("leaves", self.trees << planes).reshape(self.trees, -1)
        if self.has_leaves_alone:
            leaves = _without_idle(leaves)
        self._tables = _pairs(leaves) if self.pairs and planes else leaves
        self._starts = np.arange(self.trees)[:, None] * self._tables.shape[1]

    def codes(self, bits: "NDArray[np.uint64]") -> "NDArray[np.uint8]":
        """The addresses of each tree's leaves, [trees, `addresses(rows)`]."""
        return transposed(self._united(bits)).reshape(self.trees, -1)

    def add(self, codes: "NDArray[np.uint8]", total: "NDArray[np.float32]") -> None:
        """Add the leaves at these addresses [trees, A] to `total`, tree after tree."""
        trees, size = codes.shape
        group = max(1, AT_ONCE // size)
        addresses = np.empty((min(group, trees), size), dtype=np.intp)
        found = np.empty((1 + len(addresses), size), dtype=self._tables.dtype)
        sums = found.view(np.float32)
        sums[0] = total
        for first in range(0, trees, group):
            some = codes[first : first + group]
            its, weights = addresses[: len(some)], found[1 : 1 + len(some)]
            np.copyto(its, some)
            if group > 1:
                np.add(its, self._starts[: len(some)], out=its)
            self._tables[first : first + group].reshape(-1).take(its, out=weights, mode="clip")
            if group >= FEW and adds_row_by_row():
                np.add.reduce(sums[: 1 + len(some)], axis=0, out=total)
                sums[0] = total
            else:
                for weight in sums[1 : 1 + len(some)]:
                    np.add(total, weight, out=total)

    def add_alone(self, total: "NDArray[np.float32]") -> None:
        """Add leaves that are whole trees to `total`, one after the other."""
        for weight in self._tables[:, 0]:
            np.add(total, weight, out=total)

    def addresses(self, rows: int) -> int:
        """Number of addresses of a tree for this many rows."""
        return rows // 2 if self.pairs else rows

    def _united(self, bits: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
        """[lanes, trees, W] planes of the leaves' numbers."""
        words = bits.shape[1]
        masks = np.empty((self._masks, words), dtype=np.uint64)
        first = 0
        for conditions, rows, second in self._levels:
            count = len(conditions)
            on, off = masks[first : first + count], masks[first + count : first + count + second]
            if not first:  # roots, which all rows reach
                bits.take(conditions, axis=0, out=on, mode="clip")
                np.invert(on[:second], out=off)
            else:
                own = masks[rows] if isinstance(rows, slice) else masks.take(rows, axis=0, mode="clip")
                bits.take(conditions, axis=0, out=on, mode="clip")
                np.bitwise_and(on, own, out=on)
                np.bitwise_xor(own[:second], on[:second], out=off)
            first += count + second
        count = len(self._terms[0]) if self._terms else 0
        united = np.empty((count + 1, words), dtype=np.uint64)
        united[count] = 0
        for k, rows in enumerate(self._terms):
            if k:
                np.bitwise_or(united[: len(rows)], masks.take(rows, axis=0, mode="clip"), out=united[: len(rows)])
            else:
                masks.take(rows, axis=0, out=united[:count], mode="clip")
        if self.pairs:
            halves = united.reshape(-1, words // 2)
            return halves.take(self._order, axis=0, mode="clip").reshape(4, 2, self.trees, words // 2)
        return united.take(self._order, axis=0, mode="clip").reshape(8, self.trees, words)


def transposed(planes: "NDArray[np.uint64]") -> "NDArray[np.uint8]":
    """Bytes of addresses [trees, ..., W · 8] of eight planes [8, trees, W], or [4, 2, trees, W / 2] for pairs.

    Of eight planes, byte b at s is of row 8b + s; of pairs, byte b at j and h is of rows 8b + 4h + j of both halves.
    """
    pairs = len(planes) == 4
    views = planes.reshape(2, 2, *planes.shape[1:]) if pairs else planes.reshape(2, 2, 2, *planes.shape[1:])
    if pairs:
        steps = ((planes[:, 0], planes[:, 1]), (views[0], views[1]), (views[:, 0], views[:, 1]))
    else:
        steps = ((views[0], views[1]), (views[:, 0], views[:, 1]), (views[:, :, 0], views[:, :, 1]))
    for (low, high), (shift, mask) in zip(steps, STEPS, strict=True):
        moved = np.right_shift(low, np.uint64(shift))
        np.bitwise_xor(moved, high, out=moved)
        np.bitwise_and(moved, np.uint64(mask), out=moved)
        np.bitwise_xor(high, moved, out=high)
        np.left_shift(moved, np.uint64(shift), out=moved)
        np.bitwise_xor(low, moved, out=low)
    return np.moveaxis(planes.view(np.uint8), -2, 0)


@cache
def adds_row_by_row() -> bool:
    """True if this numpy adds the rows of a matrix one after the other, which it does not promise."""
    rows = np.random.default_rng(0).standard_normal((33, 512)).astype(np.float32)
    rows *= np.logspace(-6, 6, 33, dtype=np.float32)[:, None]
    expected = rows[0].copy()
    for row in rows[1:]:
        np.add(expected, row, out=expected)
    return all(
        np.add.reduce(rows[:, :width], axis=0).tobytes() == expected[:width].tobytes() for width in (64, 128, 448, 512)
    )


def in_order(total: "NDArray[np.float32]", *, pairs: bool) -> "NDArray[np.float32]":
    """The rows as they came, of sums in a block's order."""
    if pairs:
        return total.reshape(4, 2, -1, 2).transpose(3, 2, 1, 0).ravel()
    return total.reshape(8, -1).T.ravel()


def in_blocks(rows: "NDArray[np.float32]", *, pairs: bool) -> "NDArray[np.float32]":
    """The inverse of `in_order`."""
    if pairs:
        return rows.reshape(2, -1, 2, 4).transpose(3, 2, 1, 0).ravel()
    return rows.reshape(-1, 8).T.ravel()


def _without_idle(leaves: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """The leaves [trees, 1] without those that change no sum: minus zero, and a zero behind another."""
    kept: NDArray[np.float32] = leaves[~(np.signbit(leaves[:, 0]) & (leaves[:, 0] == 0))]
    is_idle: NDArray[np.bool_] = kept[:, 0] == 0
    is_idle[1:] &= is_idle[:-1].copy()
    is_idle[:1] = False
    return kept[~is_idle]


def _pairs(leaves: "NDArray[np.float32]") -> "NDArray[np.uint64]":
    """[trees, 256]: for four bits of one row, and above them four of another, both leaves, the one's first."""
    trees, count = leaves.shape
    pairs = np.zeros((trees, 16, 16, 2), dtype=np.float32)
    pairs[:, :, :count, 0] = leaves[:, None, :]
    pairs[:, :count, :, 1] = leaves[:, :, None]
    return pairs.reshape(trees, 512).view(np.uint64)
