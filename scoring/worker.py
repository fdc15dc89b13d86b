"""A process of a run: takes pieces from its parent, one at a time, and says how far it is.

Both ways are pickles over pipes, which only parent and child hold. When the parent is gone the child ends at once.
"""

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import IO, Any

from cli.disk import in_words
from cli.errors import FAILED, UserError

POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_IO_THREADS")


def answer(action: Callable[[], Any]) -> tuple[Any, ...]:
    """("done", what the action returns), or ("fault", line, status) for what goes wrong."""
    try:
        return "done", action()
    except UserError as mistake:
        return "fault", str(mistake), mistake.exit_status
    except OSError as fault:
        return "fault", in_words(fault), FAILED
    except MemoryError:
        return "fault", "not enough memory for a batch; run with fewer --workers", FAILED


def serve(source: IO[bytes], answers: IO[bytes]) -> None:
    """Answers each piece with ("rows", n) while it works, and in the end as `answer` does; a fault is the last."""

    def say(*message: Any) -> None:
        pickle.dump(message, answers)
        answers.flush()

    def made() -> Any:
        from scoring.part import Parts  # here, so that a fault of these too is told

        return Parts(pickle.load(source))

    try:
        kind, *made_or_fault = answer(made)
        if kind == "fault":
            say(kind, *made_or_fault)
            return
        [parts] = made_or_fault
        while kind == "done":
            piece = pickle.load(source)
            kind, *content = answer(partial(parts.score, piece, partial(say, "rows")))
            say(kind, *content)
    except EOFError:
        return


def main() -> None:
    """Serves on standard input and output until there is no more to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    parent = os.getppid()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    serve(sys.stdin.buffer, answers)


def _end_with(parent: int) -> None:
    """Ends this process when its parent has ended, in the middle of a piece too."""
    alone = threading.Event()
    while os.getppid() == parent:
        alone.wait(0.5)
    os._exit(FAILED)
