"""Cells of a long comparison: kept whole, found by their settings, measured once."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cells import Cell, Cells, Measured
from cli.errors import UserError

ROOT = Path(__file__).parents[2]
CELL = Cell("Lending Club", 1, "WoE scorecard")
SETTINGS = {"trials": 3, "packages": {"numpy": "2"}}
# Measures two cells and, in the middle of the third, says so and waits for what kills it.
KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from benchmarks.cells import Cell, Cells, Measured

def wait():
    (Path(sys.argv[1]) / "t-3-x-torn.part").write_bytes(b"half")
    print("measuring", flush=True)
    time.sleep(60)

cells = Cells(Path(sys.argv[1]))
for seed in (1, 2):
    cells.measure(Cell("t", seed, "x"), {}, lambda: Measured(np.full(3, 0.5), 1.0, {}))
cells.measure(Cell("t", 3, "x"), {}, wait)
"""


def measured(value: float = 0.25) -> Measured:
    return Measured(np.array([value, 0.5]), 2.5, {"C": 1.0})


def refuse() -> Measured:
    raise AssertionError("measured twice")


def test_a_cell_is_measured_once_and_comes_back_as_it_was(tmp_path: Path) -> None:
    cells = Cells(tmp_path / "new" / "folder")
    assert cells.find(CELL, SETTINGS) is None
    made = cells.measure(CELL, SETTINGS, measured)
    for again in (cells.find(CELL, SETTINGS), cells.measure(CELL, SETTINGS, refuse), made):
        assert again is not None
        assert (list(again.probability), again.seconds, again.found) == ([0.25, 0.5], 2.5, {"C": 1.0})


@pytest.mark.parametrize("changed", [{"trials": 4}, {"packages": {"numpy": "3"}}, {"folds": 5}])
def test_a_cell_of_other_settings_is_another_cell(tmp_path: Path, changed: dict[str, object]) -> None:
    cells = Cells(tmp_path)
    cells.measure(CELL, SETTINGS, measured)
    assert cells.find(CELL, {**SETTINGS, **changed}) is None
    assert cells.find(CELL._replace(seed=2), SETTINGS) is None
    cells.measure(CELL, {**SETTINGS, **changed}, lambda: measured(0.75))
    former, other = cells.find(CELL, SETTINGS), cells.find(CELL, {**SETTINGS, **changed})
    assert former is not None
    assert other is not None
    assert (former.probability[0], other.probability[0]) == (0.25, 0.75)


def test_the_file_says_what_decided_on_the_cell(tmp_path: Path) -> None:
    Cells(tmp_path).measure(CELL, SETTINGS, measured)
    [path] = tmp_path.glob("lending-club-1-woe-scorecard-*.npz")
    record = json.loads(str(np.load(path)["record"]))
    assert (record["cell"]["contender"], record["settings"]) == ("WoE scorecard", SETTINGS)


@pytest.mark.parametrize("content", [b"", b"half of a zip", b"PK\x03\x04"])
def test_a_damaged_cell_is_reported_in_one_line(tmp_path: Path, content: bytes) -> None:
    Cells(tmp_path).measure(CELL, SETTINGS, measured)
    [path] = tmp_path.glob("*.npz")
    path.write_bytes(content)
    with pytest.raises(UserError, match="expected a measured cell, got something else; delete it to measure it"):
        Cells(tmp_path).find(CELL, SETTINGS)


def test_a_failure_leaves_no_cell(tmp_path: Path) -> None:
    cells = Cells(tmp_path)
    with pytest.raises(AssertionError):
        cells.measure(CELL, SETTINGS, refuse)
    assert cells.find(CELL, SETTINGS) is None
    assert cells.measure(CELL, SETTINGS, measured) is not None


def test_a_killed_process_leaves_whole_cells_and_no_lock(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"measuring\n"
    cells = Cells(tmp_path)
    assert cells.measure(Cell("t", 3, "x"), {}, refuse) is None  # another process is at it
    process.send_signal(signal.SIGKILL) if sys.platform != "win32" else process.kill()
    process.communicate()
    for seed in (1, 2):
        assert cells.measure(Cell("t", seed, "x"), {}, refuse) is not None
    deadline, found = time.monotonic() + 30, None
    while found is None and time.monotonic() < deadline:  # the system lets go of the lock when the process is gone
        found = cells.measure(Cell("t", 3, "x"), {}, measured)
    assert found is not None
