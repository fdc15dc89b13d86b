"""The commands in a process of their own, and the one line of their mistakes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FEW_TREES = ["--n-estimators", "15", "--no-plots", "--quiet"]


def command(module: str, *arguments: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    """A command in a process of its own, in the project's folder."""
    words = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, **options)


def mistake(capsys: pytest.CaptureFixture[str], status: int, main: Any, *arguments: object) -> str:
    """The one line of a mistake."""
    assert main(list(map(str, arguments))) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.strip().splitlines()
    assert len([line for line in lines if line.startswith("error: ")]) == 1, captured.err
    assert "Traceback" not in captured.err
    return lines[-1].removeprefix("error: ")


def wrong(table: Path, *words: object) -> list[object]:
    return ["--config", table / "settings.toml", "--out", table / "artifacts", *FEW_TREES, *words]
