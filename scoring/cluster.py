"""The pieces of a run on a Dask cluster: the same work as in a process here, and so the same bytes.

The model goes to each worker once, by a plugin that the scheduler keeps and hands to workers that come later, or come
again. Everything else that a piece needs, the workers have to see under the same names: --data and --out in a folder
that all share, or in S3.
"""

from collections.abc import Iterator, Sequence

from cli.cluster import INSTALL, connected, line_of
from cli.errors import UserError
from scoring.marker import Marker
from scoring.messages import Fault, Message, Rows
from scoring.plan import Job, Piece

OF_BYTES = ("numpy", "onnxruntime", "pyarrow")
"""Packages that decide about the bytes of a part."""
RUN_AGAIN = "finished parts are kept; run again to resume"


class Cluster:
    """Workers of a run. Iterating gives Rows and Markers, as Processes does."""

    def __init__(self, job: Job, pieces: Sequence[Piece], address: str) -> None:
        self._job, self._pieces, self._address = job, pieces, address

    def __iter__(self) -> Iterator[Message]:
        """Raise UserError for the first fault; pieces that have begun then end on the cluster."""
        try:
            from distributed import KilledWorker, as_completed

            from scoring.dask_plugin import Model, score
        except ImportError:
            raise UserError(f"--scheduler {INSTALL}") from None
        with connected(self._address, OF_BYTES, "scoring.dask_plugin", RUN_AGAIN) as client:
            plugin = Model(self._job)
            client.register_plugin(plugin, name=plugin.name)
            keys = [f"{plugin.name}-{piece.number}" for piece in self._pieces]
            futures = client.map(score, self._pieces, [plugin.name] * len(keys), key=keys, pure=False)
            try:
                for _, message in as_completed(futures, loop=client.loop, with_results=True):
                    if isinstance(message, Fault):
                        raise message.error()
                    if not isinstance(message, Marker):  # a future that the scheduler took with it
                        raise UserError(f"{self._address}: the scheduler was lost; {RUN_AGAIN}")
                    yield Rows(message.tally.read)
                    yield message
            except KilledWorker as fault:
                raise UserError(f"{self._address}: {line_of(fault)}; out of memory? {RUN_AGAIN}") from fault
            client.unregister_worker_plugin(plugin.name)
