"""Work of a cluster's worker on the rows of its shares."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import xgboost
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier, collective
from xgboost.tracker import RabitTracker

from cli.allocation import keep_freed_memory
from cli.errors import UserError
from table.in_parts import Layout
from training.estimator.boosting import grow, margin
from training.estimator.preparation import Preparation
from training.in_parts.count import Counted, Wanted, prepared
from training.in_parts.divided import Share
from training.in_parts.learn import Learnt, learn
from training.settings import Settings

ROWS = 131_072  # that are read, and prepared, at a time
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Refused:
    """A user's mistake that a worker found; an exception might lose its line and status on the way."""

    message: str
    exit_status: int


@dataclass(frozen=True)
class Rows:
    """The prepared rows [N, m] of a share in one fold, or of the test; weights have the mean 1 over training."""

    matrix: NDArray[np.float32]
    target: NDArray[np.int8]
    weight: NDArray[np.float32] | None


Prepared = tuple[Counted, dict[int, Rows]]


def _told(work: Callable[..., Answer]) -> Callable[..., Answer | Refused]:
    @wraps(work)
    def its(*arguments: Any) -> Answer | Refused:
        keep_freed_memory()
        try:
            with threadpool_limits(1, user_api="blas"):
                return work(*arguments)
        except UserError as mistake:
            return Refused(str(mistake), mistake.exit_status)

    return its


@_told
def learnt(settings: Settings, preparation: Preparation, layout: Layout, share: Share) -> Learnt:
    """The first pass over a share."""
    return learn(settings, preparation, layout, [share], ROWS)


@_told
def prepared_rows(
    preparation: Preparation, wanted: Wanted, layout: Layout, share: Share, mean_weight: float
) -> Prepared:
    """The second pass over a share: what is counted, and the rows by fold."""
    counted = Counted()
    blocks = list(prepared(preparation, wanted, layout, share, ROWS, counted))
    found = {}
    for fold in np.unique(share.fold).tolist():
        own = share.fold == fold
        matrix = np.concatenate([block[own[its]] for its, block in blocks])
        weight = None if share.weight is None else (share.weight[own] / mean_weight).astype(np.float32)
        found[fold] = Rows(matrix, share.target[own], weight)
    return counted, found


def counted_of(answer: Prepared | Refused) -> Counted | Refused:
    """Part of `prepared_rows` for the client."""
    return answer if isinstance(answer, Refused) else answer[0]


def rows_of(answer: Prepared, fold: int) -> Rows:
    """Part that stays on the worker: the rows of one fold."""
    return answer[1][fold]


def margins_of(boosters: Sequence[XGBClassifier], rows: Rows) -> NDArray[np.float32]:
    """The margin of each booster, [N, k]."""
    return np.column_stack([margin(booster, rows.matrix) for booster in boosters])


def start_tracker(workers: int, host: str) -> dict[str, Any]:
    """Start the tracker of the workers of one booster in this process; return its address."""
    tracker = RabitTracker(n_workers=workers, host_ip=host, sortby="task")
    tracker.start()
    threading.Thread(target=tracker.wait_for, daemon=True).start()
    return dict(tracker.worker_args())


def fit_fold(
    template: XGBClassifier,
    tracker: dict[str, Any],
    rank: int,
    width: int,
    seen: Sequence[Rows],
    unseen: Sequence[Rows],
) -> xgboost.Booster | None:
    """Fit one worker's part of one booster, which the first rank returns.

    Ranks follow the task id, and rows the rank, so that sums are added in one order. One thread, as in memory.
    """
    with ExitStack() as communicator:
        with _silence():  # XGBoost prints each rank on standard error at any verbosity
            communicator.enter_context(collective.CommunicatorContext(**tracker, dmlc_task_id=f"{rank:06}"))
        bins = template.max_bin
        rows = xgboost.QuantileDMatrix(_Blocks(seen, width), nthread=1, max_bin=bins)
        watched = None
        if template.early_stopping_rounds:
            watched = xgboost.QuantileDMatrix(_Blocks(unseen, width), nthread=1, max_bin=bins, ref=rows)
        booster = grow(template, rows, watched)
    return booster.reset() if rank == 0 else None


@contextmanager
def _silence() -> Iterator[None]:
    """Keep this process's standard error, of C++ too, from its terminal while the block runs."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class _Blocks(xgboost.DataIter):  # type: ignore[misc]
    """The rows of some shares; a worker without any has one block of none."""

    def __init__(self, rows: Sequence[Rows], width: int) -> None:
        nothing = Rows(np.empty((0, width), np.float32), np.empty(0, np.int8), None)
        self._rows, self._next = list(rows) or [nothing], 0
        super().__init__()

    def reset(self) -> None:
        self._next = 0

    def next(self, input_data: Callable[..., None]) -> bool:
        if self._next == len(self._rows):
            return False
        its = self._rows[self._next]
        self._next += 1
        weight = {} if its.weight is None else {"weight": its.weight}
        input_data(data=its.matrix, label=its.target, **weight)
        return True
