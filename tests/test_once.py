"""A thing that processes share is made by one of them, and made again where it is not whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.once import once

ROOT = Path(__file__).parents[1]
ASK = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from tests.once import once

def make(folder):
    with (folder.parent / "calls").open("a") as calls:
        calls.write("made\\n")
    time.sleep(0.5)  # the other process comes meanwhile
    (folder / "file").write_text("whole")
    return 7

folder, value = once(SimpleNamespace(getbasetemp=lambda: Path(sys.argv[1])), "model", make)
print((folder / "file").read_text(), value)
"""


def test_what_could_not_be_made_is_made_again_in_an_empty_folder(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tmp_path_factory, "getbasetemp", lambda: tmp_path)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    found: list[list[str]] = []

    def make(folder: Path) -> str:
        found.append([path.name for path in folder.iterdir()])
        (folder / "half").touch()
        if len(found) == 1:
            raise OSError("disk is full")
        return "whole"

    with pytest.raises(OSError, match="disk is full"):
        once(tmp_path_factory, "model", make)
    assert once(tmp_path_factory, "model", make) == (tmp_path / "shared/model", "whole")
    assert once(tmp_path_factory, "model", make) == (tmp_path / "shared/model", "whole")
    assert found == [[], []]


def test_processes_of_a_run_wait_for_the_one_that_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    asking = [
        subprocess.Popen([sys.executable, "-c", ASK, tmp_path / f"popen-gw{i}"], cwd=ROOT, stdout=subprocess.PIPE)
        for i in range(2)
    ]
    assert [process.communicate(timeout=60)[0] for process in asking] == [b"whole 7\n"] * 2
    assert (tmp_path / "shared/calls").read_text() == "made\n"
