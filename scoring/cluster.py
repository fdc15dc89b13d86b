"""The pieces of a run on a Dask cluster: the same work as in a process here, and so the same bytes.

The model goes to each worker once, by a plugin that the scheduler keeps and hands to workers that come later, or come
again. Everything else that a piece needs, the workers have to see under the same names: --data and --out in a folder
that all share, or in S3.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.errors import FAILED, UserError
from scoring.marker import Marker
from scoring.messages import Fault, Message, Rows
from scoring.plan import Job, Piece

SECONDS = 20  # until a scheduler answers, and until it has a worker
DASK = ("dask", "distributed")
OF_BYTES = ("numpy", "onnxruntime", "pyarrow")
"""Packages that decide about the bytes of a part."""
RUN_AGAIN = "finished parts are kept; run again to resume"


class Cluster:
    """Workers of a run. Iterating gives Rows and Markers, as Processes does."""

    def __init__(self, job: Job, pieces: Sequence[Piece], address: str) -> None:
        self._job, self._pieces, self._address = job, pieces, address

    def __iter__(self) -> Iterator[Message]:
        """Raises UserError for the first fault; pieces that have begun then end on the cluster."""
        try:
            from distributed import Client, KilledWorker, as_completed

            from scoring.dask_plugin import Model, score
        except ImportError:
            raise UserError('--scheduler needs Dask, which is not installed; pip install "lastbit[dask]"') from None
        _quiet()
        try:
            with Client(self._address, timeout=SECONDS, set_as_default=False) as client:
                refuse_versions(self._address, _versions(self._address, client))
                plugin = Model(self._job)
                client.register_plugin(plugin, name=plugin.name)
                keys = [f"{plugin.name}-{piece.number}" for piece in self._pieces]
                futures = client.map(score, self._pieces, [plugin.name] * len(keys), key=keys, pure=False)
                for _, message in as_completed(futures, loop=client.loop, with_results=True):
                    if isinstance(message, Fault):
                        raise message.error()
                    if not isinstance(message, Marker):  # a future that the scheduler took with it
                        raise UserError(f"{self._address}: the scheduler is gone; {RUN_AGAIN}")
                    yield Rows(message.tally.read)
                    yield message
                client.unregister_worker_plugin(plugin.name)
        except KilledWorker as fault:
            raise UserError(f"{self._address}: {_line(fault)}; out of memory? {RUN_AGAIN}") from fault
        except (OSError, TimeoutError, ValueError) as fault:
            raise UserError(f"{self._address}: no Dask scheduler answers there: {_line(fault)}; {RUN_AGAIN}") from fault
        except UserError:
            raise
        except Exception as fault:  # Dask raises whatever the workers did, and classes of its own
            raise UserError(f"{self._address}: {type(fault).__name__}: {_line(fault)}; {RUN_AGAIN}") from fault


def refuse_versions(address: str, versions: Mapping[str, Any]) -> None:
    """Raises UserError for a scheduler or a worker with another Dask, or a worker that would write other bytes.

    `versions` is what distributed's Client.get_versions returns.
    """
    here = versions["client"]["packages"]
    if not versions["workers"]:
        raise UserError(f"{address}: the scheduler has no workers; start some (dask worker {address})")
    others: list[tuple[str, Any, tuple[str, ...]]] = [("the scheduler", versions["scheduler"], DASK)]
    others += [(f"worker {name}", its, (*DASK, *OF_BYTES)) for name, its in versions["workers"].items()]
    for who, its, packages in others:
        for package in packages:
            if (found := its["packages"].get(package)) != here[package]:
                problem = f"expected {package} {here[package]}, as here, got {found or 'none'}"
                raise UserError(f"{address}: {who}: {problem}; install the same version on all", FAILED)


def _quiet() -> None:
    """What is wrong is said in one line; a worker that is lost is no fault, since its pieces go to others."""
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":  # Dask gives some of them a level of their own
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _versions(address: str, client: Any) -> Mapping[str, Any]:
    try:
        client.wait_for_workers(1, timeout=SECONDS)
    except TimeoutError:
        raise UserError(f"{address}: the scheduler has no workers; start some (dask worker {address})") from None
    found: Mapping[str, Any] = client.get_versions(packages=list(OF_BYTES))
    return found


def _line(fault: BaseException) -> str:
    return " ".join(str(fault).split()).rstrip(".") or type(fault).__name__
