"""Whole commands stopped at any moment, imports and the exchange included: the last good folder or the new one."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from storage.digest import sha256_of
from tests import applicants
from tests.tiers import Sample

ROOT = Path(__file__).parents[1]
KILLS = 100
COMMANDS = ("train", "tune", "export")
SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)


def words(command: str, folder: Path, seed: int) -> list[str]:
    artifacts = str(folder / "artifacts")
    if command == "export":
        return ["export.to_onnx", "--artifacts", artifacts, "--out", str(folder / "model"), "--quiet"]
    few = ["--n-estimators", "5", "--no-plots", "--calibration", "sigmoid", "--quiet"]
    tune = ["--tune", "2"] if command == "tune" else []
    settings = ["--config", str(folder / "settings.toml"), "--seed", str(seed)]
    return ["training.run", *settings, *few, *tune, "--out", artifacts]


def start(command: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, stderr=subprocess.PIPE, text=True)


def finish(command: Sequence[str]) -> float:
    """Runs to the end; returns the seconds that it took."""
    begin = time.monotonic()
    with start(command) as process:
        _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return time.monotonic() - begin


def digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): sha256_of(path) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.tier("land")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_stopped_command_leaves_a_whole_folder_and_the_next_run_nothing_else(
    command: str, tmp_path: Path, sample: Sample
) -> None:
    frame, target = applicants.draw(300)
    frame.assign(default=target, uuid=[f"a{i}" for i in range(300)]).to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "settings.toml").write_text(applicants.SETTINGS)
    finish(words("train", tmp_path, 1))
    out = tmp_path / ("model" if command == "export" else "artifacts")
    seconds, whole = 0.0, []  # of a run; the folders that each seed makes, which are the same in every run
    for seed in (2, 1) if command == "train" else (1,):
        seconds = finish(words(command, tmp_path, seed))
        whole.append(digests(out))
    for number in sample(range(KILLS), 1):
        chance = random.Random(f"{command} {number}")
        with start(words(command, tmp_path, 1)) as process:
            time.sleep(chance.uniform(0.1, seconds))
            process.send_signal(sent := SIGNALS[chance.randrange(3)])
            _, err = process.communicate(timeout=60)
        assert process.returncode in (0, 1, -sent)
        if sent == signal.SIGINT and process.returncode == 1:
            assert "Traceback" not in err
        assert digests(out) in whole
    finish(words(command, tmp_path, 1))
    assert digests(out) == whole[-1]
    expected = {"table.csv", "settings.toml", "artifacts", *(["model"] if command == "export" else [])}
    assert {path.name for path in tmp_path.iterdir() if path.name != "artifacts.study"} == expected  # a search keeps it
