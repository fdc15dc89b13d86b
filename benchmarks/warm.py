"""Requests to a process that has long been started, against the peer, the session alone, and batches of them."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any

from benchmarks import worker
from benchmarks.deployed import PYTHON, Deployed, bodies, environment, events, lastbit, peer
from benchmarks.report import Row
from benchmarks.timing import Median, spread

# Requests in a round, and rounds: 3,000 requests to the peer take it half a minute or more.
SLICE, ROUNDS = 100, 30
BATCH, BATCH_ROUNDS = 1_000, 15
# The default, and what users of scikit-learn have; both contestants serve the same one.
FORMS = {
    "CrossFittedClassifier": (),
    "CalibratedClassifierCV": ("calibrated-cv", "sigmoid", "probability"),
}
LOGGING = {"LOG_REQUESTS": "on", "METRICS": "on"}


class Process:
    """A worker over a contestant."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, what: str, first: int = 0, end: int = 0) -> Any:
        """The answer to a command of `benchmarks.worker`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what} {first} {end}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def serving(deployed: Deployed, log: str = "/dev/null", **variables: str) -> Iterator[Process]:
    """A worker for the block; what its handler writes goes to `log`."""
    with subprocess.Popen(
        [*PYTHON, worker.__file__, deployed.module, str(events()), log],
        env=environment(deployed.folder, **variables),
        cwd=deployed.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Process(process)
        assert process.stdin is not None
        process.stdin.close()


def measure() -> Iterator[Row]:
    """Ratios of percentiles and medians."""
    faster: dict[str, list[float]] = {"p50": [], "p99": []}
    for name, form in FORMS.items():
        yield Row(name, "", "")
        yield from _against_the_peer(lastbit(*form), peer(*form), faster)
    for name, reach in (("p50", "≥ 200"), ("p99", "≥ 100")):
        what = f"warm request, {name}, times as fast as FastAPI + Mangum + joblib, both models"
        yield Row(what, f"{min(faster[name]):.0f} to {max(faster[name]):.0f}", reach, name)
    yield from _against_the_session()
    yield from _observed()
    yield from _memory()


def _against_the_peer(package: Deployed, fastapi: Deployed, faster: dict[str, list[float]]) -> Iterator[Row]:
    with serving(package) as ours, serving(fastapi) as theirs:
        both = [process.ask("answers", 0, SLICE) for process in (ours, theirs)]
        differences = [abs(a["default_probability"] - b["default_probability"]) for a, b in zip(*both, strict=True)]
        seconds: tuple[list[float], list[float]] = ([], [])
        for first in range(0, SLICE * ROUNDS, SLICE):
            for process, spent in zip((ours, theirs), seconds, strict=True):
                spent += process.ask("requests", first, first + SLICE)
    yield Row(f"largest difference from the FastAPI handler's p, {SLICE} answers", f"{max(differences):.0e}", "≤ 1e-7")
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        us, them = (percentile(spent, share) for spent in seconds)
        yield Row(f"warm request, {name}: package, FastAPI handler, µs", f"{us * 1e6:.1f} {them * 1e6:,.0f}", "")
        faster[name].append(them / us)


def _against_the_session() -> Iterator[Row]:
    requests, session, batch = [], [], []
    with serving(lastbit()) as ours:
        ours.ask("requests", 0, BATCH)
        for turn in range(BATCH_ROUNDS + 1):
            first = turn % (len(bodies()) // BATCH) * BATCH
            rows = (first, first + BATCH)
            one, alone, many = (ours.ask(what, *rows) for what in ("requests", "session", "batch"))
            if turn:
                requests.append(median(one))
                session.append(median(alone))
                batch.append(many[0] / BATCH)
    yield Row("its own session.run on the same rows, µs", f"{median(session) * 1e6:.1f}", "")
    whole, alone_, each = Median(requests), Median(session), Median(batch)
    what = "warm request against its own session.run"
    yield Row(what, f"{whole / alone_:.2f}", "≤ 3", "session", spread(whole, alone_))
    yield Row(f"batch of {BATCH:,}, an applicant, µs", f"{median(batch) * 1e6:.1f}", "")
    what = f"batch of {BATCH:,}, an applicant, against one at a time"
    yield Row(what, f"{each / whole:.3f}", "≤ 0.25", "batch", spread(each, whole, ".3f"))


def _observed() -> Iterator[Row]:
    what = "logs and metrics on, against off"
    if not (lastbit().folder / "source" / "runtime" / "observe.py").exists():
        yield Row(what, "not measured: the package has neither", "≤ 1.25")
        return
    log = lastbit().folder.with_name("requests.log")
    on: list[float] = []
    off: list[float] = []
    with ExitStack() as stack:
        quiet = stack.enter_context(serving(lastbit(), LOG_REQUESTS="off", METRICS="off"))
        told = stack.enter_context(serving(lastbit(), str(log), **LOGGING))
        for process in (quiet, told):
            process.ask("requests", 0, BATCH)
        before = log.stat().st_size
        for _ in range(BATCH_ROUNDS):
            for process, spent in ((quiet, off), (told, on)):
                spent.append(median(process.ask("requests", 0, BATCH)))
        written = (log.stat().st_size - before) / (BATCH_ROUNDS * BATCH)
    yield Row("request with logs and metrics, µs", f"{median(on) * 1e6:.1f}", "")
    what = f"{what} ({written:.0f} bytes a request, into a file)"
    with_logs, without = Median(on), Median(off)
    yield Row(what, f"{with_logs / without:.2f}", "≤ 1.25", "logs", spread(with_logs, without))


def _memory() -> Iterator[Row]:
    with serving(lastbit(), **LOGGING) as ours:
        peak, growth = peak_memory(ours)
    yield Row(f"peak memory, start and {len(bodies()):,} requests, MiB", f"{peak:.1f}", "≤ 72", "memory")
    yield Row("growth of memory after the first 1,000 requests, MiB", f"{growth:.2f}", "flat", "growth")


def peak_memory(process: Process) -> tuple[float, float]:
    """MiB that a process holds at most over all events, and by how much it grows after the first 1,000."""
    found = [process.ask("memory")]
    for first in range(0, len(bodies()), BATCH):
        for start in range(first, first + BATCH, SLICE):
            process.ask("requests", start, start + SLICE)
        found.append(process.ask("memory"))
    return found[-1]["VmHWM"] / 1024, (found[-1]["VmRSS"] - found[1]["VmRSS"]) / 1024


def percentile(seconds: list[float], share: float) -> float:
    """The value that `share` of all are not above."""
    return sorted(seconds)[min(int(share * len(seconds)), len(seconds) - 1)]
