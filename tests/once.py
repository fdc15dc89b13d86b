"""Things that every process of one run of the suite shares, such as a model: the first that needs one makes it."""

import os
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from storage.lock import try_lock

T = TypeVar("T")


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> tuple[Path, T]:
    """Folder that `make` fills, which no test may change, and what `make` returned, which is pickled.

    Another process that needs the same name waits until it is whole.
    """
    base = factory.getbasetemp()  # with pytest-xdist: a folder of this process in that of the run
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    shared.mkdir(exist_ok=True)
    folder, made = shared / name, shared / f"{name}.pickle"
    with (shared / f"{name}.lock").open("ab") as lock:
        while not try_lock(lock):
            time.sleep(0.05)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a failure left
            folder.mkdir()
            content = pickle.dumps(make(folder))
            made.write_bytes(content)
    return folder, pickle.loads(made.read_bytes())
