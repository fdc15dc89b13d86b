"""Ctrl-C, SIGTERM and, on Windows, Ctrl-Break."""

import signal
from collections.abc import Callable

SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGBREAK] if hasattr(signal, "SIGBREAK") else [])]


def on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` at each of these signals.

    uvicorn has handlers of its own while it serves, and raises the signals that it caught again afterwards, for these.
    """
    for number in SIGNALS:
        signal.signal(number, lambda *_: stop())
