"""A process of a run: it takes pieces from its parent, one at a time, and reports its progress.

Both ways are pickles over pipes, which only parent and child hold. When the parent is gone the child ends at once.
"""

import os
import pickle
import signal
import sys
import threading
from functools import partial
from typing import IO, Any

from cli.errors import FAILED
from scoring.messages import Fault, Message, Rows, answer

POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_IO_THREADS")


def serve(source: IO[bytes], answers: IO[bytes]) -> None:
    """Answer each piece with Rows while it works, and in the end with its Marker; a Fault is the last answer."""

    def say(message: Message | Fault) -> None:
        pickle.dump(message, answers)
        answers.flush()

    def made() -> Any:
        from scoring.part import Parts  # here, so that a fault of its imports is answered too

        return Parts(pickle.load(source))

    try:
        parts = answer(made)
        if isinstance(parts, Fault):
            say(parts)
            return
        while True:
            piece = pickle.load(source)
            done = answer(partial(parts.score, piece, lambda rows: say(Rows(rows))))
            say(done)
            if isinstance(done, Fault):
                return
    except EOFError:
        return


def main() -> None:
    """Serve on standard input and output until there is no more to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    parent = os.getppid()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        serve(sys.stdin.buffer, answers)
    except BrokenPipeError:  # the parent has ended, and the answers that wait cannot be written either
        os._exit(FAILED)


def _end_with(parent: int) -> None:
    """End this process when its parent has ended, in the middle of a piece too."""
    alone = threading.Event()
    while os.getppid() == parent:
        alone.wait(0.5)
    os._exit(FAILED)
