"""Boosters on the workers of a Dask cluster, each of which keeps the prepared rows of its shares in memory.

Dask runs the tasks; boosters are fitted by XGBoost's own communicator, which xgboost.dask uses too. But xgboost.dask
lets Dask place rows on workers, and move them (dmlc/xgboost #7544, #7927, #8701, #10853). Here each share stays on the
worker that was chosen for it, in an order that depends only on the number of workers, so that a run gives the same bits
again.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from xgboost import XGBClassifier

from cli.cluster import INSTALL, connected, quiet
from cli.errors import UserError
from training.estimator.boosting import fitted_classifier
from training.estimator.preparation import Preparation
from training.in_parts import worker
from training.in_parts.count import Counted, Wanted
from training.in_parts.divided import Divided
from training.in_parts.external import Told
from training.in_parts.learn import Learnt
from training.in_parts.worker import Refused
from training.settings import Settings

OF_BITS = ("numpy", "pandas", "pyarrow", "sklearn", "xgboost")
"""Packages that decide on a bit."""
MOST_ROWS = 1_000_000  # of a share
SHARES = 4  # of a worker at least, where row groups allow
UNBALANCED = 1.25  # rows of a worker, as a multiple of the mean, from which that is said
SENT = "training.in_parts.worker"  # whose functions run on the workers
PATIENCE = 1.0  # seconds between two looks at whether all workers are there
WHAT_STAYS = "the last good artifacts are as they were"
Key = tuple[int, int]
"""A share and a fold."""


class Cluster:
    """Shares are pinned to workers, by rank: the place of a worker's address among all addresses."""

    name = "Dask"

    def __init__(self, settings: Settings, divided: Divided, client: Any, address: str) -> None:
        self._settings, self._divided, self._client, self._address = settings, divided, client, address
        self._workers = sorted(client.nthreads())
        most = -(-divided.source.layout.rows // (SHARES * len(self._workers)))
        self._shares = [share for share in divided.shares(min(most, MOST_ROWS)) if share.kept.any()]
        self._rank = ranks_of([len(share.target) for share in self._shares], len(self._workers))
        self._run, self._width = uuid4().hex[:8], 0
        self._rows: dict[Key, Any] = {}

    def learn(self, preparation: Preparation, told: Told) -> Learnt:
        """The first pass."""
        layout, found = self._divided.source.layout, Learnt()
        futures = {
            number: self._submit(number, worker.learnt, self._settings, preparation, layout, share)
            for number, share in enumerate(self._shares)
        }
        for learnt in self._answers(list(futures.values()), told):
            found.add(learnt)
        return found

    def refuse_small_room(self, width: int) -> str:
        """Remark on the workers' memory, which Dask guards, and on the balance of rows."""
        of_worker = np.bincount(self._rank, [len(share.target) for share in self._shares], minlength=len(self._workers))
        largest = float(of_worker.max())
        need = largest * width * 4 * 2  # the rows, and their bins beside them
        said = f"{len(self._workers)} workers, up to {largest:,.0f} rows and about {need / 1e9:,.1f} GB on each"
        if largest > UNBALANCED * of_worker.mean():
            said += "; row groups are too large to divide them evenly: write smaller ones"
        return said

    def prepare(self, preparation: Preparation, wanted: Wanted, told: Told) -> Counted:
        """The second pass."""
        weight, layout = self._divided.weight, self._divided.source.layout
        mean = 1.0 if weight is None else float(weight[self._divided.train].mean())
        self._width = preparation.width
        counts = []
        for number, share in enumerate(self._shares):
            its = self._submit(number, worker.prepared_rows, preparation, wanted, layout, share, mean)
            counts.append(self._submit(number, worker.counted_of, its))
            for fold in np.unique(share.fold).tolist():
                self._rows[number, fold] = self._submit(number, worker.rows_of, its, fold)
        counted = Counted()
        for found in self._answers(counts, told):
            counted.add(found)
        self._wait(list(self._rows.values()))
        return counted

    def fit(self, template: XGBClassifier) -> list[XGBClassifier]:
        """The boosters, one after the other, each by all workers. Raises UserError where a worker is lost."""
        from distributed import MultiLock

        fitted = []
        with MultiLock(self._workers, client=self._client):  # two runs would wait for each other's workers
            for fold in range(self._divided.folds):
                [tracker] = self._client.run(
                    worker.start_tracker, len(self._workers), _host(self._workers[0]), workers=self._workers[:1]
                ).values()
                seen = [each for each in range(self._divided.folds) if each != fold]
                futures = [
                    self._on(
                        rank,
                        worker.fit_fold,
                        template,
                        tracker,
                        rank,
                        self._width,
                        self._of_rank(rank, seen),
                        self._of_rank(rank, [fold] if template.early_stopping_rounds else []),
                    )
                    for rank in range(len(self._workers))
                ]
                self._wait(futures)
                fitted.append(fitted_classifier(template, futures[0].result()))
        return fitted

    def margins(self, boosters: Sequence[XGBClassifier]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """The margins [R, k] of all rows, by share and fold, with their positions [R]: one task each, no collection."""
        [sent] = self._client.scatter([list(boosters)], broadcast=True)
        futures = {key: self._submit(key[0], worker.margins_of, sent, rows) for key, rows in self._rows.items()}
        for (number, fold), future in futures.items():
            self._wait([future])
            share = self._shares[number]
            yield share.first + np.flatnonzero(share.fold == fold), future.result()

    def _of_rank(self, rank: int, folds: Sequence[int]) -> list[Any]:
        own = [number for number, its in enumerate(self._rank) if its == rank]
        return [self._rows[key] for fold in folds for number in own if (key := (number, fold)) in self._rows]

    def _submit(self, number: int, work: Any, *arguments: Any) -> Any:
        """A task on the worker of a share."""
        return self._on(self._rank[number], work, *arguments)

    def _on(self, rank: int, work: Any, *arguments: Any) -> Any:
        key = f"lastbit-{self._run}-{work.__name__}-{uuid4().hex[:12]}"
        place = self._workers[rank]
        return self._client.submit(work, *arguments, key=key, workers=[place], allow_other_workers=False, pure=False)

    def _answers(self, futures: list[Any], told: Told) -> Iterator[Any]:
        """Results in the order of the futures; raises UserError for the first that a worker refused."""
        for done, future in enumerate(futures, 1):
            self._wait([future])
            answer = future.result()
            if isinstance(answer, Refused):
                raise UserError(answer.message, answer.exit_status)
            told(f"part {done:,} of {len(futures):,}")
            yield answer

    def _wait(self, futures: Sequence[Any]) -> None:
        """Return when all are done. Raises UserError when a worker is gone, whose rows went with it."""
        from distributed import wait

        while True:
            try:
                wait(list(futures), timeout=PATIENCE)
            except TimeoutError:
                lost = set(self._workers) - set(self._client.nthreads())
                if lost:
                    raise UserError(
                        f"{self._address}: worker {sorted(lost)[0]} was lost, and its rows with it; {WHAT_STAYS}; "
                        "run again"
                    ) from None
            else:
                return


def ranks_of(rows: Sequence[int], workers: int) -> list[int]:
    """The worker of each share, so that all have about as many rows: the largest first, each to who has least."""
    heap = [(0, rank) for rank in range(workers)]
    found = [0] * len(rows)
    for number in sorted(range(len(rows)), key=lambda each: (-rows[each], each)):
        least, rank = heapq.heappop(heap)
        found[number] = rank
        heapq.heappush(heap, (least + rows[number], rank))
    return found


@contextmanager
def cluster_of(settings: Settings, divided: Divided, folder: Path) -> Iterator[Cluster]:
    """The cluster of the settings; one on this machine keeps what it spills in `folder`, and ends with the block."""
    engine = settings.engine
    if engine.scheduler is not None:
        with connected(engine.scheduler, OF_BITS, SENT, WHAT_STAYS) as client:
            yield Cluster(settings, divided, client, engine.scheduler)
        return
    try:
        from distributed import LocalCluster
    except ImportError:
        raise UserError(f"--workers {INSTALL}") from None
    quiet()
    options: Mapping[str, Any] = {
        "n_workers": engine.workers,
        "threads_per_worker": 1,
        "host": "127.0.0.1",
        "dashboard_address": None,
        # Dask serves HTTP even so, and warns where another cluster has the usual port.
        "scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"},
        "local_directory": str(folder),
        "silence_logs": 60,
    }
    with LocalCluster(**options) as local, connected(local.scheduler_address, OF_BITS, SENT, WHAT_STAYS) as client:
        client.wait_for_workers(engine.workers or 1)
        yield Cluster(settings, divided, client, local.scheduler_address)


def _host(address: str) -> str:
    return str(urlsplit(address).hostname)
