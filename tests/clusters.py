"""A Dask cluster of real processes on this machine, without a page or a network."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.stopped import ROOT

SECONDS = 60


@dataclass(frozen=True)
class DaskCluster:
    """The address of a scheduler, and the processes of its workers."""

    address: str
    workers: "list[subprocess.Popen[bytes]]"


@contextmanager
def dask_cluster(folder: Path, workers: int = 2) -> Iterator[DaskCluster]:
    """Workers of one thread each, for as long as the block runs."""
    file = folder / "scheduler.json"
    processes = [_started("dask_scheduler", "--port", "0", "--scheduler-file", str(file))]
    words = ["--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--local-directory", str(folder / "dask")]
    processes += [_started("dask_worker", *words) for _ in range(workers)]
    try:
        limit = time.monotonic() + SECONDS
        while not file.exists() or not file.read_text().rstrip().endswith("}"):
            assert time.monotonic() < limit
            time.sleep(0.05)
        yield DaskCluster(json.loads(file.read_text())["address"], processes[1:])
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def _started(command: str, *words: str) -> "subprocess.Popen[bytes]":
    options = [sys.executable, "-m", f"distributed.cli.{command}", "--host", "127.0.0.1", "--no-dashboard", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(options, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
