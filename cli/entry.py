"""The start of every command: its imports take seconds, and Ctrl-C during them ends the command in one line, too.

A command's module calls `start` above its own imports:

    if __name__ == "__main__":
        from cli.entry import start

        start("training.run")

Only the standard library is imported here.
"""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import NoReturn

from cli.errors import FAILED
from cli.lean_imports import STATISTICS, loaded_later

NOTHING_CHANGED = "error: interrupted; nothing was changed\n"
WHOLE = "error: interrupted; the output is whole, either as it was or new\n"
# XGBoost builds docstrings from docstrings while it is imported.
WITHOUT_DOCSTRINGS = (
    "error: PYTHONOPTIMIZE=2 (python -OO): XGBoost and others expect docstrings, got none; unset it, or set it to 1\n"
)
# These read or write a pipeline. While it is imported, skops looks for 230 functions of scipy.special in all modules,
# in the order of their import: it finds them at once if theirs comes first.
WITH_PIPELINES = frozenset({"training.run", "training.recalibrate", "export.to_onnx", "export.verify"})


def start(module: str) -> NoReturn:
    """Import a command's module, call its `main` and end the process with its exit status."""
    # Where Ctrl-C is ignored, as in the background of a script, it stays so.
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_ours:
        signal.signal(signal.SIGINT, _end)
    try:
        with loaded_later(STATISTICS), _uncollected():
            if module in WITH_PIPELINES:
                import_module("scipy.special")
            main = import_module(module).main
    except Exception:
        if sys.flags.optimize < 2:
            raise
        sys.stderr.write(WITHOUT_DOCSTRINGS)
        sys.exit(FAILED)
    try:
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        status = main()
    except KeyboardInterrupt:  # before or after that part of a command which has a line of its own for it
        sys.stderr.write(WHOLE)
        status = FAILED
    finally:
        if is_ours:  # the result is known, and the interpreter's own end has no line for an interruption
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        gc.freeze()  # the system takes everything back; to look for garbage first takes half a second
    sys.exit(status)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage among the modules that the block imports, neither while it does nor later."""
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_on:
            gc.enable()


def _end(*_: object) -> NoReturn:
    """End the process at once: an import may swallow KeyboardInterrupt or raise another error for it."""
    os.write(sys.stderr.fileno(), NOTHING_CHANGED.encode())
    os._exit(FAILED)


# The commands of an installed lastbit, by the names that pyproject.toml has for them.
ask = partial(start, "local.ask")
draft = partial(start, "training.draft")
explore = partial(start, "training.explore")
recalibrate = partial(start, "training.recalibrate")
export = partial(start, "export.to_onnx")
local = partial(start, "local.serve")
package = partial(start, "export.package")
registry = partial(start, "export.registry.__main__")
score = partial(start, "scoring.run")
train = partial(start, "training.run")
validate = partial(start, "validation.run")
verify = partial(start, "export.verify")
