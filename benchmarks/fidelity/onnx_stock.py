"""skl2onnx with the XGBoost converter of onnxmltools, as their documentation registers it; float32 inputs."""

from typing import Any

import numpy as np
import onnxruntime
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from xgboost import XGBClassifier

from benchmarks.fidelity.cases import NUMBERS, Case


def register() -> None:
    """Give skl2onnx the converter of onnxmltools, for this process."""
    update_registered_converter(
        XGBClassifier,
        "XGBoostXGBClassifier",
        calculate_linear_classifier_output_shapes,
        convert_xgboost,
        options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
    )


def predict(its: Case) -> Any:
    """The graph's p for rows as they come and at splits."""
    register()
    by_column = "city" in its.rows
    if by_column:
        types = [(name, FloatTensorType([None, 1])) for name in NUMBERS] + [("city", StringTensorType([None, 1]))]
    else:
        types = [("x", FloatTensorType([None, len(NUMBERS)]))]
    graph = to_onnx(
        its.pipeline, initial_types=types, target_opset={"": 18, "ai.onnx.ml": 3}, options={"zipmap": False}
    )
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])

    def answer(frame: Any) -> Any:
        numbers = frame[NUMBERS].to_numpy().astype(np.float32)
        if not by_column:
            return session.run(None, {"x": numbers})[1][:, 1]
        columns = {name: numbers[:, [i]] for i, name in enumerate(NUMBERS)}
        return session.run(None, columns | {"city": frame[["city"]].astype(object).to_numpy()})[1][:, 1]

    return answer(its.rows), answer(its.at_splits)
