"""Runs whose processes are killed: no row lost, none twice, and the bytes of an undisturbed run."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from scoring.output import output_of, work_folder
from tests.scoring.conftest import Score, book_of, parts
from tests.stopped import ROOT, digests

pytestmark = [
    pytest.mark.tier("land"),
    pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc"),
]
PARTS = 12


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of as many parts as leave time to stop a run."""
    path = tmp_path / "book.parquet"
    pq.write_table(book_of(PARTS * 5_000), path, row_group_size=5_000)
    return path


def started(book: Path, model: Path, out: Path) -> "subprocess.Popen[str]":
    words = ["--data", book, "--out", out, "--model", model, "--workers", "2", "--part-rows", "5000", "--quiet"]
    command = [sys.executable, "-m", "scoring.run", *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def children(process: int) -> list[int]:
    """The child processes of every thread."""
    return [
        int(child) for path in Path(f"/proc/{process}/task").glob("*/children") for child in path.read_text().split()
    ]


def once_a_part_is_there(out: Path, process: "subprocess.Popen[str]") -> Iterator[None]:
    """Give one moment, early in a run."""
    while not list(out.glob("part-*.parquet")):
        assert process.poll() is None, process.stderr
        time.sleep(0.005)
    yield


def once_it_has_workers(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Give one moment in which no part is there: workers take a second to start."""
    while not children(process.pid):
        assert process.poll() is None, process.stderr
        time.sleep(0.005)
    yield


def ended(process: int) -> bool:
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").split()[2] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def test_a_run_survives_its_workers_and_its_own_end(score: Score, large: Path, model: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    assert score(large, "whole", "--part-rows", 5000) == 0
    out = tmp_path / "killed"
    with started(large, model, out) as process:
        for _ in once_a_part_is_there(out, process):
            os.kill(children(process.pid)[0], signal.SIGKILL)  # a worker: its piece is done again
        assert process.wait(120) == 0
    assert digests(out) == digests(whole)
    out = tmp_path / "stopped"
    with started(large, model, out) as process:
        for _ in once_a_part_is_there(out, process):
            workers = children(process.pid)
            process.kill()  # the parent: its workers end by themselves, and the next run resumes
    kept = parts(out)
    assert 0 < len(kept) < PARTS or (out / "summary.json").exists()
    limit = time.monotonic() + 30
    while not all(map(ended, workers)):
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert score(large, "stopped", "--part-rows", 5000) == 0
    assert digests(out) == digests(whole)


def test_ctrl_c_ends_a_run_in_one_line(large: Path, model: Path, tmp_path: Path) -> None:
    with started(large, model, tmp_path / "out") as process:
        for _ in once_it_has_workers(process):
            process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said == "error: interrupted; finished parts are kept; run again to resume\n"


def test_a_second_run_into_the_same_output_is_refused(
    score: Score, large: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(large, model, tmp_path / "out") as process:
        for _ in once_it_has_workers(process):
            process.send_signal(signal.SIGSTOP)
            assert score(large, "out", "--part-rows", "5000") == 1
        process.kill()
    assert capsys.readouterr().err.endswith("out: another run writes there; wait for it, or name another --out\n")


def test_files_are_listed_while_another_run_makes_and_removes_its_own(tmp_path: Path) -> None:
    output = output_of(str(tmp_path / "out"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "part-00000.parquet").touch()
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            with work_folder(output) as folder:
                (folder / "deep").mkdir()
                (folder / "deep" / "file").touch()

    others = [threading.Thread(target=work) for _ in range(2)]
    for other in others:
        other.start()
    try:
        assert all(output.names() == {"part-00000.parquet"} for _ in range(2_000))
    finally:
        is_over.set()
        for other in others:
            other.join()


def test_a_piece_that_always_ends_its_process_ends_the_run(
    score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one does that needs more memory than there is; the pieces before it are kept."""
    pq.write_table(book_of(3_000), tmp_path / "book.parquet", row_group_size=1_000)
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "if any('scoring.worker' in word for word in sys.orig_argv):\n"
        "    import os, pickle, signal\n"
        "    load = pickle.load\n"
        "    def watched(source):\n"
        "        content = load(source)\n"
        "        if getattr(content, 'number', 0) == 1:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return content\n"
        "    pickle.load = watched\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert score(tmp_path / "book.parquet", "scored", "--workers", 1) == 1
    said = capsys.readouterr().err
    assert "part-00001.parquet: its process ended 3 times, the last one by signal 9; out of memory?" in said
    assert parts(tmp_path / "scored").keys() == {"part-00000.parquet"}
