"""The division of a table in parts into training rows with their folds, test rows, and rows drawn for examination.

Outcome, weight, time and group of each row decide, with the functions that divide a table in memory: test and folds are
the same rows as there, whatever files, parts or workers hold them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from table.in_parts import Layout, Piece, TableInParts
from training.artifacts.save import SAMPLE_ROWS
from training.estimator.folds import folds_of
from training.exploration import most_rows
from training.settings import Settings
from validation.sample import sampled_rows

TEST = -1
"""Marks rows of the test part among the numbers of folds."""


@dataclass(frozen=True)
class Share:
    """The rows of a piece that have an outcome, and what each has by itself: all that a worker needs of them."""

    piece: Piece
    first: int
    """The position of the first of them among the table's."""
    kept: NDArray[np.bool_]  # [rows of the piece]
    fold: NDArray[np.int16]  # [kept rows]
    target: NDArray[np.int8]
    weight: NDArray[np.float64] | None
    drawn: NDArray[np.bool_]

    def frames(self, layout: Layout, most: int) -> Iterator[tuple[slice, pd.DataFrame]]:
        """Features, at most so many rows at a time, each with its place in the share."""
        done = 0
        for first, frame in layout.frames(self.piece, most, self.kept):
            at = first - self.piece.first
            kept = self.kept[at : at + len(frame)]
            if not kept.all():
                frame = frame[kept].reset_index(drop=True)
            yield slice(done, done + len(frame)), frame
            done += len(frame)


@dataclass(frozen=True)
class Divided:
    """N rows, in the table's order."""

    source: TableInParts
    train: NDArray[np.intp]
    """Positions, ascending, as those of `test`."""
    test: NDArray[np.intp]
    fold: NDArray[np.int16]
    """[N]: the fold of a training row, TEST of others."""
    folds: int
    drawn: NDArray[np.bool_]
    """[N]: rows whose features are kept, to be looked at closely."""

    @classmethod
    def of(cls, source: TableInParts, parts: dict[str, NDArray[np.intp]], groups: Any, settings: Settings) -> "Divided":
        """The parts of `training.split`, with the groups of the training rows; the number of folds is set."""
        target, seed, folds = source.table.target, settings.split.seed, settings.model.least_folds
        train = parts["train"]
        fold = np.full(len(target), TEST, dtype=np.int16)
        for number, (_, unseen) in enumerate(folds_of(target[train], groups, folds, seed)):
            fold[train[unseen]] = number
        drawn = np.zeros(len(target), dtype=bool)
        most = most_rows(len(settings.features))
        for rows, limit in ((train, most), (parts["test"], min(most, SAMPLE_ROWS))):
            drawn[np.sort(rows)[sampled_rows(len(rows), limit, seed)]] = True
        return cls(source, np.sort(train), np.sort(parts["test"]), fold, folds, drawn)

    @property
    def target(self) -> NDArray[np.int8]:
        """[N], 1 for an applicant who defaulted."""
        return self.source.table.target

    @property
    def weight(self) -> NDArray[np.float64] | None:
        """[N], as the file has them."""
        return self.source.table.weight

    def shares(self, most: int) -> list[Share]:
        """The pieces of the table, each of at most so many rows, or of one row group."""
        found = []
        for piece in self.source.layout.pieces(most):
            kept = self.source.kept[piece.first : piece.first + piece.rows]
            first = self.source.position(piece.first)
            its = slice(first, first + int(np.count_nonzero(kept)))
            weight = None if self.weight is None else self.weight[its]
            found.append(Share(piece, first, kept, self.fold[its], self.target[its], weight, self.drawn[its]))
        return found
