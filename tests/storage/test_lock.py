"""Locks: one process at a time, on Windows too."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from storage.lock import LOCKED_BYTE, try_lock


def test_a_file_is_locked_once(tmp_path: Path) -> None:
    with (tmp_path / "a").open("ab") as first, (tmp_path / "a").open("ab") as second:
        assert try_lock(first)
        assert not try_lock(second)
    with (tmp_path / "a").open("ab") as third:
        assert try_lock(third)


@pytest.mark.parametrize("content", [b"", b"some lines\n"])
def test_windows_locks_the_same_byte_however_long_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    held: set[int] = set()

    def locking(descriptor: int, mode: int, count: int) -> None:
        assert (mode, count) == (2, 1)
        place = files[descriptor].tell()
        if place in held:
            raise PermissionError(13, "Permission denied")
        held.add(place)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    path = tmp_path / "a"
    path.write_bytes(content)
    with path.open("ab", buffering=0) as first, path.open("ab", buffering=0) as second:
        files = {file.fileno(): file for file in (first, second)}
        assert try_lock(first)
        second.write(b"more\n")
        assert not try_lock(second)
    assert held == {LOCKED_BYTE}
