"""Compiled bytecode for the target's Python, which a Lambda would otherwise make anew at every cold start.

Lambda's task folder is read-only, so a start cannot keep what it compiles. The files are unchecked: Python
takes them without comparing them with their sources.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from export.packaging.refusal import PackageRefused
from export.packaging.target import Target

# Folder of the package in Lambda.
TASK_ROOT = "/var/task"
# Modules lie there as bytecode alone: without a source beside it each costs two system calls less, together
# 5 ms of a start (docs/package.md). The runtime's sources are 0.1 MB, and go where tracebacks look for them but
# imports do not: a reviewer of credit decisions can read what runs.
RUNTIME, SOURCES = "runtime", "source"

_VERSION = "import sys; print(*sys.version_info[:2], sys.implementation.name, sys.version_info.releaselevel)"


def interpreter_for(target: Target) -> str | None:
    """A Python whose bytecode the target reads, None if this machine has no such Python."""
    return next((path for path in _candidates(target) if _is_for(path, target)), None)


def compile_all(task: Path, interpreter: str) -> None:
    """Compile every module in `task` and take the sources away. Raises PackageRefused."""
    for folder in sorted(entry for entry in task.iterdir() if entry.is_dir()):
        if any(folder.rglob("*.py")):
            is_ours = folder.name == RUNTIME
            _compile(task, folder, interpreter, f"{TASK_ROOT}/{SOURCES}" if is_ours else TASK_ROOT)
            for source in sorted(folder.rglob("*.py")):
                if is_ours:
                    readable = task / SOURCES / source.relative_to(task)
                    readable.parent.mkdir(parents=True, exist_ok=True)
                    source.rename(readable)
                else:
                    source.unlink()


def _compile(task: Path, folder: Path, interpreter: str, shown: str) -> None:
    """Compile a folder in place; tracebacks have its files in the folder `shown`."""
    # One process, one fixed hash seed, sorted folders, no path of this machine: the same bytes every time.
    command = [interpreter, "-S", "-s", "-P", "-W", "ignore", "-m", "compileall", "-q", "-f", "-b", "-j", "1"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(task), "-p", shown, str(folder)]
    done = subprocess.run(
        command,
        env={"PYTHONHASHSEED": "0", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise PackageRefused(f"{interpreter} could not compile {folder.name}: {lines[0] if lines else 'no reason'}")


def _candidates(target: Target) -> Iterator[str]:
    if sys.version_info[:2] == target.python:
        yield sys.executable
    name = f"python{target.version}"
    for folder in os.get_exec_path():
        if found := shutil.which(name, path=folder):
            yield found
    yield from _of_pyenv(target, name)


def _of_pyenv(target: Target, name: str) -> list[str]:
    """Interpreters of pyenv; none if its folder cannot be read or the user has no home."""
    try:
        pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
        return sorted(map(str, pyenv.glob(f"versions/{target.version}.*/bin/{name}")))
    except (OSError, RuntimeError):
        return []


def _is_for(path: str, target: Target) -> bool:
    """True if it runs (a pyenv shim may not) and is a final version: alphas have other bytecode."""
    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", _VERSION], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.split() == [*map(str, target.python), "cpython", "final"]
