"""One set of rows through the graph and through the fitted pipeline, and the differences of the answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from export.converters.classifier import boosters_of
from export.documents import ComparedKind
from runtime.grades import Grades
from runtime.score import Bands, Scale
from training.estimator.boosting import margin
from training.estimator.preparation import Preparation

# Cells of raw and prepared columns that are compared at a time: some ten copies of them are there at once.
BATCH_CELLS = 4_000_000
BATCH_ROWS = 20_000


class Session(Protocol):
    """The methods of onnxruntime.InferenceSession that are used."""

    def run(self, outputs: list[str] | None, inputs: dict[str, NDArray[Any]]) -> list[Any]:
        """The named outputs for these inputs."""


@dataclass(frozen=True)
class Answer:
    """Answers of one side for N rows."""

    probability: NDArray[np.float64]  # [N], of default, 0-1
    margin: NDArray[np.float32]  # [N, k], log-odds before calibration


@dataclass(frozen=True)
class Comparison:
    """Graph against pipeline on the rows of one kind."""

    kind: str
    rows: int
    margins: int
    margins_bit_equal: int
    probabilities_bit_equal: int
    largest_probability_difference: float
    largest_score_difference: float
    bands_that_differ: int
    grades_that_differ: int | None = None
    """None for a model without grades."""

    def as_dict(self) -> ComparedKind:
        """JSON-ready."""
        found = asdict(self)
        if self.grades_that_differ is None:
            del found["grades_that_differ"]
        return cast(ComparedKind, found)


def rows_at_once(preparation: Preparation) -> int:
    """Number of rows compared at a time, so that memory depends neither on rows nor on columns."""
    return max(1, min(BATCH_ROWS, BATCH_CELLS // (preparation.width + preparation.n_features_in_)))


def batches(inputs: Mapping[str, NDArray[Any]], rows: int) -> Iterator[dict[str, NDArray[Any]]]:
    """Views of so many rows each, one after the other."""
    for first in range(0, len(inputs["numbers"]), rows):
        yield {name: matrix[first : first + rows] for name, matrix in inputs.items()}


def ask_pipeline(pipeline: Pipeline, inputs: dict[str, NDArray[Any]]) -> Answer:
    """The oracle: the fitted objects themselves, on a DataFrame of the raw columns."""
    preparation: Preparation = pipeline[0]
    frame = preparation.frame(inputs)
    matrix = preparation.transform(frame)
    margins = np.column_stack([margin(booster, matrix) for booster in boosters_of(pipeline[1])])
    return Answer(np.asarray(pipeline.predict_proba(frame)[:, 1], dtype=np.float64), margins)


def ask_graph(session: Session, inputs: dict[str, NDArray[Any]], at_once: int = BATCH_ROWS) -> Answer:
    """The graph's answer, `at_once` rows in each call."""
    if len(inputs["numbers"]) <= at_once:
        return Answer(*session.run(["probability", "margin"], inputs))
    answers = [session.run(["probability", "margin"], batch) for batch in batches(inputs, at_once)]
    probability, margin_ = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    return Answer(probability, margin_)


def compare(
    kind: str, expected: Answer, got: Answer, scale: Scale, edges: Sequence[float], grades: Grades | None = None
) -> Comparison:
    """Counts and differences; a NaN on either side counts as different."""
    named = Bands(edges)
    scores = [np.array([scale.score(p) for p in side.probability.tolist()]) for side in (expected, got)]
    bands = [[named.name(score) for score in side] for side in scores]
    return Comparison(
        kind=kind,
        rows=len(expected.probability),
        margins=expected.margin.size,
        margins_bit_equal=bits_equal(expected.margin, got.margin),
        probabilities_bit_equal=bits_equal(expected.probability, got.probability),
        largest_probability_difference=largest_difference(expected.probability, got.probability),
        largest_score_difference=largest_difference(scores[0], scores[1]),
        bands_that_differ=sum(a != b for a, b in zip(*bands, strict=True)),
        grades_that_differ=None if grades is None else _grades_that_differ(expected, got, grades),
    )


def _grades_that_differ(expected: Answer, got: Answer, grades: Grades) -> int:
    pairs = zip(expected.probability.tolist(), got.probability.tolist(), strict=True)
    return sum(grades.place(one) != grades.place(other) for one, other in pairs)


def together(kind: str, parts: Sequence[Comparison]) -> Comparison:
    """Several comparisons as one."""
    return Comparison(
        kind=kind,
        rows=sum(part.rows for part in parts),
        margins=sum(part.margins for part in parts),
        margins_bit_equal=sum(part.margins_bit_equal for part in parts),
        probabilities_bit_equal=sum(part.probabilities_bit_equal for part in parts),
        largest_probability_difference=max((part.largest_probability_difference for part in parts), default=0.0),
        largest_score_difference=max((part.largest_score_difference for part in parts), default=0.0),
        bands_that_differ=sum(part.bands_that_differ for part in parts),
        grades_that_differ=_sum([part.grades_that_differ for part in parts]),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    return None if None in counts else sum(count or 0 for count in counts)


def bits_equal(a: NDArray[Any], b: NDArray[Any]) -> int:
    """Number of elements that are equal bit for bit."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return 0
    integer = np.dtype(f"i{a.dtype.itemsize}")
    return int((np.ascontiguousarray(a).view(integer) == np.ascontiguousarray(b).view(integer)).sum())


def largest_difference(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The largest absolute difference; infinite where shapes differ or a NaN is there."""
    if a.shape != b.shape:
        return float("inf")
    difference = np.abs(a.astype(np.float64) - b.astype(np.float64))
    return float(np.nan_to_num(difference, nan=np.inf).max(initial=0.0))
