"""Boosters of a saved pipeline, opened first in a process that may crash.

XGBoost reads damaged bytes without checking all of them: of 150 boosters with a few flipped bits, 33 ended the
process with a segmentation fault. So a separate process opens each booster first (`open_booster.py`), and only then
the process that needs it.
"""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from xgboost.libpath import find_lib_path

from training.artifacts import open_booster
from training.artifacts.class_paths import DESCRIPTION, objects

BOOSTER = ("xgboost.core", "Booster")
MOST_SECONDS = 120


class BoosterDamagedError(Exception):
    """A booster that cannot be opened safely: its name, and the reason."""


def try_boosters(dump: bytes) -> None:
    """Open every booster of a skops file in a separate process.

    Raises BoosterDamagedError for the first that is refused there or ends it, and zipfile.BadZipFile, KeyError or
    ValueError for what is not a skops file.
    """
    with zipfile.ZipFile(io.BytesIO(dump)) as archive:
        members = {name: archive.read(name) for name in _boosters(json.loads(archive.read(DESCRIPTION)))}
    if not members:
        return
    # Isolated: it imports the standard library only, whatever the environment adds, and so starts at once.
    command = [sys.executable, "-I", str(Path(open_booster.__file__)), find_lib_path()[0]]
    command += [str(len(content)) for content in members.values()]
    try:
        done = subprocess.run(
            command, input=b"".join(members.values()), capture_output=True, timeout=MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise BoosterDamagedError(f"its boosters were not read within {MOST_SECONDS} seconds") from None
    if done.returncode == 0:
        return
    opened = done.stdout.count(open_booster.OPENED.encode())
    name = list(members)[min(opened, len(members) - 1)]
    if done.returncode == open_booster.REFUSED:
        raise BoosterDamagedError(f"{name}: {done.stderr.decode(errors='replace')}")
    raise BoosterDamagedError(f"{name}: the process that read it crashed ({done.returncode})")


def _boosters(description: Any) -> list[str]:
    """The members of a skops file that hold the state of a booster."""
    names = set()
    for node in objects(description):
        if (node.get("__module__"), node.get("__class__")) == BOOSTER:
            names |= {state["file"] for state in objects(node) if isinstance(state.get("file"), str)}
    return sorted(names)
