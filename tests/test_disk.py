"""A file system's refusals are reported truly: what cannot be read, what cannot be written, what has run out."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli import command, disk
from cli.progress import Progress
from export.packaging.bytecode import interpreter_for
from export.packaging.target import Target

NOBODY = 65534


@pytest.fixture
def denied() -> Iterator[Path]:
    """A folder of a user who is not root; root becomes one for the test."""
    if os.name == "nt":
        pytest.skip("Windows has no permission bits")
    folder = Path(tempfile.mkdtemp())
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    yield folder
    if is_root:
        os.seteuid(0)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700)
    shutil.rmtree(folder)


def told(capsys: pytest.CaptureFixture[str], fault: OSError) -> str:
    def fail() -> None:
        raise fault

    assert command.run(fail, "all is as it was") == 1
    return capsys.readouterr().err


def test_a_file_that_may_not_be_read_is_named(denied: Path) -> None:
    file = denied / "pipeline.skops"
    file.write_text("content")
    file.chmod(0)
    with pytest.raises(PermissionError) as fault:
        file.read_bytes()
    assert (
        disk.in_words(fault.value) == f"{file}: cannot be read: permission denied; correct the "
        "permissions, or name another"
    )


def test_a_folder_that_may_not_be_entered_is_named(denied: Path) -> None:
    (denied / "shut" / "inner").mkdir(parents=True)
    (denied / "shut").chmod(0)
    with pytest.raises(PermissionError) as fault:
        (denied / "shut" / "inner" / "run.json").read_bytes()
    assert f"cannot be read: no permission to enter {denied / 'shut'};" in disk.in_words(fault.value)


def test_a_folder_that_may_not_be_written_is_named(denied: Path) -> None:
    (denied / "fixed").mkdir()
    (denied / "fixed").chmod(0o500)
    for target in (denied / "fixed" / "model", denied / "fixed" / "new" / "model"):
        with pytest.raises(PermissionError) as fault:
            (target if target.parent.exists() else target.parent).mkdir()
        assert f"cannot be written: permission denied in {denied / 'fixed'};" in disk.in_words(fault.value)


def test_an_unreadable_folder_of_pythons_is_passed_over(denied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (denied / ".pyenv" / "versions").mkdir(parents=True)
    (denied / ".pyenv").chmod(0)
    monkeypatch.setenv("PYENV_ROOT", str(denied / ".pyenv"))
    monkeypatch.setenv("PATH", str(denied / ".pyenv"))
    assert interpreter_for(Target((3, 99), "x86_64")) is None


def test_a_user_without_a_home_has_no_pyenv(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    assert interpreter_for(Target((3, 99), "x86_64")) is None


@pytest.mark.parametrize(
    ("files", "left", "blocks", "expected"),
    [
        (1000, 0, 50, disk.NO_FILES_LEFT),
        (1000, 0, 0, "the disk is full; make room and run again"),
        (1000, 5, 0, "the disk is full; make room and run again"),
        (0, 0, 50, "the disk is full; make room and run again"),  # a file system that does not count files
    ],
)
def test_a_disk_without_inodes_is_not_called_full(
    tmp_path: Path, files: int, left: int, blocks: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def statvfs(folder: Path) -> SimpleNamespace:
        asked.append(folder)
        return SimpleNamespace(f_files=files, f_favail=left, f_bavail=blocks)

    monkeypatch.setattr(os, "statvfs", statvfs, raising=False)
    path = tmp_path / "new" / "model"
    fault = OSError(errno.ENOSPC, "No space left on device", str(path))
    assert disk.in_words(fault) == f"{path}: {expected}"
    assert asked == [tmp_path]


@pytest.mark.parametrize("name", ["[red]x[/red]", "\\[bold]y", ":warning: z", "[/]", "end\\"])
def test_names_are_printed_as_they_are(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress().step(f"Reading {name}") as show:
        show(name)
    assert f"✓ Reading {name} " in capsys.readouterr().err
    said = told(capsys, OSError(errno.ENOSPC, "No space left on device", name))
    assert said == f"error: {name}: the disk is full; make room and run again; all is as it was\n"
