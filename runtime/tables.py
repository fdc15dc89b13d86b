"""reasons.bin: exact contributions to the margin, looked up in tables; loaded when the first explanation is asked for.

Contributions are interventional Shapley values against reference rows (docs/decisions/0008-reasons-by-tables.md).
An applicant's address in a group's table is the sum of what each set bit adds: a number is not below a threshold, a
number is missing, a category is a level. The order of the sums is fixed, so alone and in a batch have the same bits.
"""

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.digest import sha256
from runtime.reader import EXPORT_AGAIN, ModelRefused
from runtime.reasons_file import FIXED, header_of, length_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ALIGNED = 64
ARRAYS = {
    "thresholds": "<f8",
    "axis": "<u2",
    "base": "<u4",
    "starts": "<u4",
    "bits": "<u4",
    "strides": "<u4",
    "players": "<u2",
    "tables": "<f4",
}
# At or below it a float64 is minus infinity in float32, which a row maximum skips.
LOWEST = -float.fromhex("0x1.ffffffp+127")


class Tables:
    """The tables of a model. Safe to use from several threads."""

    __slots__ = (
        "_axis",
        "_base",
        "_bits",
        "_blocks",
        "_categories",
        "_count",
        "_levels",
        "_maxima",
        "_players",
        "_positions",
        "_slots",
        "_starts",
        "_strides",
        "_thresholds",
        "mean",
        "players",
    )

    def __init__(self, head: dict[str, Any], arrays: "dict[str, NDArray[Any]]") -> None:
        self.players: int = head["players"]
        self.mean: float = head["mean"]
        self._thresholds, self._axis = arrays["thresholds"], arrays["axis"].astype(np.intp)
        self._positions = np.array([positions[0] for positions in head["numbers"]], dtype=np.intp)
        self._maxima = [(i, positions) for i, positions in enumerate(head["numbers"]) if len(positions) > 1]
        self._categories = [
            (
                its["position"],
                dict.fromkeys([*its["own"], ""], -1) | its["levels"],
                -1 if its["pool"] is None else its["pool"],
            )
            for its in head["categories"]
        ]
        self._levels = sum(len(its["levels"]) + (its["pool"] is not None) for its in head["categories"])
        self._count = len(self._thresholds) + self._levels + len(self._positions)
        self._base, self._starts = arrays["base"].astype(np.intp), arrays["starts"].astype(np.intp)
        self._bits, self._strides = arrays["bits"].astype(np.intp), arrays["strides"].astype(np.intp)
        self._players = arrays["players"].astype(np.intp)
        self._slots = len(self._players)
        self._blocks: list[tuple[Any, int, int, int, int]] = []
        flat, first, group, slot = arrays["tables"], 0, 0, 0
        for width, groups, rows in head["widths"]:
            table = flat[first : first + rows * width].reshape(rows, width)
            self._blocks.append((table, group, group + groups, slot, slot + groups * width))
            first, group, slot = first + rows * width, group + groups, slot + groups * width

    @classmethod
    def read(cls, path: str, digest: str, graph: str) -> "Tables":
        """Reads a file whose sha256 is `digest`. Raises ModelRefused for any other, or one of another graph."""
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                content = file.read()
        except OSError as fault:
            raise ModelRefused(f"{path}: expected tables of reasons, got: {fault.strerror}; {EXPORT_AGAIN}") from None
        if (found := sha256(content)) != digest:
            raise ModelRefused(f"{path}: sha256: expected {digest}, got {found}; {EXPORT_AGAIN}")
        header_of(path, content[:FIXED], content[FIXED : FIXED + length_of(content[:FIXED])], graph)
        return cls.parse(content)

    @classmethod
    def parse(cls, content: bytes) -> "Tables":
        """The tables of a file whose bytes are known to be whole."""
        start = content[:FIXED]
        head = json.loads(content[FIXED : FIXED + length_of(start)])
        arrays, place = {}, FIXED + length_of(start)
        for name, kind in ARRAYS.items():
            place += -place % ALIGNED
            arrays[name] = np.frombuffer(content, kind, head["lengths"][name], place)
            place += arrays[name].nbytes
        return cls(head, arrays)

    def contributions(self, numbers: "Sequence[float]", categories: "Sequence[str]" = ()) -> "NDArray[np.float64]":
        """What each player adds to the mean margin of the reference rows [players], float64; raw columns, NaN and ""
        where missing."""
        if not self._slots:
            return np.zeros(self.players)
        raw = np.asarray(numbers, dtype=np.float64)
        values = raw.take(self._positions)
        for axis, positions in self._maxima:
            members = raw[positions]
            members[members <= LOWEST] = np.nan
            values[axis] = np.fmax.reduce(members)
        bits = np.zeros(self._count, dtype=np.intp)
        thresholds = len(self._thresholds)
        np.greater_equal(values.take(self._axis), self._thresholds, out=bits[:thresholds], casting="unsafe")
        for position, levels, pool in self._categories:
            bit = levels.get(categories[position], pool)
            if bit >= 0:
                bits[bit] = 1
        np.isnan(values, out=bits[thresholds + self._levels :], casting="unsafe")
        rows = np.add.reduceat(bits.take(self._bits) * self._strides, self._starts)
        rows += self._base
        found = np.empty(self._slots, dtype=np.float32)
        for table, first, last, slot, end in self._blocks:
            table.take(rows[first:last], axis=0, out=found[slot:end].reshape(last - first, -1), mode="clip")
        added: NDArray[np.float64] = np.bincount(self._players, weights=found, minlength=self.players)  # type: ignore[assignment]
        return added
