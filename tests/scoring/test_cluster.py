"""A run on a Dask cluster of real processes: the bytes of a run here, a worker killed in the middle, other versions."""

import copy
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cli.errors import UserError
from scoring import run
from scoring.cluster import refuse_versions
from tests.scoring.conftest import Score, book_of, parts
from tests.stopped import ROOT

pytestmark = pytest.mark.tier("land")
PARTS = 20


def started(command: str, *words: str) -> "subprocess.Popen[bytes]":
    """A command of Dask's, without a page or a network."""
    options = [sys.executable, "-m", f"distributed.cli.{command}", "--host", "127.0.0.1", "--no-dashboard", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(options, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """The address of a scheduler, and its two workers."""
    file = tmp_path / "scheduler.json"
    own = tmp_path / "dask"
    processes = [started("dask_scheduler", "--port", "0", "--scheduler-file", str(file))]
    words = ["--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--local-directory", str(own)]
    processes += [started("dask_worker", *words) for _ in range(2)]
    try:
        limit = time.monotonic() + 60
        while not file.exists() or not file.read_text().rstrip().endswith("}"):
            assert time.monotonic() < limit
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"], processes[1:]
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def test_a_cluster_gives_the_bytes_of_one_process_and_of_two_with_a_worker_killed_in_the_middle(
    cluster: tuple[str, list["subprocess.Popen[bytes]"]], score: Score, model: Path, tmp_path: Path
) -> None:
    address, workers = cluster
    path, out = tmp_path / "book.parquet", tmp_path / "cluster"
    pq.write_table(book_of(PARTS * 2_000), path, row_group_size=2_000)
    assert score(path, "here", "--part-rows", 2000) == 0
    words = ["--data", path, "--out", out, "--model", model, "--scheduler", address, "--part-rows", "2000", "--quiet"]
    command = [sys.executable, "-m", "scoring.run", *map(str, words)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while not list(out.glob("part-*.parquet")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        workers[0].kill()
        _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (0, "")
    assert score(path, "two", "--part-rows", 2000, "--workers", 2) == 0
    assert parts(out) == parts(tmp_path / "here") == parts(tmp_path / "two")
    summary = "summary.json"
    assert (out / summary).read_bytes() == (tmp_path / "here" / summary).read_bytes()


PACKAGES = {"dask": "1", "distributed": "1", "numpy": "2", "onnxruntime": "3", "pyarrow": "4"}
ALIKE: dict[str, Any] = {
    "client": {"packages": PACKAGES},
    "scheduler": {"packages": PACKAGES},
    "workers": {"tcp://w": {"packages": PACKAGES}},
}


def test_another_version_on_the_cluster_is_named_before_any_work() -> None:
    refuse_versions("tcp://s", ALIKE)
    for place, package in (("scheduler", "distributed"), ("worker", "dask"), ("worker", "pyarrow")):
        other = copy.deepcopy(ALIKE)
        its = other["scheduler"] if place == "scheduler" else other["workers"]["tcp://w"]
        its["packages"] = PACKAGES | {package: "0"}
        who = "the scheduler" if place == "scheduler" else "worker tcp://w"
        with pytest.raises(UserError) as caught:
            refuse_versions("tcp://s", other)
        expected = f"tcp://s: {who}: expected {package} {PACKAGES[package]}, as here, got 0; "
        assert str(caught.value) == f"{expected}install the same version on all"
    with pytest.raises(UserError, match="the scheduler has no workers"):
        refuse_versions("tcp://s", ALIKE | {"workers": {}})


def test_a_scheduler_that_does_not_answer_is_named(book: Path, model: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from scoring import cluster, run; cluster.SECONDS = 0.5;"
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
