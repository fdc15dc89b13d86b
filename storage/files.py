"""A file that is here, or in S3; or a folder of them there."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from cli.errors import UserError
from cli.progress import Progress
from storage.address import Address, is_aside, is_remote
from storage.store import Listed, Moved, Store

NONE_LIKE_THAT = "no object has a key like that; name others"
NO_FILE = "the folder holds no file; name another"


@contextmanager
def local_file(name: str, progress: Progress) -> Iterator[Path]:
    """The path of a file that is here; one in S3 is brought here for as long as the block runs.

    An address in S3 with a slash at its end, or with signs of a pattern, gives a folder with the objects under it, each
    at the place that its key has there. Raises UserError where S3 does not give them, or has none.
    """
    if not is_remote(name):
        yield Path(name)
        return
    address = Address.of_table(name)
    with tempfile.TemporaryDirectory(prefix="lastbit-") as folder:
        path, store = Path(folder) / "file", Store()
        entries = entries_of(store, address) if address.is_several else []
        with progress.transfer(f"Downloading {name}") as moved:
            if entries:
                ways = _download(store, address.before_pattern, entries, path, moved)
            else:
                ways = {store.download(address, path, moved)}
        progress.say(f"  verified by {' or '.join(sorted(ways))}")
        yield path


def _download(store: Store, base: Address, entries: Sequence[Listed], folder: Path, moved: Moved) -> set[str]:
    """Download objects to a folder; return the check that each passed."""
    ways, before, total = set(), 0, sum(entry.size for entry in entries)

    def moved_here(done: int, _: int) -> None:
        moved(before + done, total)

    for entry in entries:
        part = folder / entry.key
        part.parent.mkdir(parents=True, exist_ok=True)
        ways.add(store.download(base / entry.key, part, moved_here))
        before += entry.size
    return ways


def entries_of(store: Store, address: Address) -> list[Listed]:
    """Objects in a folder or of a pattern, by key; empty where an object's key is the pattern itself."""
    base = address.before_pattern
    rest = address.key[len(f"{base.key}/" if base.key else "") :]
    found = []
    for entry in store.listed(base):
        if rest and entry.key == rest:
            return []
        path = PurePosixPath(entry.key)
        named = not rest or PurePosixPath("/", path).match(f"/{rest}")
        if named and not is_aside(path) and not entry.key.endswith("/"):  # what leads upwards is aside, too
            if path.is_absolute() or "//" in entry.key:
                raise UserError(
                    f"{base / entry.key}: expected a key without // and a leading /; copy it to another key"
                )
            found.append(entry)
    if not found:
        raise UserError(f"{address}: {NONE_LIKE_THAT if rest else NO_FILE}")
    return sorted(found)
