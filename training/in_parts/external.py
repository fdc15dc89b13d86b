"""Boosters on one machine, on more rows than fit into memory: prepared rows on the disk, and XGBoost's own cache.

As in memory, each booster has one thread and folds are fitted side by side: cores change no bit.
"""

import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import xgboost
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray
from xgboost import XGBClassifier

from cli.allocation import give_back_freed_memory
from cli.errors import UserError
from training.estimator.boosting import fitted_classifier, grow, margin
from training.estimator.preparation import Preparation
from training.in_parts.count import Counted, Wanted, prepared
from training.in_parts.divided import TEST, Divided
from training.in_parts.learn import Learnt, learn
from training.in_parts.matrix import FLOAT32, MatrixOnDisk
from training.memory import free_bytes
from training.settings import Settings

ROWS = 131_072  # that are read, and prepared, at a time
CELLS = 2**24  # of the matrix in a block: 64 MB
# XGBoost's cache of a row: its place, and for each column a bin's number (4 bytes), the same by column (1, or 2 of more
# than 256 bins) and a bit for missing; rounded up. Measured: 5.1 bytes a cell of 21 columns.
BYTES_OF_ROW, BYTES_OF_CELL, FEW_BINS = 8, 5.2, 256
# Memory of a row while it is fitted and evaluated, whatever the columns: measured, 10 and 50 million rows.
MEMORY_OF_ROW = 100

Told = Callable[[str], None]


class ExternalMemory:
    """A folder holds all that is of the size of the table."""

    name = "external memory"

    def __init__(self, settings: Settings, divided: Divided, folder: Path) -> None:
        self._settings, self._divided, self._folder = settings, divided, folder
        self._layout, self._shares = divided.source.layout, divided.shares(ROWS)
        self._matrix: MatrixOnDisk

    def learn(self, preparation: Preparation, told: Told) -> Learnt:
        """The first pass."""
        found, rows = Learnt(), 0
        for share in self._shares:
            found.add(learn(self._settings, preparation, self._layout, [share], ROWS))
            rows += share.piece.rows
            told(f"{rows:,} rows")
        return found

    def need(self, width: int) -> int:
        """Bytes of disk at most, for a matrix of so many columns."""
        return int(len(self._divided.target) * width * FLOAT32 + self._cached(width))

    def _cached(self, width: int) -> float:
        """Bytes of the bins of all folds that are fitted at the same time."""
        folds = self._divided.folds
        bins = int(str(self._settings.xgboost.get("max_bin", FEW_BINS)))
        of_cell = BYTES_OF_CELL + (1 if bins > FEW_BINS else 0)
        watched = 1 if "early_stopping_rounds" in self._settings.xgboost else (folds - 1) / folds
        return self._together() * len(self._divided.train) * watched * (width * of_cell + BYTES_OF_ROW)

    def refuse_small_room(self, width: int) -> str:
        """Remark on disk and memory. Raises UserError if the disk has too little room."""
        need, free = self.need(width), shutil.disk_usage(self._folder).free
        where = self._folder.parent
        if need > free:
            raise UserError(
                f"{where}: expected {need / 1e9:,.1f} GB of disk for prepared rows, {free / 1e9:,.1f} GB are free; "
                "make room, or name a folder with more as engine.cache (--cache)"
            )
        remark = f"Needs up to {need / 1e9:,.1f} GB of disk in {where} until it ends; {free / 1e9:,.1f} GB are free"
        cached, memory = self._cached(width), free_bytes()
        if memory is not None and cached + MEMORY_OF_ROW * len(self._divided.target) > memory:
            remark += (
                f". XGBoost reads {cached / 1e9:,.1f} GB of it for each level of each tree, and {memory / 1e9:,.1f} GB "
                "of memory are free for all: the speed of the disk decides"
            )
        return remark

    def prepare(self, preparation: Preparation, wanted: Wanted, told: Told) -> Counted:
        """The second pass."""
        counted, rows = Counted(), 0
        width = preparation.width
        self._matrix = MatrixOnDisk(self._folder, self._divided, width, max(1_000, CELLS // max(width, 1)))
        for share in self._shares:
            for its, block in prepared(preparation, wanted, self._layout, share, ROWS, counted):
                self._matrix.append(share.fold[its], block)
            rows += share.piece.rows
            told(f"{rows:,} rows")
        return counted

    def fit(self, template: XGBClassifier) -> list[XGBClassifier]:
        """The boosters, one for each fold. Raises UserError where XGBoost's cache cannot be written."""
        # After an interruption the folder is gone before XGBoost lets go of the matrices, and it would warn of that.
        warnings.filterwarnings("ignore", message=r"(?s).*external memory cache file", category=UserWarning)
        try:
            fitted: list[XGBClassifier] = Parallel(n_jobs=self._together(), prefer="threads")(
                delayed(self._fit_fold)(template, fold) for fold in range(self._divided.folds)
            )
        except xgboost.core.XGBoostError as fault:
            raise UserError(
                f"{self._folder}: XGBoost could not fit there: {_line(fault)}; is the disk full?"
            ) from fault
        give_back_freed_memory()
        return fitted

    def margins(self, boosters: Sequence[XGBClassifier]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """The margins [R, k] of all rows, some at a time, with their positions [R]."""
        for fold in (*range(self._divided.folds), TEST):
            positions = self._matrix.positions(fold)
            for its, block in self._matrix.blocks(fold):
                found = Parallel(n_jobs=self._together(), prefer="threads")(
                    delayed(margin)(booster, block) for booster in boosters
                )
                yield positions[its], np.column_stack(found)

    def _together(self) -> int:
        return min(self._divided.folds, int(cpu_count()))

    def _fit_fold(self, template: XGBClassifier, fold: int) -> XGBClassifier:
        folder = self._folder / f"cache-{fold}"
        folder.mkdir()
        seen = [each for each in range(self._divided.folds) if each != fold]
        bins = template.max_bin
        rows = xgboost.ExtMemQuantileDMatrix(self._blocks(folder / "seen", seen), nthread=1, max_bin=bins)
        watched = None
        if template.early_stopping_rounds:
            unseen = self._blocks(folder / "unseen", [fold])
            watched = xgboost.ExtMemQuantileDMatrix(unseen, nthread=1, max_bin=bins, ref=rows)
        booster = grow(template, rows, watched)
        del rows, watched
        shutil.rmtree(folder)
        booster.reset()  # else it would keep what it was fitted on
        return fitted_classifier(template, booster)

    def _blocks(self, cache: Path, folds: Sequence[int]) -> "_Blocks":
        return _Blocks(cache, self._matrix, folds, self._divided.target, self._relative_weight())

    def _relative_weight(self) -> NDArray[np.float64] | None:
        weight = self._divided.weight
        return None if weight is None else weight / weight[self._divided.train].mean()


class _Blocks(xgboost.DataIter):  # type: ignore[misc]
    """The rows of some folds, block by block, as XGBoost asks for them."""

    def __init__(
        self,
        cache: Path,
        matrix: MatrixOnDisk,
        folds: Sequence[int],
        target: NDArray[np.int8],
        weight: NDArray[np.float64] | None,
    ) -> None:
        self._matrix, self._folds, self._target, self._weight = matrix, folds, target, weight
        self._iterator = self._all()
        super().__init__(cache_prefix=str(cache))

    def reset(self) -> None:
        self._iterator = self._all()

    def next(self, input_data: Callable[..., None]) -> bool:
        try:
            positions, block = next(self._iterator)
        except StopIteration:
            return False
        weight = {} if self._weight is None else {"weight": self._weight[positions]}
        input_data(data=block, label=self._target[positions], **weight)
        return True

    def _all(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        for fold in self._folds:
            positions = self._matrix.positions(fold)
            for its, block in self._matrix.blocks(fold):
                yield positions[its], block


def _line(fault: Exception) -> str:
    return str(fault).strip().splitlines()[0][:200] if str(fault).strip() else type(fault).__name__
