"""reasons.bin: exact contributions to the margin, looked up in tables; loaded when the first explanation is asked for.

Contributions are interventional Shapley values against reference rows (docs/decisions/0008-reasons-by-tables.md).
An applicant's address in a group's table is the sum of what each set bit adds: a number is not below a threshold, a
number is missing, a category is a level. The order of the sums is fixed, so alone and in a batch have the same bits.
"""

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.addresses import Addresses
from runtime.table_file import REASONS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from runtime.made_columns import MadeColumns

AT_ONCE = 256  # rows


class Tables:
    """The tables of a model. Safe to use from several threads."""

    __slots__ = ("_addresses", "_blocks", "_made", "_players", "mean", "players")

    def __init__(self, head: dict[str, Any], arrays: "dict[str, NDArray[Any]]") -> None:
        self.players: int = head["players"]
        self.mean: float = head["mean"]
        self._addresses = Addresses(head, arrays)
        self._made = made_columns(arrays)
        self._players = arrays["players"].astype(np.intp)
        self._blocks: list[tuple[Any, int, int, int, int]] = []
        flat, first, group, slot = arrays["tables"], 0, 0, 0
        for width, groups, rows in head["widths"]:
            table = flat[first : first + rows * width].reshape(rows, width)
            self._blocks.append((table, group, group + groups, slot, slot + groups * width))
            first, group, slot = first + rows * width, group + groups, slot + groups * width

    @classmethod
    def read(cls, folder: str, digest: str, graph: str) -> "Tables":
        """Map the file with this sha256 in a folder. Raises ModelRefused for another, or one of another graph."""
        return cls(*REASONS_FILE.read(folder, digest, graph))

    @classmethod
    def parse(cls, content: bytes) -> "Tables":
        """The tables of a file whose bytes are known to be whole."""
        return cls(*REASONS_FILE.parse(content))

    def thresholds(self, position: int) -> list[float]:
        """The raw numbers at which a condition on one of the columns changes, ascending."""
        return self._addresses.thresholds(position)

    def contributions(self, numbers: "Sequence[float]", categories: "Sequence[str]" = ()) -> "NDArray[np.float64]":
        """Contribution of each player to the difference from the mean margin of the reference rows [players], float64.

        Raw columns, with NaN and "" for missing; fastest if the numbers are a list.
        """
        if not len(self._players):
            return np.zeros(self.players)
        if self._made is not None:
            numbers = [*numbers, *self._made.of(numbers, categories)]
        rows = self._addresses.of(numbers, categories)
        if len(self._blocks) == 1:
            found = self._blocks[0][0].take(rows, axis=0, mode="clip").ravel()
        else:
            found = np.empty(len(self._players), dtype=np.float32)
            for table, first, last, slot, end in self._blocks:
                table.take(rows[first:last], axis=0, out=found[slot:end].reshape(last - first, -1), mode="clip")
        added: NDArray[np.float64] = np.bincount(self._players, found, self.players)  # type: ignore[assignment]
        return added

    def contributions_of(self, numbers: "NDArray[np.float64]", categories: "NDArray[np.object_]") -> "NDArray[Any]":
        """`contributions` of rows [N, n] and [N, c]: [N, players], each row with the bits that it has alone."""
        found = np.empty((len(numbers), self.players))
        for i, row in enumerate(zip(as_lists(numbers), as_lists(categories), strict=True)):
            found[i] = self.contributions(*row)
        return found


def made_columns(arrays: "dict[str, NDArray[Any]]") -> "MadeColumns | None":
    """Graph that makes the numbers behind the raw ones; None where all conditions are on raw values."""
    if not len(arrays["graph"]):
        return None
    from runtime.made_columns import MadeColumns

    return MadeColumns(arrays["graph"].tobytes())


def as_lists(rows: Any) -> "Iterable[Any]":
    """Rows as lists, some at a time: numbers are read much faster from them, and take four times as much memory."""
    if type(rows) is list:
        return rows
    return chain.from_iterable(rows[first : first + AT_ONCE].tolist() for first in range(0, len(rows), AT_ONCE))
