"""The folder that a run writes to, here or in S3: files appear in it whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from cli.errors import UserError
from storage.address import Address, is_remote
from storage.digest import sha256_of
from storage.faults import Missing
from storage.lock import try_lock
from storage.store import Store

OWN = "_lastbit"
SCRATCH = "work-"
LOCK = "lock"


class Output(Protocol):
    """Destination of the parts."""

    def scratch(self) -> Path:
        """A new folder for files that are not whole yet; of the caller, who removes it."""

    def publish(self, path: Path, name: str, sha256: str) -> None:
        """Put a whole file there under a name, over an earlier one if there is one."""

    def read(self, name: str) -> bytes | None:
        """The content of a small file, None if it does not exist."""

    def names(self) -> set[str]:
        """All files there, with their folders; not those of scratch folders, which a run removes at any moment."""

    def holds(self, name: str, sha256: str) -> bool:
        """True if the file is there with these bytes."""

    def fetch(self, name: str, path: Path) -> None:
        """Copy a file from there."""


def output_of(name: str) -> Output:
    """The output that a user calls `name`."""
    return _InS3(Address.of_prefix(name)) if is_remote(name) else _Here(Path(name))


class _Here:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scratch(self) -> Path:
        own = self._folder / OWN
        own.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=SCRATCH, dir=own))

    def publish(self, path: Path, name: str, sha256: str) -> None:
        with path.open("rb") as file:
            os.fsync(file.fileno())
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.chmod(0o644)
        path.replace(target)

    def read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def names(self) -> set[str]:
        if self._folder.exists() and not self._folder.is_dir():
            raise UserError(f"--out: expected a folder, got the file {self._folder}; name another")
        found = set()
        for place, folders, files in os.walk(self._folder):  # unlike rglob, it passes over what is removed meanwhile
            folders[:] = [name for name in folders if not name.startswith(SCRATCH)]
            found |= {(Path(place) / name).relative_to(self._folder).as_posix() for name in files}
        return found

    def holds(self, name: str, sha256: str) -> bool:
        path = self._folder / name
        return path.is_file() and sha256_of(path) == sha256

    def fetch(self, name: str, path: Path) -> None:
        shutil.copyfile(self._folder / name, path)


class _InS3:
    def __init__(self, prefix: Address) -> None:
        self._prefix, self._store = prefix, Store()

    def scratch(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="lastbit-"))

    def publish(self, path: Path, name: str, sha256: str) -> None:
        self._store.upload(path, self._prefix / name, sha256)

    def read(self, name: str) -> bytes | None:
        try:
            return self._store.read(self._prefix / name)
        except Missing as missing:
            if missing.what == "key":
                return None
            raise

    def names(self) -> set[str]:
        return {entry.key for entry in self._store.listed(self._prefix)}

    def holds(self, name: str, sha256: str) -> bool:
        try:
            found = self._store.sha256_of(self._prefix / name)
        except Missing:
            return False
        if found is None:  # copied there by something that keeps no SHA-256
            with work_folder(self) as folder:
                self.fetch(name, folder / "file")
                return sha256_of(folder / "file") == sha256
        return found == sha256

    def fetch(self, name: str, path: Path) -> None:
        self._store.download(self._prefix / name, path)


@contextmanager
def work_folder(output: Output) -> Iterator[Path]:
    """A folder for files that are not whole yet, removed in the end."""
    folder = output.scratch()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish_text(output: Output, name: str, text: str) -> str:
    """Put a text there and return its digest."""
    with work_folder(output) as folder:
        path = folder / "text"
        path.write_text(text, encoding="utf-8")
        digest = sha256_of(path)
        output.publish(path, name, digest)
    return digest


@contextmanager
def held(name: str) -> Iterator[None]:
    """Lock an output against other runs on this machine, and remove the remains of killed processes.

    Raises UserError where a living run holds it. In S3 nothing is held: two runs of the same there
    write the same bytes.
    """
    if is_remote(name):
        yield
        return
    own = Path(name) / OWN
    own.mkdir(parents=True, exist_ok=True)
    with (own / LOCK).open("ab") as file:
        if not try_lock(file):
            raise UserError(f"{name}: another run writes there; wait for it, or name another --out")
        _clean(own)
        try:
            yield
        finally:
            _clean(own)


def _clean(own: Path) -> None:
    for left in own.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
