"""The scripts as somebody runs them who has the repository and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", ["deploy", "rollback", "smoke"])
def test_missing_packages_are_reported_in_one_line(script: str) -> None:
    words = [sys.executable, "-S", f"deploy/{script}.py", "http://127.0.0.1:9"]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stderr == (
        "error: this Python lacks the project's packages; run make .venv/ready and use .venv/bin/python\n"
    )
