"""Results of a long comparison so far: one file for each cell, which survives a kill whole.

A cell is one contender on one division of one table. Its file is named for all that decides on it, so that a cell of
other settings is measured anew and its former file stays. A lock is held while a cell is measured: two processes on
one folder share the work and measure nothing twice.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from cli.errors import UserError
from storage.lock import try_lock

DIGITS = 12  # of the digest, in a file's name


class Cell(NamedTuple):
    """A contender on a table divided by a seed."""

    table: str
    seed: int
    contender: str


@dataclass(frozen=True)
class Measured:
    """A contender's answers to the test rows, and its time."""

    probability: NDArray[np.float64]  # [N], of the test rows in their order, kept as float32
    seconds: float  # wall time of search and fit
    found: Mapping[str, Any]  # the parameters that the search ended with


class Cells:
    """The cells in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, cell: Cell, settings: Mapping[str, Any]) -> Measured | None:
        """The cell as it was measured with these settings, or None. Raises UserError for a file that is damaged."""
        path = self._path(cell, settings)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                record = json.loads(str(kept["record"]))
                return Measured(kept["probability"].astype(np.float64), record["seconds"], record["found"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, EOFError, BadZipFile) as fault:
            raise UserError(f"{path}: expected a measured cell, got something else; delete it to measure it") from fault

    def measure(self, cell: Cell, settings: Mapping[str, Any], make: Callable[[], Measured]) -> Measured | None:
        """The cell, measured if it is not there; None where another process is measuring it."""
        path = self._path(cell, settings)
        with _held(path.with_suffix(".lock")) as alone:
            if not alone:
                return None
            if (kept := self.find(cell, settings)) is not None:
                return kept
            measured = make()
            record = {
                "cell": cell._asdict(),
                "settings": settings,
                "seconds": measured.seconds,
                "found": measured.found,
            }
            _write(path, measured.probability.astype(np.float32), np.array(json.dumps(record)))
            return self.find(cell, settings)

    def _path(self, cell: Cell, settings: Mapping[str, Any]) -> Path:
        digest = hashlib.sha256(json.dumps([cell, settings], sort_keys=True).encode()).hexdigest()[:DIGITS]
        words = f"{cell.table} {cell.seed} {cell.contender}".lower().split()
        return self.folder / f"{'-'.join(words)}-{digest}.npz"


def _write(path: Path, probability: NDArray[np.float32], record: NDArray[np.str_]) -> None:
    """On the disk before it has its name. What a kill leaves has a name of its own, which the next try overwrites."""
    fresh = path.with_suffix(".part")
    with fresh.open("wb") as file:
        np.savez_compressed(file, probability=probability, record=record)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        yield try_lock(file)
