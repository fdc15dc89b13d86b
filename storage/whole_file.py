"""A file that is written whole or not at all."""

import tempfile
from pathlib import Path

from cli.errors import UserError
from storage.address import REMOTE, is_remote


def out_file(flag: str, name: str) -> Path:
    """The file that a flag names; it need not be there yet. Raises UserError where none can be."""
    if is_remote(name):
        raise UserError(f"{flag}: expected a file, got {name}; write it here and copy it to {REMOTE}")
    path = Path(name)
    if path.is_dir():
        raise UserError(f"{flag}: expected a file, got the folder {path}; name a file in it")
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a file beside `path`, then replace `path` atomically: an interruption leaves an earlier file intact."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}-", delete=False
    ) as file:
        fresh = Path(file.name)
        try:
            file.write(text)
            file.close()
            fresh.chmod(0o644)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
