"""An ordered list of grades with limits, riskiest first: the score bands, or a master scale where a model has one.

Every test on grades takes a rating, whatever its origin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from runtime.grades import Grades
from runtime.score import Bands, Scale

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rating:
    """K grades, riskiest first.

    `edges` are the K - 1 inner limits, ascending: of scores where `by` is "score" (a grade holds its lower edge), of
    probabilities where it is "probability" (a grade holds its lower limit too, so that the riskiest begins at the
    highest of them). Rows beyond the outer edges of bands are in the nearest one: K stays K.
    `limits` are the K + 1 probabilities of default between which grades lie, the highest first. `assigned` are the
    probabilities of default that a master scale gives its grades; None where each customer's own is applied.
    """

    kind: Literal["bands", "grades"]
    labels: tuple[str, ...]
    by: Literal["score", "probability"]
    edges: tuple[float, ...]
    limits: tuple[float, ...]
    assigned: tuple[float, ...] | None = None

    @classmethod
    def of_bands(cls, edges: Sequence[float], scale: Scale) -> "Rating":
        """The bands of a manifest."""
        inner = tuple(edges[1:-1])
        limits = (1.0, *(scale.probability(edge) for edge in inner), 0.0)
        return cls("bands", tuple(Bands(edges).names), "score", inner, limits)

    @classmethod
    def of_grades(cls, grades: Grades) -> "Rating":
        """The grades of a master scale, whose names come the lowest probabilities first."""
        labels = tuple(reversed(grades.names))
        return cls("grades", labels, "probability", tuple(grades.limits), (1.0, *reversed(grades.limits), 0.0))

    @classmethod
    def of(cls, edges: Sequence[float], scale: Scale, grades: Grades | None) -> "Rating":
        """The grades of a model that has some, else its bands."""
        return cls.of_bands(edges, scale) if grades is None else cls.of_grades(grades)

    @classmethod
    def of_manifest(cls, document: Mapping[str, Any], scale: Scale) -> "Rating":
        """The grades that a model serves, else its bands."""
        scale_ = document.get("grades")
        return cls.of(document["bands"], scale, scale_ and Grades(scale_["limits"], scale_["names"]))

    def __len__(self) -> int:
        """The number of grades."""
        return len(self.labels)

    def places(self, probability: Floats, score: Floats) -> NDArray[np.intp]:
        """The grade of each row [N], 0 for the riskiest."""
        if self.by == "score":
            return np.searchsorted(self.edges, score, side="right")
        return len(self.edges) - np.searchsorted(self.edges, probability, side="right")

    def counts(self, places: NDArray[np.intp], weight: NDArray[Any] | None = None) -> Floats:
        """Number of rows, or sum of weights [N], of each grade, [K]."""
        return np.bincount(places, weights=weight, minlength=len(self)).astype(np.float64)
