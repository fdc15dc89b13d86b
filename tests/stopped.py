"""Whole commands, run to their end or stopped at any moment by any of three signals."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from storage.digest import sha256_of

ROOT = Path(__file__).parents[1]
SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM) if sys.platform != "win32" else ()


def finish(words: Sequence[object]) -> float:
    """Run a command to its end, which has to be 0; return the seconds that it took."""
    begin = time.monotonic()
    with _start(words) as process:
        _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return time.monotonic() - begin


def stop(words: Sequence[object], seed: str, seconds: float) -> None:
    """Start a command and stop it within so many seconds; where it can say something, that is one line."""
    chance = random.Random(seed)
    with _start(words) as process:
        time.sleep(chance.uniform(0.1, seconds))
        process.send_signal(sent := SIGNALS[chance.randrange(3)])
        _, err = process.communicate(timeout=60)
    assert process.returncode in (0, 1, -sent), err
    if sent == signal.SIGINT and process.returncode == 1:
        assert "Traceback" not in err


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file in a folder, by its path there."""
    return {str(path.relative_to(folder)): sha256_of(path) for path in folder.rglob("*") if path.is_file()}


def _start(words: Sequence[object]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
