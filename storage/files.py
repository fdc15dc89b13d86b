"""A file that is here, or in S3."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.progress import Progress
from storage.address import Address, is_remote
from storage.store import Store


@contextmanager
def local_file(name: str, progress: Progress) -> Iterator[Path]:
    """The path of a file that is here; one in S3 is brought here for as long as the block runs.

    Raises UserError where S3 does not give it.
    """
    if not is_remote(name):
        yield Path(name)
        return
    address = Address.of_object(name)
    with tempfile.TemporaryDirectory(prefix="lastbit-") as folder:
        path = Path(folder) / "file"
        with progress.transfer(f"Downloading {name}") as moved:
            checked_by = Store().download(address, path, moved)
        progress.say(f"  its bytes are those that S3 holds, by their {checked_by}")
        yield path
