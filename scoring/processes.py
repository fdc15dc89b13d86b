"""The pieces of a run on this machine: one process for each core; a piece whose process dies is done again.

Processes rather than threads, since each holds a session of one thread; new ones rather than forks, since onnxruntime,
Arrow and numpy have threads and locks that a fork copies as they happen to be.
"""

import os
import pickle
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from scoring.messages import Fault, Message, Rows
from scoring.plan import Job, Piece
from scoring.worker import POOLS

TRIES = 3
CODE = "from scoring.worker import main; main()"
ITS_OWN_END = 5.0  # seconds that a process whose pipe is closed has to end by itself
ROOT = Path(__file__).parents[1]


class _Died(Exception):  # noqa: N818
    """A process ended in the middle of a piece."""


class _Worker:
    def __init__(self, job: Job) -> None:
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": paths, **dict.fromkeys(POOLS, "1")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self._send(job)

    def answers(self, piece: Piece) -> Iterator[Message | Fault]:
        """Yield its messages on a piece until the piece is done. Raises _Died."""
        self._send(piece)
        while True:
            try:
                assert self.process.stdout is not None
                message: Message | Fault = pickle.load(self.process.stdout)
            except (EOFError, OSError, pickle.UnpicklingError):
                raise _Died from None
            yield message
            if not isinstance(message, Rows):
                return

    def _send(self, content: object) -> None:
        try:
            assert self.process.stdin is not None
            pickle.dump(content, self.process.stdin)
            self.process.stdin.flush()
        except OSError:  # it has ended; its last words, or none, are read next
            pass

    def end(self, patience: float = 0.0) -> int:
        """End it, whatever it does, and return its exit status."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                assert pipe is not None
                pipe.close()
            except OSError:  # what was not sent is not needed
                pass
        return self.process.wait()


class Processes:
    """Workers of a run. Iterating gives Rows and Markers of all of them as they come."""

    def __init__(self, job: Job, pieces: Sequence[Piece], workers: int) -> None:
        self._job = job
        self._left = deque(pieces)
        self._came: queue.Queue[Message | Fault | None] = queue.Queue()
        self._alive: set[_Worker] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._threads = [threading.Thread(target=self._drive, daemon=True) for _ in range(min(workers, len(pieces)))]

    def __iter__(self) -> Iterator[Message]:
        """Raise UserError for the first fault, once all workers are ended."""
        for thread in self._threads:
            thread.start()
        busy = len(self._threads)
        try:
            while busy:
                message = self._came.get()
                if isinstance(message, Fault):
                    raise message.error()
                if message is None:  # a thread has no piece left
                    busy -= 1
                else:
                    yield message
        finally:
            self._stop()

    def _drive(self) -> None:
        worker: _Worker | None = None
        try:
            while (piece := self._next()) is not None:
                for attempt in range(1, TRIES + 1):
                    worker = worker or self._start()
                    read = 0
                    try:
                        for message in worker.answers(piece):
                            read += message.count if isinstance(message, Rows) else 0
                            self._came.put(message)
                        break
                    except _Died:
                        if self._stopped:
                            return
                        status = self._end(worker, ITS_OWN_END)
                        worker = None
                        self._came.put(Rows(-read))
                        if attempt == TRIES:
                            self._came.put(Fault(self._told(piece, status)))
            self._came.put(None)
        except Exception as fault:  # in a thread nobody else would hear of it
            self._came.put(Fault(f"a worker cannot be run: {fault}"))
        finally:
            if worker is not None:
                self._end(worker)

    def _told(self, piece: Piece, status: int) -> str:
        how = f"by signal {-status}" if status < 0 else f"with exit status {status}"
        hint = "; out of memory? run with fewer --workers" if status == -9 else ""
        where = f"{self._job.files[piece.file].name}: {piece.part}"
        return f"{where}: its process ended {TRIES} times, the last one {how}{hint}; finished parts are kept, run again"

    def _next(self) -> Piece | None:
        with self._lock:
            return self._left.popleft() if self._left and not self._stopped else None

    def _start(self) -> _Worker:
        with self._lock:
            worker = _Worker(self._job)
            self._alive.add(worker)
            if self._stopped:  # _stop has been here already
                worker.process.kill()
        return worker

    def _end(self, worker: _Worker, patience: float = 0.0) -> int:
        with self._lock:
            self._alive.discard(worker)
        return worker.end(patience)

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            left = list(self._alive)
        for worker in left:
            worker.process.kill()
        for thread in self._threads:
            thread.join()
