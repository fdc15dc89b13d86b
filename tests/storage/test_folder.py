"""A folder is the last good one or the new one, whole, whatever stops the writer; and nothing is left behind."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.errors import UserError
from storage.exchange import exchange
from storage.folder import replaced_folder
from storage.scratch import name_for_old, scratch_beside
from tests.tiers import Sample

pytestmark = pytest.mark.tier("land")

ROOT = Path(__file__).parents[2]
KILLS = 100
FILES = 20
# Writes one generation after the other, each file with the generation's number; says when it begins.
WRITER = f"""
import sys
from pathlib import Path
from storage import folder
if sys.argv[2] == "two renames":
    folder.exchange = lambda one, two: False
print("ready", flush=True)
for generation in range(1, 100_000):
    with folder.replaced_folder(Path(sys.argv[1]), "0") as fresh:
        for number in range({FILES}):
            (fresh / str(number)).write_text(str(generation))
"""


def write(target: Path, content: str, files: int = FILES) -> None:
    with replaced_folder(target, "0") as fresh:
        for number in range(files):
            (fresh / str(number)).write_text(content)


def content(target: Path) -> set[str]:
    return {path.read_text() for path in target.iterdir()}


def stopped_writer(target: Path, way: str, sent: signal.Signals, seconds: float) -> None:
    """Lets a writer run for so long and stops it by a signal, again if it came while a folder was replaced."""
    command = [sys.executable, "-c", WRITER, str(target), way]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        for _ in range(100):
            writer.send_signal(sent)
            try:
                writer.wait(0.2)
                return
            except subprocess.TimeoutExpired:
                continue
        writer.kill()
        pytest.fail("the writer does not stop")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("way", ["exchange", "two renames"])
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda sent: sent.name)
def test_a_stopped_writer_leaves_a_whole_folder(tmp_path: Path, way: str, sent: signal.Signals, sample: Sample) -> None:
    target = tmp_path / "out" / "model"
    write(target, "0")
    for seed in sample(range(KILLS), 6):
        stopped_writer(target, way, sent, random.Random(seed).uniform(0, 0.1))
        if way == "exchange":
            assert len(list(target.iterdir())) == FILES
            assert len(content(target)) == 1
        with pytest.raises(RuntimeError), replaced_folder(target, "0"):  # even a run that fails repairs and cleans
            raise RuntimeError
        assert len(list(target.iterdir())) == FILES
        assert len(content(target)) == 1
        assert [path.name for path in target.parent.iterdir()] == ["model"]


def test_a_kill_between_two_renames_is_repaired_by_the_next_run(tmp_path: Path) -> None:
    target = tmp_path / "model"
    write(target, "good")
    target.rename(name_for_old(target))
    with pytest.raises(RuntimeError), replaced_folder(target, "0"):
        raise RuntimeError
    assert content(target) == {"good"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_living_run_keeps_its_folder(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with scratch_beside(target) as others:
        (others / "half").write_text("of it")
        write(target, "new")
        assert (others / "half").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_users_own_hidden_folder_is_no_leftover(tmp_path: Path) -> None:
    for name in (".model-settings", ".model.lastbit-mine", ".model-old", "model.lastbit-abcdefgh"):
        (tmp_path / name).mkdir()
    before = sorted(path.name for path in tmp_path.iterdir())
    write(tmp_path / "model", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "model"])


def test_a_link_stays_one_and_its_folder_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "there", "old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "there") == content(tmp_path / "link") == {"new"}


@pytest.mark.parametrize("name", [".", "..", "here"])
def test_the_current_folder_is_refused_before_the_work(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" if name != ".." else tmp_path / "here" / "below")
    with pytest.raises(UserError, match="is the current folder, which cannot be replaced as a whole; name a folder in"):
        write(tmp_path / "here" if name == "here" else Path(name), "new")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (16, "is a mount point, which cannot be replaced as a whole; name a folder in it"),
        (1, "belongs to another user"),
    ],
)
def test_what_the_system_will_not_rename_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, line: str
) -> None:
    write(tmp_path / "model", "old")

    def refuse(self: Path, other: Path) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(UserError, match=line):
        write(tmp_path / "model", "new")
    assert content(tmp_path / "model") == {"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount")
def test_a_real_mount_point_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    mount = ["mount", "--bind", str(tmp_path / "model"), str(tmp_path / "model")]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(UserError, match="is a mount point"):
            write(tmp_path / "model", "new")
    finally:
        subprocess.run(["umount", str(tmp_path / "model")], check=True)


def test_the_probe_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "model", "old")
    inode = (tmp_path / "model").stat().st_ino
    with replaced_folder(tmp_path / "model", "0") as fresh:
        assert list(fresh.iterdir()) == []
        assert (tmp_path / "model").stat().st_ino == inode
        assert content(tmp_path / "model") == {"old"}


def test_owned_entries_are_replaced_together_and_others_carried_over(tmp_path: Path) -> None:
    (tmp_path / "dist/wheels").mkdir(parents=True)
    (tmp_path / "dist/wheels/one").write_text("mine")
    (tmp_path / "dist/notes").write_text("mine")
    for generation in "12":
        with replaced_folder(tmp_path / "dist", "task/marker", owned=("task", "zip")) as fresh:
            (fresh / "task").mkdir()
            (fresh / "task/marker").write_text(generation)
            (fresh / "zip").write_text(generation)
    names = sorted(str(path.relative_to(tmp_path / "dist")) for path in (tmp_path / "dist").rglob("*"))
    assert names == ["notes", "task", "task/marker", "wheels", "wheels/one", "zip"]
    assert (tmp_path / "dist/zip").read_text() == (tmp_path / "dist/task/marker").read_text() == "2"
    (tmp_path / "dist/task/marker").unlink()
    with (
        pytest.raises(UserError, match="found other files"),
        replaced_folder(tmp_path / "dist", "task/marker", ["task"]),
    ):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_an_interruption_while_the_folder_is_replaced_comes_too_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "model", "old")

    def interrupted(one: Path, two: Path) -> bool:
        os.kill(os.getpid(), signal.SIGINT)
        return exchange(one, two)

    monkeypatch.setattr("storage.folder.exchange", interrupted)
    write(tmp_path / "model", "new")
    assert content(tmp_path / "model") == {"new"}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
