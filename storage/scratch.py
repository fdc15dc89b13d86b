"""Folders beside an output in which it is made: a living run holds each, and the next run cleans the others."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

OLD = "old-"  # the last good one, for as long as two renames take where there is no exchange
A_DAY = 86_400  # seconds; where no lock says which run is alive, none takes longer


@contextmanager
def scratch_beside(target: Path) -> Iterator[Path]:
    """A new folder beside `target`, removed in the end; a run that is killed loses its hold on it at once."""
    fresh, hold = _held(target)
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if hold is not None:
            os.close(hold)


def clean_beside(target: Path) -> None:
    """Remove scratch folders of killed runs beside `target`, after restoring the last good one.

    Only a run without an exchange of folders can have left `target` without a name, between its two renames.
    """
    leftovers = [path for path in target.parent.iterdir() if _pattern(target).fullmatch(path.name)]
    old = [path for path in leftovers if path.name.startswith(_prefix(target) + OLD)]
    if old and not os.path.lexists(target):
        max(old, key=lambda path: path.stat().st_mtime).rename(target)
    for path in leftovers:
        _remove_abandoned(path)


def name_for_old(target: Path) -> Path:
    """An empty folder beside `target` that the last good one can be renamed to."""
    return Path(tempfile.mkdtemp(prefix=_prefix(target) + OLD, dir=target.parent))


def _held(target: Path) -> tuple[Path, int | None]:
    while True:
        fresh = Path(tempfile.mkdtemp(prefix=_prefix(target), dir=target.parent))
        if fcntl is None:
            return fresh, None
        hold = os.open(fresh, os.O_RDONLY)
        fcntl.flock(hold, fcntl.LOCK_EX)
        if fresh.exists():  # else another run has cleaned it before it was held
            return fresh, hold
        os.close(hold)


def _remove_abandoned(path: Path) -> None:
    """Remove a folder that no living run holds."""
    try:
        if fcntl is None:
            if time.time() - path.stat().st_mtime > A_DAY:
                shutil.rmtree(path, ignore_errors=True)
            return
        hold = os.open(path, os.O_RDONLY)
    except OSError:  # gone by now, or another user's
        return
    try:
        fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        return
    finally:
        os.close(hold)


def _prefix(target: Path) -> str:
    return f".{target.name}.lastbit-"


def _pattern(target: Path) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(_prefix(target))}(?:{OLD})?\w{{8}}")
