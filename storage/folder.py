"""A folder that is written whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.errors import UserError


@contextmanager
def replaced_folder(target: Path, marker: str) -> Iterator[Path]:
    """A new folder beside `target` that takes its place if the block ends without an exception.

    Whatever stops the block (an error, Ctrl-C, a full disk), `target` stays as it was. A folder that is there
    already is only replaced if it is empty or holds the file `marker`, as the ones that this project wrote do.
    """
    if target.exists() and not target.is_dir():
        raise UserError(f"{target}: expected a folder, got a file; name another with --out")
    if target.exists() and any(target.iterdir()) and not (target / marker).exists():
        raise UserError(
            f"{target}: expected a new folder or one of an earlier run (with {marker}), found other files; "
            "name another with --out"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        fresh.chmod(0o755)
        yield fresh
        if target.exists():
            _swap(fresh, target)
        else:
            fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _swap(fresh: Path, target: Path) -> None:
    """Puts `fresh` in `target`'s place and the old one in `fresh`'s; the old one goes back if that fails."""
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.rename(old)
    try:
        fresh.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
