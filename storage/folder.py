"""A folder that is written whole or not at all."""

import errno
import os
import shutil
import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.errors import UserError
from storage.exchange import exchange
from storage.scratch import clean_beside, name_for_old, scratch_beside

PROBE = ".probe"


@contextmanager
def replaced_folder(target: Path, marker: str, owned: Collection[str] = ()) -> Iterator[Path]:
    """A new folder beside `target` that replaces it atomically if the block ends without an exception.

    Whatever stops the block (an error, Ctrl-C, a kill, a full disk), `target` stays as it was, and the next run cleans
    up. A folder that is there already is only replaced if it is empty or holds the file `marker`, as the ones that
    this project wrote do; one that cannot be replaced is refused before the block begins. With `owned`, only the
    entries with these names are replaced, together; the others are carried over.
    """
    named, target = target, Path(os.path.realpath(target))  # a link stays one: the folder that it names is replaced
    if target.exists() and not target.is_dir():
        raise UserError(f"{named}: expected a folder, got a file; name another with --out")
    if target.exists() and Path.cwd().is_relative_to(target):
        raise UserError(f"{named}: is the current folder, which cannot be replaced as a whole; {_inside(named)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    clean_beside(target)
    there = target.exists() and [path.name for path in target.iterdir() if not owned or path.name in owned]
    if there and not (target / marker).exists():
        raise UserError(
            f"{named}: expected a new folder or one of an earlier run (with {marker}), found other files; "
            "name another with --out"
        )
    with scratch_beside(target) as fresh:
        _refuse_irreplaceable(named, target, fresh)
        fresh.chmod(0o755)
        yield fresh
        if owned and target.exists():
            _carry_over(target, fresh, owned)
        _sync(fresh)
        with _no_interruption():
            _replace(fresh, target)


def _refuse_irreplaceable(named: Path, target: Path, fresh: Path) -> None:
    """Raise UserError for a folder that cannot be renamed; the check changes nothing.

    No folder may be renamed to one that holds a file. Before the system says so, it says that the folder is a mount
    point or another user's.
    """
    if not target.exists():
        return
    probe = fresh / PROBE
    probe.touch()
    try:
        target.rename(fresh)
    except OSError as fault:
        if fault.errno in (errno.EBUSY, errno.EXDEV):
            raise UserError(
                f"{named}: is a mount point, which cannot be replaced as a whole; {_inside(named)}"
            ) from None
        if fault.errno in (errno.EPERM, errno.EACCES) and os.name != "nt":
            raise UserError(
                f"{named}: belongs to another user and cannot be replaced; name another with --out"
            ) from None
    finally:
        probe.unlink(missing_ok=True)


def _inside(named: Path) -> str:
    return f"name a folder in it (--out {named / 'lastbit'})"


def _carry_over(target: Path, fresh: Path, owned: Collection[str]) -> None:
    for path in target.iterdir():
        if path.name in owned:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, fresh / path.name, symlinks=True)
        else:
            shutil.copy2(path, fresh / path.name, follow_symlinks=False)


def _replace(fresh: Path, target: Path) -> None:
    """Exchange `fresh` and `target`, if there is one."""
    if not target.exists():
        fresh.rename(target)
    elif not exchange(fresh, target):
        old = name_for_old(target)
        target.rename(old)
        try:
            fresh.rename(target)
        except BaseException:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    _sync_folder(target.parent)


def _sync(folder: Path) -> None:
    """Flush a folder to the disk, so that no power cut leaves a new name with half of the content."""
    for place, _, files in os.walk(folder):
        for name in files:
            path = Path(place, name)
            if not path.is_symlink():
                with path.open("rb") as file:
                    _sync_file(file.fileno())
        _sync_folder(Path(place))


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # which opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _sync_file(descriptor)
    finally:
        os.close(descriptor)


def _sync_file(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as fault:
        if fault.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):  # some file systems know no fsync
            raise


@contextmanager
def _no_interruption() -> Iterator[None]:
    """Ignore Ctrl-C while the block runs: the work is done, and the message would say otherwise."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
