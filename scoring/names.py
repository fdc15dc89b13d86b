"""Ids of a book that are there twice: counted by 64-bit digests, whose sorted runs are merged range by range."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

RUN = 2**20  # digests that are sorted at a time
AT_ONCE = 2**21  # digests that are compared at a time
LONGEST = 2**12  # bytes of a text; an id has 128 characters at most
# One odd number a position: equal texts have equal sums, and others equal ones once in 2**64.
_FACTORS: NDArray[np.uint64] = np.random.default_rng(0x1D5).integers(0, 2**63, LONGEST, dtype=np.uint64) * np.uint64(
    2
) + np.uint64(1)


def digests(texts: pa.Array) -> NDArray[np.uint64]:
    """A digest of each text [N], none of them null."""
    wide = texts.cast(pa.large_string())
    _, offsets, content = wide.buffers()
    bounds = np.frombuffer(offsets, np.int64, len(wide) + 1, wide.offset * 8)
    first, last = int(bounds[0]), int(bounds[-1])
    data = np.frombuffer(content, np.uint8, last - first, first) if content is not None else np.empty(0, np.uint8)
    starts = bounds[:-1] - first
    lengths = np.diff(bounds)
    place = np.arange(len(data)) - np.repeat(starts, lengths)
    terms = (data.astype(np.uint64) + np.uint64(1)) * _FACTORS[place]
    sums = np.add.reduceat(np.append(terms, np.uint64(0)), starts) if len(starts) else np.empty(0, np.uint64)
    return np.asarray(sums ^ (sums >> np.uint64(32)), dtype=np.uint64)


class Runs:
    """A file of sorted runs of digests."""

    def __init__(self, path: Path) -> None:
        self.lengths: list[int] = []
        self._path, self._waiting, self._count = path, [np.empty(0, np.uint64)], 0
        path.touch()

    def add(self, some: NDArray[np.uint64]) -> None:
        """Takes more of them."""
        self._waiting.append(some)
        self._count += len(some)
        if self._count >= RUN:
            self.flush()

    def flush(self) -> None:
        """Writes what is waiting as one run."""
        run = np.sort(np.concatenate(self._waiting))
        if len(run):
            with self._path.open("ab") as file:
                file.write(run.astype("<u8").tobytes())
            self.lengths.append(len(run))
        self._waiting, self._count = [], 0


def repeated(files: Sequence[tuple[Path, Sequence[int]]]) -> int:
    """How many rows have an id that an earlier row has; each file with the lengths of its runs."""
    runs: list[Any] = []
    for path, lengths in files:
        if lengths:
            whole = np.memmap(path, "<u8", "r")
            runs += np.split(whole, np.cumsum(lengths)[:-1])
    total = sum(map(len, runs))
    ranges = max(1, -(-total // AT_ONCE))
    edges = [round(2**64 / ranges * number) for number in range(1, ranges)]
    places = [[0, *(int(np.searchsorted(run, np.uint64(edge))) for edge in edges), len(run)] for run in runs]
    count = 0
    for number in range(ranges):
        some = [run[its[number] : its[number + 1]] for run, its in zip(runs, places, strict=True)]
        together = np.sort(np.concatenate(some)) if some else np.empty(0)
        count += int(np.count_nonzero(together[1:] == together[:-1]))
    return count
