"""Work of one process for benchmarks.machine: says that it is ready, waits for a line, says how many rounds it did."""

import sys
import time

import numpy as np

words, seconds = int(sys.argv[1]), float(sys.argv[2])
one, other = np.arange(words, dtype=np.uint64), np.ones(words, dtype=np.uint64)
sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.readline()
rounds, end = 0, time.perf_counter() + seconds
while time.perf_counter() < end:
    for _ in range(max(1, 2**20 // words)):
        np.bitwise_xor(one, other, out=other)
    rounds += 1
sys.stdout.write(f"{rounds}\n")
