"""A million applicants through the graph and through the stock converters' graphs, against the fitted pipeline."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import skl2onnx
from numpy.typing import NDArray
from skl2onnx.common.data_types import FloatTensorType

from benchmarks.exactness import FORMS
from benchmarks.fidelity import onnx_stock
from benchmarks.report import Row
from benchmarks.subject import Subject, applicants, subject
from export.certificate.comparison import Answer, ask_pipeline, compare
from export.manifest import scale_of
from runtime.session import open_session

MANY = 1_000_000
STOCK = {"sigmoid": "cv-sigmoid", "isotonic": "cv-isotonic"}
"""The stock converters know scikit-learn's estimators, on probabilities."""


def measure() -> Iterator[Row]:
    """Applicants whose band differs, and the largest difference in p."""
    bands, worst = zip(*(_off(subject(*form), _ours(subject(*form))) for _, form in FORMS.values()), strict=True)
    what = f"applicants of {MANY:,} whose band differs, worst of the four calibrators"
    yield Row(what, f"{max(bands):,}", "0", "bands")
    yield Row("largest difference in p there", f"{max(worst):.1e}", "")
    for name, key in STOCK.items():
        its = subject(*FORMS[key][1])
        differ, off = _off(its, stock(its))
        what = f"— stock skl2onnx + onnxmltools on the same {name} CalibratedClassifierCV"
        yield Row(f"{what}: applicants in another band", f"{differ:,}", "", f"stock-{name}-bands")
        yield Row(f"{what}: largest difference in p", f"{off:.1e}", "", f"stock-{name}-p")


def _off(its: Subject, answer: Any) -> tuple[int, float]:
    """Count the bands that differ, and find the largest difference in p."""
    inputs = its.pipeline[0].raw_inputs(applicants(MANY))
    bands, worst = 0, 0.0
    for start in range(0, MANY, 100_000):
        part = {name: matrix[start : start + 100_000] for name, matrix in inputs.items()}
        expected = ask_pipeline(its.pipeline, part)
        got = Answer(answer(part), expected.margin)
        found = compare("million", expected, got, scale_of(its.artifacts), its.artifacts.run["bands"])
        bands += found.bands_that_differ
        worst = max(worst, found.largest_probability_difference)
    return bands, worst


def _ours(its: Subject) -> Any:
    def answer(part: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        return its.model.predict(part["numbers"], part["categories"])[0]

    return answer


def stock(its: Subject) -> Any:
    """Return p by the stock converters' graph of the same classifier, as a function of raw inputs.

    The stock converters know nothing of the preparation: their graph gets the prepared matrix.
    """
    onnx_stock.register()
    preparation, classifier = its.pipeline[0], its.pipeline[1]
    columns = len(preparation.get_feature_names_out())
    graph = skl2onnx.to_onnx(
        classifier,
        initial_types=[("x", FloatTensorType([None, columns]))],
        target_opset={"": 18, "ai.onnx.ml": 3},
        options={"zipmap": False},
    )
    session = open_session(graph.SerializeToString())

    def answer(part: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        matrix = preparation.transform(preparation.frame(part))
        probabilities: NDArray[np.float32] = session.run(None, {"x": matrix})[1]
        return np.clip(probabilities[:, 1].astype(np.float64), 0, 1)

    return answer
