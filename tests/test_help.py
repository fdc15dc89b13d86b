"""`--help` of every command, found by itself: a terminal of any encoding shows it."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Entry points of a few lines, and what stands behind them.
BEHIND = {"runtime.ask": "local.ask", "runtime.local": "local.serve"}
ROOMS = ("delivery", "deploy", "export", "runtime", "scoring", "training", "validation")
# Two that write a page of docs/ and have no flags; one that runs in .venv-release alone; a script that may crash.
OTHERS = {
    "training.settings.__main__",
    "delivery.files_page",
    "delivery.bill_of_materials",
    "training.artifacts.open_booster",
}


def modules() -> list[str]:
    """Whatever `python -m` starts."""
    files = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
    started = [file for file in files if re.search(r'^if __name__ == "__main__":', file.read_text("utf-8"), re.M)]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in started]
    return sorted({*names} - OTHERS)


@pytest.mark.parametrize("module", modules())
def test_help_is_ascii(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output may be Latin-1 or a code page of Windows, which lacks characters that others have."""
    with pytest.raises(SystemExit) as stopped:
        importlib.import_module(BEHIND.get(module, module)).main(["--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert "usage: " in said
    assert [letter for letter in said if not letter.isascii()] == []


def test_every_command_is_found() -> None:
    assert {"training.run", "export.to_onnx", "runtime.local", "validation.run", "deploy.smoke"} <= set(modules())
