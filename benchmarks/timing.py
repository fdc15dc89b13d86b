"""Timing on a machine that is never quiet: contestants take turns, and medians are compared."""

import time
from collections.abc import Callable, Mapping
from statistics import median

Work = Callable[[], object]


def take_turns(
    contestants: Mapping[str, Work], rounds: int = 7, calls: int = 1, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """The median seconds a call of each contestant over `rounds` rounds, after one that does not count.

    In a round each is called `calls` times in a row, so that a slow spell of the machine meets all of them. With
    `time.thread_time` as the clock the turns that the machine gives to others do not count, which would meet the
    contestant that takes longer more often.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, work in contestants.items():
            begin = clock()
            for _ in range(calls):
                work()
            if turn:
                seconds[name].append((clock() - begin) / calls)
    return {name: median(values) for name, values in seconds.items()}
