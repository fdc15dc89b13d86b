"""The size of what is deployed."""

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.deployed import lastbit, peer
from benchmarks.report import Row


def measure() -> Iterator[Row]:
    """In MB of 10⁶ bytes, with bytecode and the model."""
    task = lastbit().folder
    archive = task.with_name("lambda.zip")
    version, processor = f"Python {sys.version_info[0]}.{sys.version_info[1]}", platform.machine()
    yield Row(
        f"Lambda package ({version}, {processor}), zipped, MB", f"{archive.stat().st_size / 1e6:.1f}", "≤ 29", "zip"
    )
    yield Row("the same, unzipped, MB", f"{_size(task):.1f}", "≤ 85", "unzipped")
    yield Row("— the FastAPI handler with all that it needs, unzipped, MB", f"{_size(peer().folder):.0f}", "", "peer")


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
