"""Memory that workers keep, where Dask asks the C library to give all of it back."""

import os
import platform
import subprocess
import sys

import pytest

from tests.stopped import ROOT

ARRAYS = 400  # of a megabyte, 256 pages each
CODE = f"""
import resource, sys
import numpy
from cli.allocation import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({ARRAYS}):
    numpy.ones(2**17)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

LEFT = """
from pathlib import Path
from cli.allocation import give_back_freed_memory

def held():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))

blocks = [bytearray(10_000) for _ in range(10_000)]
last = bytearray(10_000)  # above them, so that they cannot be given back by shortening the heap
del blocks
before = held()
give_back_freed_memory()
print(before - held())
"""


def faults(how: str) -> int:
    """Page faults of arrays that are made and freed, in a process with the environment of Dask's workers."""
    variables = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, how], cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has such limits")
def test_arrays_take_the_place_of_those_before_in_a_worker_of_dask() -> None:
    """Each array is new pages as Dask has it: the test would see nothing otherwise."""
    assert faults("as it is") > 200 * ARRAYS
    assert faults("kept") < 20 * ARRAYS


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps such memory")
def test_freed_memory_below_what_is_in_use_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", LEFT], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    assert int(done.stdout) > 80_000  # KiB, of 100 MB
