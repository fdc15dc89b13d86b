"""reasons.bin: exact contributions to the margin, looked up in tables; loaded when the first explanation is asked for.

Contributions are interventional Shapley values against reference rows (docs/decisions/0008-reasons-by-tables.md).
An applicant's address in a group's table is the sum of what each set bit adds: a number is not below a threshold, a
number is missing, a category is a level. The order of the sums is fixed, so alone and in a batch have the same bits.
"""

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.digest import sha256
from runtime.reader import EXPORT_AGAIN, ModelRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAGIC, VERSION, ALIGNED = b"LBREASON", 1, 64
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
_FIXED = len(MAGIC) + 8
MOST_HEADER = 64 * 2**20


def check_header(path: str, size: int, graph: str) -> None:
    """Refuses a file of another size than the manifest says, of another format, or of another graph.

    What costs a start almost nothing; `Tables.read` compares all.
    """
    try:
        found = os.stat(path).st_size  # noqa: PTH116  (pathlib: 5 ms of start-up)
        with open(path, "rb") as file:  # noqa: PTH123
            start = file.read(_FIXED)
            head = file.read(min(_length(start), MOST_HEADER))
    except OSError as fault:
        raise ModelRefused(f"{path}: expected tables of reasons, got: {fault.strerror}; {EXPORT_AGAIN}") from None
    if found != size:
        raise ModelRefused(f"{path}: expected {size} bytes, got {found}; {EXPORT_AGAIN}")
    _header(path, start, head, graph)


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
            (its["position"], dict.fromkeys([*its["own"], ""], -1) | its["levels"], its["pool"] or -1)
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
        """Maps a file whose sha256 is `digest`. Raises ModelRefused for any other, or one of another graph."""
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                content = file.read()
        except OSError as fault:
            raise ModelRefused(f"{path}: expected tables of reasons, got: {fault.strerror}; {EXPORT_AGAIN}") from None
        if (found := sha256(content)) != digest:
            raise ModelRefused(f"{path}: sha256: expected {digest}, got {found}; {EXPORT_AGAIN}")
        start = content[:_FIXED]
        head = _header(path, start, content[_FIXED : _FIXED + _length(start)], graph)
        arrays, place = {}, _FIXED + _length(start)
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


def _length(start: bytes) -> int:
    return int.from_bytes(start[-4:], "little")


def _header(path: str, start: bytes, head: bytes, graph: str) -> dict[str, Any]:
    version = int.from_bytes(start[len(MAGIC) : -4], "little")
    if start[: len(MAGIC)] != MAGIC or version != VERSION:
        raise ModelRefused(f"{path}: expected tables of reasons of version {VERSION}, got other bytes; {EXPORT_AGAIN}")
    try:
        content = json.loads(head)
        of = content["graph"]
    except (ValueError, TypeError, KeyError):
        raise ModelRefused(f"{path}: expected a header of JSON, got other bytes; {EXPORT_AGAIN}") from None
    if of != graph:
        raise ModelRefused(f"{path}: expected tables of graph {graph}, got those of {of}; {EXPORT_AGAIN}")
    return dict(content)
