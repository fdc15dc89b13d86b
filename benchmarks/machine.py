"""Capacity of this machine for two processes: the limit of every figure of two processes against one.

Cores share caches, memory and, on a rented machine, other tenants; so two processes do less than twice the work of one.
"""

import subprocess
import sys
from pathlib import Path

SECONDS = 2.0
WORK = Path(__file__).with_name("machine_work.py")
SIZES = {"cache": 2**14, "memory": 2**23}
"""Words of an array: in a core's own cache, and in main memory."""


def two_against_one(words: int) -> float:
    """Rounds that two processes do in the same time, against those of one; numpy on arrays of so many words."""
    return _rounds(words, 2) / _rounds(words, 1)


def _rounds(words: int, processes: int) -> int:
    command = [sys.executable, str(WORK), str(words), str(SECONDS)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    for its in started:
        assert its.stdout is not None
        its.stdout.readline()  # ready
    for its in started:
        assert its.stdin is not None
        its.stdin.write("\n")
        its.stdin.flush()
    return sum(int(its.communicate()[0]) for its in started)
