"""The suite is the same for every user and way of starting it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tier("land")

ROOT = Path(__file__).parents[1]
SUITE = """
import os, signal, subprocess, sys

def test_children_can_be_interrupted():
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == -signal.SIGINT

def test_no_setting_of_the_shell_reaches_a_program():
    assert os.environ.keys().isdisjoint({"MODEL_DIR", "CORS_ORIGINS", "AWS_PROFILE", "METRICS"})
    assert os.environ["KEPT"] == "1"
"""
SETTINGS = {
    "MODEL_DIR": "x",
    "CORS_ORIGINS": "*",
    "AWS_PROFILE": "x",
    "GITHUB_OUTPUT": "x",
    "METRICS": "off",
    "KEPT": "1",
}


@pytest.mark.tier("full")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no shell of this kind")
@pytest.mark.parametrize("start", ["exec", "trap '' INT; exec"])
def test_ignored_signals_and_settings_stay_outside(tmp_path: Path, start: str) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE, encoding="utf-8")
    words = f'{start} "$0" -m pytest -p tests.machine -q --rootdir="$1" "$1"'
    done = subprocess.run(
        ["/bin/sh", "-c", words, sys.executable, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, **SETTINGS},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout


@pytest.mark.tier("full")
@pytest.mark.parametrize("module", ["training.run", "training.explore", "validation.run"])
def test_a_home_that_cannot_be_written_is_no_news(module: str) -> None:
    """Not even by root: it is no folder."""
    code = f"import {module}, matplotlib; matplotlib.get_cachedir()"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MPL"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**environment, "HOME": os.devnull},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
