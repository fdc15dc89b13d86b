"""From the start of a process to its first answer, against an import and against the peer."""

import errno
import os
import random
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deployed import PYTHON, Deployed, environment, events, installed_packages, lastbit, peer
from benchmarks.report import Row
from benchmarks.timing import Median, spread

ROUNDS, PEER_ROUNDS, COLD_ROUNDS = 61, 15, 9
READY = "import time; print(time.process_time(), flush=True)"
IMPORT = f"import numpy, onnxruntime; {READY}"
QUIET = {"ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1"}
ANSWER = """
import json, sys
with open(sys.argv[1], "rb") as file:
    event = json.loads(file.readline())
from {module} import handler
answer = handler(event, None)
assert answer["statusCode"] == 200
import time; print(time.process_time(), flush=True)
"""


@dataclass(frozen=True)
class Start:
    """A command, and what it sees."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Spent:
    """Seconds of the clock and of the processor: until the answer came, and until the process was gone."""

    answer: float
    cpu: float
    end: float
    cpu_at_end: float


@dataclass(frozen=True)
class Medians:
    """`Spent` over all rounds."""

    answer: Median
    cpu: Median
    end: Median
    cpu_at_end: Median


def measure() -> Iterator[Row]:
    """Ratios of medians, all contestants in turns."""
    ours, theirs = answering(lastbit()), answering(peer())
    installed = installed_packages()
    short = {
        "pass": Start((*PYTHON, "-c", READY), environment(installed)),
        "import": Start((*PYTHON, "-c", IMPORT), environment(installed)),
        "quiet": Start((*PYTHON, "-c", IMPORT), environment(installed, **QUIET)),
        "ours": ours,
    }
    found = run_in_turns(short, ROUNDS)
    base = found["import"]
    for name, what in (
        ("pass", "python -c pass"),
        ("import", 'python -c "import numpy, onnxruntime", nothing set'),
        ("quiet", "the same without telemetry and pool of threads"),
        ("ours", "the package, to its first answer"),
    ):
        spent = found[name]
        yield Row(f"{what}, ms (CPU ms)", f"{spent.answer * 1e3:.1f} ({spent.cpu * 1e3:.1f})", "")
    for key, clock, us, them, reach in (
        ("wall", "wall time", found["ours"].answer, base.answer, "≤ 1.08"),
        ("cpu", "CPU time", found["ours"].cpu, base.cpu, "≤ 0.65"),
    ):
        what = f"process start to first answer against importing numpy and onnxruntime, {clock}"
        yield Row(what, f"{us / them:.2f}", reach, key, spread(us, them))
    gone = found["ours"].end / base.end, found["ours"].cpu_at_end / base.cpu_at_end
    yield Row("  both until the process is gone", "{:.3f} {:.3f}".format(*gone), "")
    yield Row("  package / quiet import, wall time", f"{found['ours'].answer / found['quiet'].answer:.3f}", "")
    both = run_in_turns({"ours": ours, "peer": theirs}, PEER_ROUNDS)
    yield Row("FastAPI handler, to its first answer, ms", f"{both['peer'].answer * 1e3:.0f}", "")
    us, them = both["ours"].answer, both["peer"].answer
    what = "start, times as fast as FastAPI + Mangum + joblib around the same pipeline"
    yield Row(what, f"{them / us:.1f}", "≥ 9", "peer", spread(them, us, ".1f"))
    yield from _cold({"ours": ours, "peer": theirs})


def answering(deployed: Deployed) -> Start:
    """A start that imports the handler and answers the first applicant."""
    command = (*PYTHON, "-c", ANSWER.format(module=deployed.module), str(events()))
    return Start(command, environment(deployed.folder), (deployed.folder,))


def run_in_turns(starts: Mapping[str, Start], rounds: int, *, cold: bool = False) -> dict[str, Medians]:
    """Medians over `rounds` rounds after one that does not count; in each round another order."""
    spent: dict[str, list[Spent]] = {name: [] for name in starts}
    order = random.Random(0)
    for turn in range(rounds + 1):
        for name in order.sample(list(starts), len(starts)):
            if cold:
                drop(starts[name])
            seconds = run(starts[name])
            if turn:
                spent[name].append(seconds)
    return {
        name: Medians(
            Median(s.answer for s in all_),
            Median(s.cpu for s in all_),
            Median(s.end for s in all_),
            Median(s.cpu_at_end for s in all_),
        )
        for name, all_ in spent.items()
    }


def run(start: Start) -> Spent:
    """One process."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        start.command, env=start.environment, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    answer = time.perf_counter() - begin
    _, status, usage = os.wait4(process.pid, 0)
    end = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode != 0 or not line:
        raise RuntimeError(f"{start.command[-1]}: exit status {process.returncode}")
    return Spent(answer, float(line), end, usage.ru_utime + usage.ru_stime)


def _cold(starts: Mapping[str, Start]) -> Iterator[Row]:
    what = "the same with the files of both out of the file cache"
    os.sync()  # a page that was not yet written stays
    if not all(map(can_drop, starts.values())):
        yield Row(what, "not measured: the cache keeps them here", "≥ 5")
        return
    found = run_in_turns(starts, COLD_ROUNDS, cold=True)
    yield Row("cold: package, FastAPI handler, ms", " ".join(f"{s.answer * 1e3:.0f}" for s in found.values()), "")
    us, them = found["ours"].answer, found["peer"].answer
    yield Row(f"{what}, times as fast", f"{them / us:.1f}", "≥ 5", "cold", spread(them, us, ".1f"))


def drop(start: Start) -> None:
    """Ask the system to drop its file cache, which it may decline."""
    for folder in start.folders:
        for path in folder.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def can_drop(start: Start) -> bool:
    """True if the largest of its files leaves the cache when it is dropped."""
    if not hasattr(os, "posix_fadvise") or not hasattr(os, "RWF_NOWAIT"):
        return False
    run(start)
    drop(start)
    largest = max(
        (path for folder in start.folders for path in folder.rglob("*")), key=lambda path: path.stat().st_size
    )
    with largest.open("rb") as file:
        try:
            return not os.preadv(file.fileno(), [bytearray(4096)], largest.stat().st_size // 2, os.RWF_NOWAIT)
        except OSError as fault:
            return fault.errno == errno.EAGAIN  # it would have to be read
