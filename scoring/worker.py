"""A process of a run: takes pieces from its parent, one at a time, and says how far it is.

Both ways are pickles over pipes, which only parent and child hold. When the parent is gone the child ends at once.
"""

import os
import pickle
import signal
import sys
import threading
from typing import IO, Any

from cli.disk import in_words
from cli.errors import FAILED, UserError

POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_IO_THREADS")


def serve(source: IO[bytes], answers: IO[bytes]) -> None:
    """Answers each piece with ("rows", n) as it goes on and ("done", marker), or ("fault", line, status), the end."""

    def say(*message: Any) -> None:
        pickle.dump(message, answers)
        answers.flush()

    try:
        from scoring.part import Parts  # here, so that a fault of these too is told

        parts = Parts(pickle.load(source))
        while (piece := pickle.load(source)) is not None:
            say("done", parts.score(piece, lambda rows: say("rows", rows)))
            piece = None
    except EOFError:
        return
    except UserError as mistake:
        say("fault", str(mistake), mistake.exit_status)
    except OSError as fault:
        say("fault", in_words(fault), FAILED)
    except MemoryError:
        say("fault", "not enough memory for a batch; run with fewer --workers", FAILED)


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
