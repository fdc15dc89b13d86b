"""Exit status of a command, and its one line for a mistake."""

import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console

from cli.disk import in_words
from cli.errors import FAILED, UserError
from cli.words import escaped

# Where the home folder cannot be written, matplotlib says so in two lines and does without its cache.
logging.getLogger("matplotlib").setLevel(logging.ERROR)


def run(command: Callable[[], None], what_stays: str) -> int:
    """Run a command and return its exit status: 0, or 1 or 2 with one line on standard error.

    `what_stays` ends the line for an interruption or a disk that cannot be written: what is as it was before.
    """
    interruption = _Interruption()
    try:
        with interruption.seen():
            command()
    except UserError as mistake:
        _say(str(mistake))
        return mistake.exit_status
    except KeyboardInterrupt:
        _say(f"interrupted; {what_stays}")
        return FAILED
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except OSError as fault:
        _say(f"{in_words(fault)}; {what_stays}")
        return FAILED
    except MemoryError:
        _say(f"not enough memory for this table; {what_stays}")
        return FAILED
    return 0


class _Interruption:
    """Ctrl-C, also where what it interrupted made another exception of it: some modules do while they are imported."""

    def __init__(self) -> None:
        self._came = False

    @contextmanager
    def seen(self) -> Iterator[None]:
        """Raise KeyboardInterrupt in place of any exception that follows it."""
        before = signal.getsignal(signal.SIGINT)
        if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
            yield
            return
        signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield
        except Exception as fault:
            if self._came:
                raise KeyboardInterrupt from fault
            raise
        finally:
            signal.signal(signal.SIGINT, before)

    def _interrupt(self, *_: object) -> NoReturn:
        self._came = True
        raise KeyboardInterrupt


def _say(line: str) -> None:
    Console(stderr=True, soft_wrap=True, emoji=False).print(f"[bold red]error:[/] {escaped(line)}", highlight=False)
