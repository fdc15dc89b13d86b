"""Timing on a machine that is never quiet: contestants take turns, and medians are compared."""

import time
from collections.abc import Callable, Iterable, Mapping
from statistics import median, quantiles

Work = Callable[[], object]


class Median(float):
    """The median of measurements, one of each round, which it keeps in `rounds`."""

    rounds: tuple[float, ...]

    def __new__(cls, rounds: Iterable[float]) -> "Median":
        """Take the median."""
        kept = tuple(rounds)
        value = super().__new__(cls, median(kept))
        value.rounds = kept
        return value


def spread(numerator: Median, denominator: Median, form: str = ".2f") -> str:
    """Quartiles of the ratio, round by round: what a slow spell of the machine does to both is no spread.

    >>> spread(Median([2.0, 3.0, 4.0]), Median([1.0, 1.0, 1.0]))
    '2.50 to 3.50'
    """
    ratios = [a / b for a, b in zip(numerator.rounds, denominator.rounds, strict=True)]
    low, _, high = quantiles(ratios, n=4, method="inclusive")
    return f"{low:{form}} to {high:{form}}"


def take_turns(
    contestants: Mapping[str, Work], rounds: int = 7, calls: int = 1, clock: Callable[[], float] = time.perf_counter
) -> dict[str, Median]:
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
    return {name: Median(values) for name, values in seconds.items()}
