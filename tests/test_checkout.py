"""A clone has all that is used, whatever else a working folder holds."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def git(*words: str) -> list[str]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout by git")
    # A checkout may be another user's, as in a container.
    done = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_no_source_file_is_ignored() -> None:
    """A rule of .gitignore that is meant for results at the root must not hide a folder of the same name below it."""
    rooms = sorted({path.partition("/")[0] for path in git("ls-files", "*.py") if "/" in path})
    assert {"runtime", "training", "tests"} <= set(rooms)
    ignored = git("ls-files", "--others", "--ignored", "--exclude-standard", "--", *rooms)
    packages = "tests/node/node_modules/"  # of make node
    assert [path for path in ignored if not path.endswith(".pyc") and not path.startswith(packages)] == []


@pytest.mark.parametrize("folder", ["artifacts", "model", "dist", "build"])
def test_results_are_ignored_at_the_root_alone(folder: str) -> None:
    assert git("check-ignore", f"{folder}/x.py")
    with pytest.raises(subprocess.CalledProcessError):
        git("check-ignore", f"training/{folder}/x.py")
