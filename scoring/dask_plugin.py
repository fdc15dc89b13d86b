"""What a Dask worker holds of a run: the model, and the scorer that is made of it with the first piece."""

import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from distributed import WorkerPlugin, get_worker

from scoring.marker import Marker
from scoring.messages import Fault, answer
from scoring.plan import Job, Piece


class Model(WorkerPlugin):  # type: ignore[misc]  # Dask ships no types
    """A plugin of Dask workers: the files of a model, and the scorer that is made of them with the first piece."""

    def __init__(self, job: Job) -> None:
        self.name = f"lastbit-{job.digest}"
        self._job = job
        self._files = {path.name: path.read_bytes() for path in Path(job.model).iterdir() if path.is_file()}

    def setup(self, worker: Any) -> None:
        """Writes the model where the worker keeps its own files."""
        self._folder = tempfile.TemporaryDirectory(prefix="lastbit-", dir=worker.local_directory)
        for name, content in self._files.items():
            Path(self._folder.name, name).write_bytes(content)
        self._lock = threading.Lock()
        self._parts: Any = None

    def teardown(self, worker: Any) -> None:
        """Ends the scorer, and removes the model."""
        with self._lock:
            self._parts = None
        self._folder.cleanup()

    def score(self, piece: Piece) -> Marker | Fault:
        """The marker of a piece that is scored and published, or the fault."""
        with self._lock:  # one session a process, whatever threads Dask gave it
            return answer(lambda: self._made().score(piece, lambda rows: None))

    def _made(self) -> Any:
        if self._parts is None:
            from scoring.part import Parts

            self._parts = Parts(replace(self._job, model=self._folder.name))
        return self._parts


def score(piece: Piece, name: str) -> Marker | Fault:
    """The task of a piece: asks the worker's plugin of this name."""
    scored: Marker | Fault = get_worker().plugins[name].score(piece)
    return scored
