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
    """The address of a scheduler, its process, and those of its workers."""

    address: str
    scheduler: "subprocess.Popen[bytes]"
    workers: "list[subprocess.Popen[bytes]]"


@contextmanager
def dask_cluster(folder: Path, *, nannies: bool = False, **variables: str) -> Iterator[DaskCluster]:
    """Two workers of one thread each, for as long as the block runs; nannies start workers again that have ended."""
    file = folder / "scheduler.json"
    processes = [_started("dask_scheduler", "--port", "0", "--scheduler-file", str(file))]
    words = ["--scheduler-file", str(file), "--nthreads", "1", "--nanny" if nannies else "--no-nanny"]
    words += ["--local-directory", str(folder / "dask")]
    processes += [_started("dask_worker", *words, **variables) for _ in range(2)]
    try:
        limit = time.monotonic() + SECONDS
        while not file.exists() or not file.read_text().rstrip().endswith("}"):
            assert time.monotonic() < limit
            time.sleep(0.05)
        yield DaskCluster(json.loads(file.read_text())["address"], processes[0], processes[1:])
    finally:
        for process in reversed(processes):
            if nannies:
                process.terminate()  # a nanny then ends its worker
                process.wait()
            process.kill()
            process.wait()


def _started(command: str, *words: str, **variables: str) -> "subprocess.Popen[bytes]":
    options = [sys.executable, "-m", f"distributed.cli.{command}", "--host", "127.0.0.1", "--no-dashboard", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.Popen(options, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
