"""The adverse impact ratio of each group over all cut-offs, for a picture."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from validation.fairness.documents import RatioCurve
from validation.fairness.groups import Attribute

POINTS = 60
LEAST_APPROVED = 20  # rows of both groups: the ratio of fewer is noise

Floats = NDArray[np.float64]


def curves(attribute: Attribute, shown: Sequence[int], score: Floats, mass: Floats) -> list[RatioCurve]:
    """The curve of each shown group but the first, which is the reference, at quantiles of all scores."""
    cutoffs = np.unique(np.quantile(score, np.linspace(0, 1, POINTS + 1), method="lower"))
    rates, counts = [], []
    for code in shown:
        its = np.flatnonzero(attribute.codes == code)
        its = its[np.argsort(score[its], kind="stable")]
        refused = np.searchsorted(score[its], cutoffs, side="left")
        passed = np.append(np.cumsum(mass[its][::-1])[::-1], 0.0)
        rates.append(passed[refused] / passed[0])
        counts.append(len(its) - refused)
    found: list[RatioCurve] = []
    for code, rate, count in zip(shown[1:], rates[1:], counts[1:], strict=True):
        enough = np.minimum(count, counts[0]) >= LEAST_APPROVED
        ratio = np.divide(rate, rates[0], out=np.full(len(rate), np.nan), where=enough & (rates[0] > 0))
        found.append(
            {
                "group": attribute.levels[code],
                "cutoffs": cutoffs.tolist(),
                "ratios": [None if np.isnan(each) else float(each) for each in ratio],
            }
        )
    return found
