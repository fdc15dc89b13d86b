"""The message for a file or folder that the system refuses: where, what is wrong, what to do."""

import errno
import os
from pathlib import Path

REASONS = {
    errno.ENOSPC: "the disk is full; make room and run again",
    errno.EROFS: "the disk is read-only; name a folder that can be written",
    errno.EDQUOT: "the disk quota is used up; make room and run again",
    errno.EFBIG: "the file exceeds the size limit of this shell; raise it (ulimit -f) and run again",
}
NO_FILES_LEFT = "the disk has room for bytes but not for one more file (no inodes); remove some files and run again"
OTHER_PERMISSIONS = "correct the permissions, or name another"
NO_PERMISSION = f"permission denied; {OTHER_PERMISSIONS}"


def in_words(fault: OSError) -> str:
    """One line about a fault, without a remedy where none is known."""
    named = fault.filename2 or fault.filename  # of two, the second is written
    path = Path(os.fsdecode(named)) if isinstance(named, str | bytes) else None
    if fault.errno == errno.EACCES:
        return NO_PERMISSION if path is None else _denied(path)
    where = f"{path}: " if path else ""
    if fault.errno == errno.ENOSPC and path and _has_no_files_left(path):
        return f"{where}{NO_FILES_LEFT}"
    return f"{where}{REASONS.get(fault.errno or 0, fault.strerror or str(fault))}"


def _denied(path: Path) -> str:
    """Name the first path that permissions deny.

    That is a file that exists and cannot be read, a folder on the way to it that cannot be entered, or a folder that
    cannot be written.
    """
    for folder in reversed(path.absolute().parents):
        if folder.is_dir() and not _may(folder, os.X_OK):
            return f"{path}: cannot be read: no permission to enter {folder}; {OTHER_PERMISSIONS}"
    if path.exists() and not _may(path, os.R_OK):
        return f"{path}: cannot be read: permission denied; {OTHER_PERMISSIONS}"
    folder = path if path.is_dir() and not _may(path, os.W_OK) else _nearest(path.absolute().parent)
    return f"{path}: cannot be written: permission denied in {folder}; name a folder that can be written"


def _may(path: Path, way: int) -> bool:
    return os.access(path, way, effective_ids=os.access in os.supports_effective_ids)


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _has_no_files_left(path: Path) -> bool:
    """True where a file system counts files and has none left, but bytes."""
    count = getattr(os, "statvfs", None)  # Windows has none
    if count is None:
        return False
    try:
        found = count(_nearest(path.absolute().parent))
    except OSError:
        return False
    return bool(found.f_files > 0 and found.f_favail == 0 and found.f_bavail > 0)
