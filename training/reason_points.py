"""From the mean margin and its contributions to the points of an answer."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from runtime.explain import shares
from runtime.score import Scale
from training.estimator.crossfit import CrossFittedClassifier

METHODS = {
    "interventional": "interventional Shapley values, exact",
    "tree-path": "tree-path Shapley values by the covers of the trees, exact",
}


class Line(NamedTuple):
    """Log-odds of repaying = slope · margin + intercept."""

    slope: float
    intercept: float
    adds_up: bool
    """The score is of these log-odds; else they are those before calibration."""


def line_of(classifier: Any) -> Line:
    """The line of a classifier that training.estimator.assembly makes."""
    calibrator = getattr(classifier, "calibrator_", None)
    if isinstance(classifier, CrossFittedClassifier) and calibrator is not None:
        if hasattr(calibrator, "a_"):
            return Line(float(calibrator.a_), float(calibrator.b_), True)
        return Line(-1.0, 0.0, False)
    return Line(-1.0, 0.0, not hasattr(classifier, "calibrated_classifiers_"))


class Points:
    """Points of contributions, as an answer has them."""

    def __init__(self, line: Line, scale: Scale, mean: float) -> None:
        """`mean` is the mean margin of the reference rows."""
        factor = scale.points_to_double / math.log(2)
        self.per_margin = factor * line.slope
        self._hundredths = 100 * factor * line.slope  # of margin, as runtime.explain multiplies
        self.base = round(
            100 * (scale.points + factor * (line.slope * mean + line.intercept - math.log(scale.odds)))
        )  # hundredths
        self._line, self._limits = line, scale.probability_limits

    def cents(self, contributions: Sequence[float], probability: float, score: float) -> list[int]:
        """Hundredths of points of one applicant, that add up with `base` to the score where its points do."""
        low, high = self._limits
        adds_up = self._line.adds_up and low < probability < high
        total = round(100 * round(score, 2)) - self.base if adds_up else None
        return shares([self._hundredths * its for its in contributions], total)
