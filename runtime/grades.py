"""The grades of a master scale: from the probability of default to a name. Loaded for models that have grades only.

Training and serving both use this class: a grade is computed in one place only.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

MOST_GRADES = 100


class Grades:
    """Grades by ascending probability of default, between ascending `limits` inside (0, 1).

    A grade holds its lower limit; there is one grade more than there are limits, and every probability has one.

    >>> grades = Grades([0.01, 0.05], ["A", "B", "C"])
    >>> [grades.name(p) for p in (0.0, 0.0099, 0.01, 0.05, 1.0)]
    ['A', 'A', 'B', 'C', 'C']
    """

    __slots__ = ("limits", "names")

    def __init__(self, limits: Sequence[float], names: Sequence[str]) -> None:
        self.limits = list(limits)
        self.names = list(names)

    def place(self, probability: float) -> int:
        """The place of a probability's grade, 0 for the lowest probabilities.

        Raises ValueError for NaN and anything outside [0, 1]: no model of ours answers that.
        """
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"probability of default: expected a number from 0 to 1, got {probability!r}")
        return bisect_right(self.limits, probability)

    def name(self, probability: float) -> str:
        """The grade of a probability: see `place`."""
        return self.names[self.place(probability)]


def grades_to_check(grades: Grades) -> list[dict[str, float | str]]:
    """Every limit with its two neighbours among float64, and both ends, with the grade of each.

    A start that finds other grades has another scale than this export.
    """
    around = {0.0, 1.0}
    for limit in grades.limits:
        around |= {math.nextafter(limit, 0.0), limit, math.nextafter(limit, 1.0)}
    return [{"probability": p, "grade": grades.name(p)} for p in sorted(around)]


def fault_of(limits: Sequence[float]) -> str:
    """The requirement that the limits do not meet, in words; empty for limits that make grades."""
    if not limits:
        return "one limit or more, which makes two grades or more"
    if not all(0.0 < limit < 1.0 for limit in limits):
        return "probabilities above 0 and below 1"
    if any(low >= high for low, high in pairwise(limits)):
        return "ascending probabilities"
    if len(limits) >= MOST_GRADES:
        return f"at most {MOST_GRADES - 1} limits"
    return ""
