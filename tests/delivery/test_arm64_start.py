"""The package for arm64 under emulation."""

import shutil
from pathlib import Path

import pytest

from delivery import arm64_start
from delivery.arm64_start import EMULATORS, main


@pytest.mark.tier("full")
@pytest.mark.skipif(
    not any(shutil.which(name) for name in EMULATORS), reason="arm64 under emulation: qemu-user-static is not installed"
)
def test_the_package_for_arm64_answers_the_same_bits(certified: Path, tmp_path: Path) -> None:
    assert main(["--model", str(certified), "--work", str(tmp_path / "arm64")]) == 0


def test_without_an_emulator_it_says_which_package_has_one(
    certified: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--model", str(certified), "--work", str(tmp_path / "arm64")]) == 1
    assert "qemu-aarch64-static: no such command; on Debian and Ubuntu: apt-get install qemu-user-static" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "arm64").exists()


def test_an_answer_that_differs_is_an_error(
    certified: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The emulated Python is this one, and one answer of its answers another."""
    (tmp_path / "root/usr/bin").mkdir(parents=True)
    (tmp_path / "root/usr/bin/python3.11").touch()
    (tmp_path / "dist/task").mkdir(parents=True)
    shutil.copytree(certified, tmp_path / "dist/task/model")
    answers = iter([[{"body": "0.25"}, {"body": "0.5"}], [{"body": "0.25"}, {"body": "0.75"}]])
    monkeypatch.setattr(arm64_start, "package", lambda *_: None)
    monkeypatch.setattr(arm64_start, "_rows", lambda _: [arm64_start._event({"uuid": "1"})])
    monkeypatch.setattr(arm64_start, "_answers", lambda *_: (next(answers), []))
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/true")
    assert main(["--model", str(certified), "--work", str(tmp_path)]) == 1
    assert "expected 0.75, as here, got 0.5 on arm64" in capsys.readouterr().err
