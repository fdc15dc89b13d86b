"""The prepared matrix on the disk: a file of float32 rows for each fold and for the test, in the table's order."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.in_parts.divided import TEST, Divided

FLOAT32 = 4


class MatrixOnDisk:
    """Rows of a fold are read in blocks of at most `at_once`; what belongs to them is at `positions`."""

    def __init__(self, folder: Path, divided: Divided, width: int, at_once: int) -> None:
        self._folder, self.width, self._at_once = folder, width, at_once
        self._divided = divided

    def append(self, fold: NDArray[np.int16], rows: NDArray[np.float32]) -> None:
        """Writes some rows, which follow those before in the table's order, to the files of their folds."""
        for number in np.unique(fold).tolist():
            with self._path(number).open("ab") as file:
                rows[fold == number].tofile(file)

    def positions(self, fold: int) -> NDArray[np.intp]:
        """Positions in the table of a fold's rows, in the order of its file; TEST stands for the test."""
        return np.flatnonzero(self._divided.fold == fold)

    def blocks(self, fold: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """The rows of a fold, each block with its place in the fold."""
        rows = int(np.count_nonzero(self._divided.fold == fold))
        for first in range(0, rows, self._at_once):
            some = min(self._at_once, rows - first)
            offset = first * self.width * FLOAT32
            block = np.fromfile(self._path(fold), np.float32, some * self.width, offset=offset)
            yield slice(first, first + some), block.reshape(some, self.width)

    def _path(self, fold: int) -> Path:
        return self._folder / ("test.f32" if fold == TEST else f"fold-{fold}.f32")
