"""From the probability of default to points and a band, in pure Python.

Training and serving both use these functions: a score or a band is computed in one place only.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

# math.log may differ by an ulp between machines; a ten-millionth of a point decides nothing.
SCORE_TOLERANCE = 1e-7
BESIDE_EDGE = 1e-3  # points: far more than the logarithms of two machines differ by


class Scale(NamedTuple):
    """A linear scale in log-odds: `points` at good : bad odds of `odds` : 1, `points_to_double` double them.

    `probability_limits` are the lowest and highest probability that the score distinguishes: p is clipped to them.

    >>> scale = Scale()
    >>> round(scale.score(1 / 51), 9)  # odds of 50 : 1
    600.0
    >>> round(scale.score(1 / 101), 9)  # twice the odds
    620.0
    >>> scale.score(0.23453453928232193)
    521.2536138390417
    """

    points: float = 600.0
    odds: float = 50.0
    points_to_double: float = 20.0
    probability_limits: tuple[float, float] = (1e-8, 1 - 1e-8)

    def score(self, probability: float) -> float:
        """Points for a probability of default in [0, 1]; more points, less risk.

        Raises ValueError for NaN and anything outside [0, 1]: no model of ours answers that.
        """
        return self.scores((probability,))[0]

    def scores(self, probabilities: Iterable[float]) -> list[float]:
        """`score` of each."""
        log = math.log
        points, base, factor = self.points, self.odds, self.points_to_double / log(2)
        lowest, highest = self.probability_limits
        scores = []
        for p in probabilities:
            if not lowest <= p <= highest:
                if not 0.0 <= p <= 1.0:
                    raise ValueError(f"probability of default: expected a number from 0 to 1, got {p!r}")
                p = lowest if p < lowest else highest
            scores.append(points + factor * log((1 - p) / p / base))
        return scores

    def probability(self, score: float) -> float:
        """The probability of default with that score, within the limits.

        >>> Scale().probability(600.0) == 1 / 51
        True
        """
        lowest, highest = self.probability_limits
        doublings = (score - self.points) / self.points_to_double
        if not -1_000 < doublings < 1_000:  # beyond what float64 holds
            return lowest if doublings > 0 else highest
        odds: float = self.odds * 2.0**doublings
        return min(max(1 / (1 + odds), lowest), highest)


class Bands:
    """The names of the bands between ascending `edges` (two or more).

    Each band holds its lower edge, and the last band both edges. A score outside the range of the training scores is in
    no band. `labels` has the names of the bands and of both sides: `labels[bisect_right(ends, score)]` is a score's.

    >>> bands = Bands([410, 438, 466])
    >>> [bands.name(s) for s in (409.9, 410, 438, 466, 466.1)]
    ['below 410', '[410, 438)', '[438, 466]', '[438, 466]', 'above 466']
    """

    __slots__ = ("ends", "labels", "names")

    def __init__(self, edges: Sequence[float]) -> None:
        first, *inner, last = edges
        shown = [f"{edge:g}" for edge in edges]
        self.names = [f"[{low}, {high})" for low, high in pairwise(shown)]
        self.names[-1] = f"{self.names[-1][:-1]}]"
        self.labels = [f"below {shown[0]}", *self.names, f"above {shown[-1]}"]
        self.ends = [first, *inner, math.nextafter(last, math.inf)]

    def name(self, score: float) -> str:
        """The name of the band of a score, or of the side of all bands that it is on."""
        return self.labels[bisect_right(self.ends, score)]


def band(score: float, edges: Sequence[float]) -> str:
    """The band of a score: see Bands."""
    return Bands(edges).name(score)


def band_labels(edges: Sequence[float]) -> list[str]:
    """The name of every band, lowest first, as `band` writes them."""
    return Bands(edges).names


def scores_to_check(scale: Scale, edges: Sequence[float]) -> list[dict[str, float | str]]:
    """Probabilities on both sides of every edge of a band and at both ends, with the score and the band of each.

    A start that finds other scores or bands has another scale, other limits or other bands than this export.
    """
    scores = [edge + side for edge in edges for side in (-BESIDE_EDGE, BESIDE_EDGE)]
    probabilities = [0.0, *sorted(map(scale.probability, scores)), 1.0]
    names = Bands(edges)
    return [
        {"probability": p, "score": score, "band": names.name(score)}
        for p, score in zip(probabilities, scale.scores(probabilities), strict=True)
    ]
