"""Buckets and objects for the tests of single objects."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.errors import FAILED, UserError
from storage.address import Address
from storage.store import CHUNK, Store
from tests.storage.conftest import Bucket

CONTENT = os.urandom(3 * CHUNK + 17)


def at(bucket: Bucket, key: str = "loans/table.csv") -> Address:
    return Address(bucket.name, key)


def fetched(bucket: Bucket, folder: Path, key: str = "loans/table.csv") -> tuple[str, bytes]:
    checked_by = Store().download(at(bucket, key), folder / "file")
    return checked_by, (folder / "file").read_bytes()


def told(action: Callable[[], object], kind: type[UserError] = UserError) -> str:
    with pytest.raises(UserError) as caught:
        action()
    assert type(caught.value) is kind
    assert caught.value.exit_status == FAILED
    return str(caught.value)
