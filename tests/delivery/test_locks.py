"""The lock files: complete, hashed, of nobody's machine, and of one mind."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.delivery.workflow_files import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def pins(name: str) -> dict[str, set[str]]:
    """The versions of each distribution; several where they differ by Python."""
    found: dict[str, set[str]] = {}
    for line in statements(ROOT / "requirements" / name):
        requirement = Requirement(line.partition("--hash=")[0].strip())
        [specifier] = requirement.specifier
        found.setdefault(canonicalize_name(requirement.name), set()).add(specifier.version)
    return found


def statements(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_versions_and_hashes_alone(path: Path) -> None:
    lines = statements(path)
    assert lines
    for line in lines:
        requirement, *hashes = line.split("--hash=")
        assert re.fullmatch(r"[a-z0-9.-]+==[\w.+!]+( ; .+)?", requirement.strip()), line
        assert hashes, line
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", digest.strip()) for digest in hashes), line


def test_each_bound_of_the_project_is_tested() -> None:
    """The lowest version that is allowed is the one in the lock: a bound that nobody has tried is a guess."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    lowest = pins("lowest.txt")
    checked = 0
    for requirement in map(Requirement, named):
        if requirement.name != project["name"]:
            [bound] = [Version(entry.version) for entry in requirement.specifier if entry.operator == ">="]
            assert {Version(version) for version in lowest[canonicalize_name(requirement.name)]} == {bound}, requirement
            checked += 1
    assert checked > 25


def test_a_release_is_built_with_what_was_tested() -> None:
    tested, used = pins("dev.txt"), pins("release.txt")
    common = set(tested) & set(used)
    assert {"boto3", "packaging", "rich"} <= common
    assert {name: used[name] for name in common if used[name] != tested[name]} == {}


def test_a_python_in_a_path_with_a_space_makes_an_environment(tmp_path: Path) -> None:
    """`make` says what it would run; the environment is not there, so that there is something to run."""
    makefile = tmp_path / "a folder" / "Makefile"
    shutil.copytree(ROOT / "requirements", makefile.parent / "requirements")
    shutil.copy(ROOT / "Makefile", makefile)
    words = ["make", "--dry-run", ".venv-release/ready", "PYTHON=/a folder/python"]
    said = subprocess.run(words, cwd=makefile.parent, capture_output=True, text=True, check=True).stdout
    assert '"/a folder/python" -m venv .venv-release\n' in said
    assert len(re.findall("/a folder/python", said)) == said.count('"/a folder/python"')
