"""Whole commands stopped at any moment, imports and the exchange included: the last good folder or the new one."""

import os
from pathlib import Path

import pytest

from tests import applicants
from tests.stopped import digests, finish, stop
from tests.tiers import Sample

KILLS = 100
COMMANDS = ("train", "tune", "export")


def words(command: str, folder: Path, seed: int) -> list[str]:
    artifacts = str(folder / "artifacts")
    if command == "export":
        return ["export.to_onnx", "--artifacts", artifacts, "--out", str(folder / "model"), "--quiet"]
    few = ["--n-estimators", "5", "--no-plots", "--calibration", "sigmoid", "--quiet"]
    tune = ["--tune", "2"] if command == "tune" else []
    settings = ["--config", str(folder / "settings.toml"), "--seed", str(seed)]
    return ["training.run", *settings, *few, *tune, "--out", artifacts]


@pytest.mark.tier("land")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.sample(1)
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
        stop(words(command, tmp_path, 1), f"{command} {number}", seconds)
        assert digests(out) in whole
    finish(words(command, tmp_path, 1))
    assert digests(out) == whole[-1]
    expected = {"table.csv", "settings.toml", "artifacts", *(["model"] if command == "export" else [])}
    assert {path.name for path in tmp_path.iterdir() if path.name != "artifacts.study"} == expected  # a search keeps it
