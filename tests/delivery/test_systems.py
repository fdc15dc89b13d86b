"""The commands that macOS and Windows runners run, run here on a small table as if fcntl and its like were missing."""

import ast
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from export.certificate import certify
from tests.delivery.workflow_files import ROOT, job

SMALL = "examples/german_credit/settings.toml"
PACKAGES = ("cli", "export", "local", "population", "runtime", "storage", "table", "training", "trees", "validation")
# Of the standard library, and not on Windows.
MODULES = ("fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "syslog", "posix")
NAMES = {
    "os": "chown fchmod fchown fork forkpty getegid geteuid getgid getgroups getpgid getuid killpg lchown mkfifo nice "
    "pathconf sched_getaffinity setgid setsid setuid statvfs uname wait3 wait4",
    "signal": "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGUSR2 alarm pause pthread_kill pthread_sigmask "
    "setitimer sigpending sigwait sigwaitinfo sigtimedwait",
    "time": "tzset clock_gettime",
    "socket": "AF_UNIX",
}
# Python reads this at its start: the project's own modules import none of the above.
NOT_POSIX = f"""
import builtins
imported = builtins.__import__
def guarded(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (globals or {{}}).get("__name__", "").partition(".")[0]
    if importer in {PACKAGES} and name in {MODULES}:
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    return imported(name, globals, locals, fromlist, level)
builtins.__import__ = guarded
"""


def commands() -> list[list[str]]:
    """The project's commands in the job, in order."""
    lines = [line for step in job("ci.yml", "systems").steps for line in step.get("run", "").splitlines()]
    assert all(line.startswith(("python -m ", "brew install ")) for line in lines)
    return [shlex.split(line) for line in lines if line.startswith("python -m ") and " pip install " not in line]


def test_it_trains_exports_certifies_and_serves() -> None:
    assert [words[2] for words in commands()] == [
        "training.run",
        "export.to_onnx",
        "export.verify",
        "delivery.certificate",
        "delivery.loopback",
    ]


@pytest.mark.tier("full")
@pytest.mark.parametrize("calibration", ["sigmoid", "isotonic"])
def test_each_command_does_without_what_windows_has_not(tmp_path: Path, calibration: str) -> None:
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "sitecustomize.py").write_text(NOT_POSIX, encoding="utf-8")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    given = {"SETTINGS": SMALL, "CALIBRATION": calibration}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "start"), str(ROOT)])}
    for words in commands():
        words = [given.get(word.removeprefix("$"), word) for word in words]
        done = subprocess.run(
            [sys.executable, *words[1:]],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, (words, done.stderr)
    assert "applicants are answered over HTTP as by the handler, to the byte" in done.stdout
    certificate = json.loads((tmp_path / "model" / "certificate.json").read_text(encoding="utf-8"))
    assert certificate["versions"]["c_library"] == certify.c_library()
    total, tolerances = certificate["total"], certificate["tolerances"]
    assert total["margins_bit_equal"] == total["margins"]
    assert total["bands_that_differ"] == tolerances["bands_that_differ"] == 0
    assert total["largest_probability_difference"] <= tolerances["probability_difference"] <= 4.5e-16


def test_no_module_uses_what_windows_has_not() -> None:
    """By name; `getattr(os, name, None)` and code that asks for the system first import them where they are used."""
    found = []
    for path in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module, name = node.value.id, node.attr
                if name in NAMES.get(module, "").split():
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {module}.{name}")
        # At the top of a file, where it runs whatever the system.
        names = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
        found += [f"{path.relative_to(ROOT)}: import {name}" for name in sorted(names & set(MODULES))]
    assert found == []


@pytest.mark.parametrize(
    ("system", "libc", "expected"),
    [
        ("linux", ("glibc", "2.36"), "glibc 2.36"),
        ("linux", ("", ""), "unknown"),
        ("darwin", ("", ""), "libSystem 15.5"),
        ("win32", ("", ""), "ucrt 10.0.26100"),
    ],
)
def test_the_certificate_names_the_c_library(
    monkeypatch: pytest.MonkeyPatch, system: str, libc: tuple[str, str], expected: str
) -> None:
    monkeypatch.setattr("platform.libc_ver", lambda: libc)
    monkeypatch.setattr("platform.version", lambda: "10.0.26100")
    monkeypatch.setattr("platform.mac_ver", lambda: ("15.5", ("", "", ""), "arm64"))
    monkeypatch.setattr(sys, "platform", system)
    assert certify.c_library() == expected
