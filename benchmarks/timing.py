"""Timing on a machine that is never quiet: contestants take turns, and medians are compared."""

import time
from collections.abc import Callable, Mapping
from statistics import median

Work = Callable[[], object]


def take_turns(contestants: Mapping[str, Work], rounds: int = 7, calls: int = 1) -> dict[str, float]:
    """The median seconds a call of each contestant over `rounds` rounds, after one that does not count.

    In a round each is called `calls` times in a row, so that a slow spell of the machine meets all of them.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, work in contestants.items():
            begin = time.perf_counter()
            for _ in range(calls):
                work()
            if turn:
                seconds[name].append((time.perf_counter() - begin) / calls)
    return {name: median(values) for name, values in seconds.items()}
