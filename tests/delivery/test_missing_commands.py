"""A command of the runner or of Debian that is not installed, or fails, is one line that says where it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.errors import UserError
from delivery import accept, arm64_start, version, weekly_issue
from tests.delivery.workflow_files import ROOT

GH = r"^gh: no such command; GitHub's own runners have it$"


def verify(_: Path) -> None:
    accept.refuse_unattested("lambda.zip", accept.PROVENANCE, "bank/lastbit", "a" * 40)


def publish(_: Path) -> None:
    version.publish(ROOT)


def report(_: Path) -> None:
    weekly_issue.report()


@pytest.mark.parametrize("act", [verify, publish, report])
def test_gh_is_named_with_who_has_it(
    act: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GITHUB_REF_NAME", f"v{version.current(ROOT)}")
    monkeypatch.setattr(version, "notes", lambda *_: "- Something.")
    for name in ("GITHUB_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_RUN_ID"):
        monkeypatch.setenv(name, "1")
    with pytest.raises(UserError, match=GH):
        act(tmp_path)


def test_a_package_manager_is_named_with_its_systems_or_with_its_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\necho 'Get:1 a list' >&2\necho 'E: Unable to locate package' >&2\nexit 100\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    root = tmp_path / "root"
    with pytest.raises(UserError, match=r"^apt-get update: E: Unable to locate package$"):
        arm64_start._install(root, tmp_path / "apt")
    apt.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"^apt-get: no such command; this runs on Debian and Ubuntu$"):
        arm64_start._install(root, tmp_path / "apt")
    assert not root.exists()


@pytest.mark.parametrize(
    ("script", "reason"),
    [("echo one >&2; echo 'ModuleNotFoundError: onnxruntime' >&2; exit 1", "ModuleNotFoundError: onnxruntime"),
     ("exit 3", "exit status 3")],
)  # fmt: skip
def test_a_package_that_does_not_start_says_why(script: str, reason: str, tmp_path: Path) -> None:
    python = ["/bin/sh", "-c", script]
    with pytest.raises(UserError, match=f"^{tmp_path}: does not start with /bin/sh: {reason}$"):
        arm64_start._answers(python, tmp_path, tmp_path, [])
