"""The graph against the fitted pipeline, and the stock converters against the same pipeline."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import skl2onnx
from numpy.typing import NDArray
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from xgboost import XGBClassifier

from benchmarks.report import Row
from benchmarks.subject import Subject, applicants, subject
from export.certificate.comparison import Answer, ask_pipeline, compare
from export.manifest import scale_of
from runtime.session import open_session

FORMS = {
    "sigmoid on margins": ("cross-fit", "sigmoid", "margin"),
    "isotonic on margins": ("cross-fit", "isotonic", "margin"),
    "CalibratedClassifierCV, sigmoid on probabilities": ("calibrated-cv", "sigmoid", "probability"),
    "CalibratedClassifierCV, isotonic on probabilities": ("calibrated-cv", "isotonic", "probability"),
}
REACH = {"sigmoid on margins": "≤ 4.5e-16", "isotonic on margins": "0.0"}
MANY = 1_000_000


def measure() -> Iterator[Row]:
    """Certificates of all forms, then a million applicants through each, then the stock converters."""
    for form, settings in FORMS.items():
        its = subject(*settings)
        certificate = json.loads((its.folder / "model/certificate.json").read_text())
        total = certificate["total"]
        share = total["margins_bit_equal"] / total["margins"]
        yield Row(f"{form}: certificate rows", f"{total['rows']:,}", "")
        yield Row("  margins bit-equal to XGBoost", f"{share:.4%}", "100 %")
        if "isotonic on probabilities" in form:
            bits = total["probabilities_bit_equal"] / total["rows"]
            yield Row("  probabilities bit-equal", f"{bits:.4%}", "≥ 99.9 %")
        reach = REACH.get(form, "≤ 1e-7" if "sigmoid" in form else "")
        yield Row("  largest difference in p", f"{total['largest_probability_difference']:.1e}", reach)
        yield from _a_million(its, _ours(its), "bands that differ, 1,000,000 rows", "0")
    for form, settings in list(FORMS.items())[2:]:
        its = subject(*settings)
        yield Row(f"stock skl2onnx + onnxmltools on the same {form}", "", "")
        yield from _a_million(its, _stock(its), "bands that differ, 1,000,000 rows", "")


def _a_million(its: Subject, answer: Any, what: str, reach: str) -> Iterator[Row]:
    inputs = its.pipeline[0].raw_inputs(applicants(MANY))
    bands, worst = 0, 0.0
    for start in range(0, MANY, 100_000):
        part = {name: matrix[start : start + 100_000] for name, matrix in inputs.items()}
        expected = ask_pipeline(its.pipeline, part)
        got = Answer(answer(part), expected.margin)
        found = compare("million", expected, got, scale_of(its.artifacts), its.artifacts.run["bands"])
        bands += found.bands_that_differ
        worst = max(worst, found.largest_probability_difference)
    yield Row(f"  {what}", f"{bands:,}", reach)
    yield Row("  largest difference in p there", f"{worst:.1e}", "")


def _ours(its: Subject) -> Any:
    def answer(part: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        return its.model.predict(part["numbers"], part["categories"])[0]

    return answer


def _stock(its: Subject) -> Any:
    """The classifier alone, on the prepared matrix: the stock converters know nothing of what comes before it."""
    update_registered_converter(
        XGBClassifier,
        "XGBoostXGBClassifier",
        calculate_linear_classifier_output_shapes,
        convert_xgboost,
        options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
    )
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
