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
