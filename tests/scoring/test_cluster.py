"""A run on a Dask cluster of real processes: the bytes of a run here, a worker killed in the middle, other versions."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from scoring import run
from tests.clusters import DaskCluster, dask_cluster
from tests.scoring.conftest import Score, book_of, parts
from tests.stopped import ROOT

pytestmark = pytest.mark.tier("land")
PARTS = 20


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask")) as found:
        yield found


def test_a_cluster_gives_the_bytes_of_one_process_and_of_two_with_a_worker_killed_in_the_middle(
    cluster: DaskCluster, score: Score, model: Path, tmp_path: Path
) -> None:
    path, out = tmp_path / "book.parquet", tmp_path / "cluster"
    pq.write_table(book_of(PARTS * 2_000), path, row_group_size=2_000)
    assert score(path, "here", "--part-rows", 2000) == 0
    words = ["--data", path, "--out", out, "--model", model, "--part-rows", "2000", "--quiet"]
    words += ["--scheduler", cluster.address]
    command = [sys.executable, "-m", "scoring.run", *map(str, words)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while not list(out.glob("part-*.parquet")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        cluster.workers[0].kill()
        _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (0, "")
    assert score(path, "two", "--part-rows", 2000, "--workers", 2) == 0
    assert parts(out) == parts(tmp_path / "here") == parts(tmp_path / "two")
    summary = "summary.json"
    assert (out / summary).read_bytes() == (tmp_path / "here" / summary).read_bytes()


@pytest.mark.tier("full")
def test_a_run_whose_scheduler_is_killed_resumes_with_another(
    cluster: DaskCluster, score: Score, model: Path, tmp_path: Path
) -> None:
    address = cluster.address
    path, out = tmp_path / "book.parquet", tmp_path / "cluster"
    pq.write_table(book_of(PARTS * 2_000), path, row_group_size=2_000)
    assert score(path, "here", "--part-rows", 2000) == 0
    words = ["--data", path, "--out", out, "--model", model, "--part-rows", "2000", "--quiet", "--scheduler"]
    command = [sys.executable, "-m", "scoring.run", *map(str, words)]
    with subprocess.Popen([*command, address], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while not list(out.glob("part-*.parquet")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        cluster.scheduler.kill()
        _, said = process.communicate(timeout=300)
    assert process.returncode == 1
    [line] = said.splitlines()
    assert line.startswith(f"error: {address}: ")
    assert line.endswith("finished parts are kept; run again to resume")
    kept = parts(out)
    assert 0 < len(kept) < PARTS
    with dask_cluster(tmp_path) as other:
        done = subprocess.run(
            [*command, other.address], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert kept.items() <= parts(out).items()
    assert parts(out) == parts(tmp_path / "here")


@pytest.mark.tier("full")
def test_a_part_that_always_ends_its_worker_ends_the_run(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one does that needs more memory than there is; workers that nannies start again take it three times more."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'scoring.part':\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "if 'LASTBIT_DIES' in os.environ:\n"
        "    sys.meta_path.insert(0, Watch())\n"
    )
    path = tmp_path / "book.parquet"
    pq.write_table(book_of(1_000), path)
    environment = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "LASTBIT_DIES": "1"}
    with dask_cluster(tmp_path, nannies=True, **environment) as cluster:
        address = cluster.address
        words = ["--data", path, "--out", tmp_path / "out", "--model", model, "--scheduler", address, "--quiet"]
        command = [sys.executable, "-m", "scoring.run", *map(str, words)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: {address}: Attempted to run task ")
    assert line.endswith("; out of memory? finished parts are kept; run again to resume")


def test_a_scheduler_that_does_not_answer_is_named(book: Path, model: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from cli import cluster; from scoring import run; cluster.SECONDS = 0.5;"
        f"sys.exit(run.main(['--data', {str(book)!r}, '--model', {str(model)!r}, '--out', {str(tmp_path / 'out')!r},"
        "'--quiet', '--scheduler', 'tcp://127.0.0.1:9']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: tcp://127.0.0.1:9: no Dask scheduler answers there: ")


def test_a_scheduler_and_workers_of_this_machine_contradict_each_other(
    book: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", str(book), "--model", str(model), "--out", str(tmp_path / "out"), "--workers", "2"]
    assert run.main([*words, "--scheduler", "tcp://127.0.0.1:9"]) == 2
    assert "--scheduler: expected it without --workers" in capsys.readouterr().err
