"""From a folder's settings to its model, by the two commands that a user gives."""

from pathlib import Path

from export import to_onnx
from training import run


def train_and_export(folder: Path, *words: str) -> None:
    """Train by its settings.toml, and more words of the command, to its artifacts/, and export these to its model/."""
    settings = ["--config", str(folder / "settings.toml"), "--out", str(folder / "artifacts")]
    assert run.main([*settings, "--no-plots", "--quiet", *words]) == 0
    export(folder)


def export(folder: Path) -> None:
    """Export the folder's artifacts/ to its model/."""
    assert to_onnx.main(["--artifacts", str(folder / "artifacts"), "--out", str(folder / "model"), "--quiet"]) == 0
