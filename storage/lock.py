"""A lock on an open file, which this process holds until it ends, however it ends."""

import os
import sys
from typing import IO

# Windows locks bytes, and nobody can write to them: one that no file reaches.
LOCKED_BYTE = 2**30


def try_lock(file: IO[bytes]) -> bool:
    """Lock the file; False if another process holds it. Raises OSError where the file system has no locks."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file.fileno(), LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
