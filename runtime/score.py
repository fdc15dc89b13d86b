"""From the probability of default to points and a band, in pure Python.

Training and serving both use these functions: a score or a band is computed in one place only.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple


class Scale(NamedTuple):
    """A linear scale in log-odds: `points` at good : bad odds of `odds` : 1, `points_to_double` double them.

    `probability_limits` are the lowest and the highest probability told apart; beyond, the score stays.

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
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"probability of default: expected a number from 0 to 1, got {probability!r}")
        lowest, highest = self.probability_limits
        p = min(max(probability, lowest), highest)
        odds = (1 - p) / p
        return self.points + self.points_to_double / math.log(2) * math.log(odds / self.odds)


def band(score: float, edges: Sequence[float]) -> str:
    """The band of a score among ascending `edges` (two or more): `[410, 438)`, the last one `[606, 630]`.

    A score that no training applicant had lies in no band: it is `below 410` or `above 630`.

    >>> [band(s, [410, 438, 466]) for s in (409.9, 410, 438, 466, 466.1)]
    ['below 410', '[410, 438)', '[438, 466]', '[438, 466]', 'above 466']
    """
    first, last = edges[0], edges[-1]
    if score < first:
        return f"below {first:g}"
    if score > last:
        return f"above {last:g}"
    upper = min(bisect_right(edges, score), len(edges) - 1)
    closing = "]" if upper == len(edges) - 1 else ")"
    return f"[{edges[upper - 1]:g}, {edges[upper]:g}{closing}"


def band_labels(edges: Sequence[float]) -> list[str]:
    """The name of every band, lowest first, as `band` writes them."""
    return [band(edge, edges) for edge in edges[:-1]]
