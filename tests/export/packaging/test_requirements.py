"""Pins of a lock file: of one target, with hashes, and nothing else."""

from pathlib import Path

import pytest

from export.packaging.refusal import PackageRefused
from export.packaging.requirements import read_pins
from export.packaging.target import Target

TARGET = Target((3, 13), "x86_64")
HASH = "--hash=sha256:0123"


def test_pins_are_those_of_the_target_with_all_their_hashes(tmp_path: Path) -> None:
    path = tmp_path / "lock.txt"
    path.write_text(
        f"# a comment\nNumPy==2.4.6 \\\n    {HASH} \\\n    --hash=sha256:4567\n\n"
        f"old==1 ; python_full_version < '3.12' {HASH}\nnew==2 ; python_full_version >= '3.12' {HASH}  # why\n"
    )
    numpy, new = read_pins(path, TARGET)
    assert (numpy.name, numpy.version, numpy.hashes) == ("numpy", "2.4.6", frozenset({"sha256:0123", "sha256:4567"}))
    assert (new.name, new.version) == ("new", "2")
    assert numpy.lines() == f"numpy==2.4.6 \\\n    {HASH} \\\n    --hash=sha256:4567"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("numpy", "'numpy': expected name==version with at least one --hash="),
        ("numpy==2.4.6", "'numpy==2.4.6': expected name==version with at least one --hash="),
        (f"numpy>=2 {HASH}", "'numpy>=2': expected name==version with"),
        (f"numpy==2,<3 {HASH}", "'numpy==2,<3': expected name==version with"),
        (f"-r other.txt {HASH}", "'-r other.txt': Expected package name"),
        (f"numpy=2 {HASH}", "'numpy=2': "),
    ],
)
def test_what_is_not_a_pin_is_refused_with_its_line(line: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "lock.txt"
    path.write_text(f"new==2 {HASH}\n{line}\n")
    with pytest.raises(PackageRefused) as refused:
        read_pins(path, TARGET)
    assert str(refused.value).startswith(f"{path}: {problem}")


def test_a_lock_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageRefused, match=r"lock\.txt: no such file; run in the project's folder"):
        read_pins(tmp_path / "lock.txt", TARGET)
