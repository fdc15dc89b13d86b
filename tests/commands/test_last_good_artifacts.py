"""A full disk, a limit of files and Ctrl-C leave the last good artifacts."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage.digest import sha256_of
from tests.commands.running import ROOT, wrong
from training import run

pytestmark = pytest.mark.tier("land")

# A file system of its own that has 48 kB left: `$1` is the folder to mount it on, the rest is the command.
FULL_DISK = """
set -e
disk=$1; shift
cp -R "$disk/." "$disk-kept"; mount -t tmpfs -o size=8m tmpfs "$disk"; cp -R "$disk-kept/." "$disk"
cat /dev/zero > "$disk/filled" 2> /dev/null || truncate -s -49152 "$disk/filled"
set +e
"$@"
status=$?
rm "$disk/filled"; rm -rf "$disk-kept"; cp -R "$disk" "$disk-kept"
exit $status
"""
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


def may_mount() -> bool:
    """Mounting needs root, or a kernel that grants user namespaces."""
    words = [*NAMESPACE, "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif("not may_mount()", reason="no file system may be mounted here; the next test has a limit instead")
def test_a_full_disk_leaves_the_last_good_artifacts(table: Path) -> None:
    """A real file system that fills up while training writes its files."""
    assert run.main([*map(str, wrong(table))]) == 0
    before = digests(table)
    words = ["sh", "-c", FULL_DISK, "sh", table, sys.executable, "-m", "training.run", *wrong(table, "--seed", 2)]
    done = subprocess.run(
        [*NAMESPACE, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    said = "error: the disk is full; make room and run again; the last good artifacts are as they were\n"
    assert (done.returncode, done.stderr) == (1, said)
    assert digests(table.with_name(f"{table.name}-kept")) == before


@pytest.mark.tier("full")
@pytest.mark.skipif(sys.platform == "win32", reason="has no limits of a process")
def test_a_file_beyond_the_limit_leaves_the_last_good_artifacts(table: Path) -> None:
    """The system refuses the write itself, in Python or in a library."""
    assert run.main([*map(str, wrong(table))]) == 0
    before = digests(table)
    limited = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", sys.executable, "-m", "training.run", *wrong(table)]
    done = subprocess.run([*map(str, limited)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    remedy = "the file exceeds the size limit of this shell; raise it (ulimit -f) and run again"
    assert (done.returncode, done.stderr) == (1, f"error: {remedy}; the last good artifacts are as they were\n")
    assert digests(table) == before


def digests(folder: Path) -> dict[str, str]:
    """The digest of every file by its path in a folder."""
    return {str(path.relative_to(folder)): sha256_of(path) for path in folder.rglob("*") if path.is_file()}


def test_ctrl_c_leaves_the_last_good_artifacts(table: Path) -> None:
    assert run.main([*map(str, wrong(table))]) == 0
    before = sha256_of(table / "artifacts/run.json")
    words = ["--out", str(table / "artifacts"), "--n-estimators", "20000", "--no-plots"]
    process = subprocess.Popen(
        [sys.executable, "-m", "training.run", *words], cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    deadline = time.monotonic() + 60
    while not (begun := list(table.glob(".artifacts.lastbit-*"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert begun
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "error: interrupted; the last good artifacts are as they were" in said
    assert "Traceback" not in said
    assert sha256_of(table / "artifacts/run.json") == before
    assert not list(table.glob(".artifacts*"))
