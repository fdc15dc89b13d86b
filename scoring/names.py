"""Repeated ids of a table, counted by 64-bit digests, whose sorted runs are merged range by range."""

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

RUN = 2**20  # digests that are sorted at a time
AT_ONCE = 2**21  # digests that are compared at a time
LONGEST = 2**12  # bytes of a text; an id has 128 characters at most
WORD = 4  # bytes
# One odd number for each word of a text, and one for its length: other texts have equal sums once in 2**64.
_FACTORS: NDArray[np.uint64] = np.random.default_rng(0x1D5).integers(
    0, 2**63, LONGEST // WORD + 1, dtype=np.uint64
) * np.uint64(2) + np.uint64(1)
_OF_LENGTH, _OF_WORD = _FACTORS[0], _FACTORS[1:]
_OF_BYTE: NDArray[np.uint64] = np.repeat(_OF_WORD, WORD) << np.tile(
    np.arange(0, 8 * WORD, 8, dtype=np.uint64), LONGEST // WORD
)


def digests(texts: pa.Array) -> NDArray[np.uint64]:
    """A digest of each text [N], none of them null or empty: its words in little-endian, each times its factor."""
    wide = texts.cast(pa.large_string())
    _, offsets, content = wide.buffers()
    if not len(wide):
        return np.empty(0, np.uint64)
    bounds = np.frombuffer(offsets, np.int64, len(wide) + 1, wide.offset * 8)
    first, last = int(bounds[0]), int(bounds[-1])
    data = np.frombuffer(content, np.uint8, last - first, first)
    lengths = np.diff(bounds)
    length = int(lengths[0])
    if length % WORD == 0 and (lengths == length).all():  # as UUIDs are: a quarter of the work
        words = data.view("<u4").reshape(len(wide), -1)
        sums = np.zeros(len(wide), np.uint64)
        for place in range(words.shape[1]):
            sums += words[:, place] * _OF_WORD[place]
    else:
        starts = bounds[:-1] - first
        place_of = np.arange(len(data)) - np.repeat(starts, lengths)
        sums = np.add.reduceat(data * _OF_BYTE[place_of], starts)
    sums += lengths.astype(np.uint64) * _OF_LENGTH
    return np.asarray(sums ^ (sums >> np.uint64(32)), dtype=np.uint64)


class Runs:
    """A file of sorted runs of digests."""

    def __init__(self, path: Path) -> None:
        self.lengths: list[int] = []
        self._path, self._waiting, self._count = path, list[NDArray[np.uint64]](), 0
        path.touch()

    def add(self, some: NDArray[np.uint64]) -> None:
        """Add more batches."""
        self._waiting.append(some)
        self._count += len(some)
        if self._count >= RUN:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting as one run."""
        if self._count:  # a part of a multiple of RUN rows has nothing left in the end
            run = np.sort(np.concatenate(self._waiting))
            with self._path.open("ab") as file:
                file.write(run.astype("<u8").tobytes())
            self.lengths.append(len(run))
        self._waiting, self._count = [], 0


def repeated(files: Sequence[tuple[Path, Sequence[int]]]) -> int:
    """Number of rows whose id an earlier row has; each file with the lengths of its runs.

    The memory of a range is freed, so that memory does not grow with the rows.
    """
    runs: list[tuple[mmap.mmap, Any]] = []
    for path, lengths in files:
        if lengths:
            with path.open("rb") as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            runs += ((content, run) for run in np.split(np.frombuffer(content, "<u8"), np.cumsum(lengths)[:-1]))
    total = sum(len(run) for _, run in runs)
    ranges = max(1, -(-total // AT_ONCE))
    edges = [round(2**64 / ranges * number) for number in range(1, ranges)]
    places = []
    for content, run in runs:
        places.append([0, *(int(np.searchsorted(run, np.uint64(edge))) for edge in edges), len(run)])
        _give_back(content)
    count = 0
    for number in range(ranges):
        some = []
        for (content, run), its in zip(runs, places, strict=True):
            some.append(run[its[number] : its[number + 1]].copy())
            _give_back(content)
        together = np.sort(np.concatenate(some)) if some else np.empty(0)
        count += int(np.count_nonzero(together[1:] == together[:-1]))
    return count


def _give_back(content: mmap.mmap) -> None:
    """Let the system take the pages of a file that were read."""
    if hasattr(content, "madvise"):  # not on Windows
        content.madvise(mmap.MADV_DONTNEED)
