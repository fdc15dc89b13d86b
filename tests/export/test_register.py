"""A developer's own pipeline: one call of ours, then skl2onnx.to_onnx as always."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skl2onnx
from numpy.typing import NDArray
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

from export.converters.registration import register
from export.refusal import ExportRefused
from runtime.session import open_session
from training.estimator.boosting import MarginXGBClassifier
from training.estimator.crossfit import CrossFittedClassifier
from trees.refusal import BoosterRefused

pytestmark = pytest.mark.tier("land")

SMALL = {"n_estimators": 25, "max_depth": 4, "n_jobs": 1}
OPSET = {"": 18, "ai.onnx.ml": 3}


class OwnMarginClassifier(XGBClassifier):  # type: ignore[misc]
    """A wrapper that a user writes to calibrate margins."""

    def decision_function(self, X: Any) -> Any:
        return self.predict(X, output_margin=True)


class OddClassifier(XGBClassifier):  # type: ignore[misc]
    """A decision function that is not the margin."""

    def decision_function(self, X: Any) -> Any:
        return self.predict(X, output_margin=True) / 2


@pytest.fixture(scope="module", autouse=True)
def registered() -> None:
    register()


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    X = rng.lognormal(size=(5_000, 6)) * 100
    X[rng.random(X.shape) < 0.1] = np.nan
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(g=rng.choice(["x", "y", "z"], len(X)))
    risk = np.log(frame["a"].fillna(50)) + (frame["g"] == "x") + rng.normal(size=len(X))
    return frame, (risk > 5).astype(int).to_numpy()


def columns() -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("scaled", make_pipeline(SimpleImputer(), StandardScaler()), list("abc")),
            ("as they are", "passthrough", list("def")),
            ("level", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["g"]),
        ]
    )


def booster(**parameters: Any) -> XGBClassifier:
    return XGBClassifier(**{**SMALL, **parameters})


FORMS: dict[str, Any] = {
    "CalibratedClassifierCV in a Pipeline": lambda: make_pipeline(
        columns(), CalibratedClassifierCV(booster(), cv=3, method="isotonic")
    ),
    "Pipeline in a CalibratedClassifierCV": lambda: CalibratedClassifierCV(
        make_pipeline(columns(), booster()), cv=3, method="isotonic"
    ),
    "sigmoid on the margin": lambda: make_pipeline(
        columns(), CalibratedClassifierCV(MarginXGBClassifier(**SMALL), cv=3)
    ),
    "an own margin class": lambda: make_pipeline(
        columns(), CalibratedClassifierCV(OwnMarginClassifier(**SMALL), cv=3, method="isotonic")
    ),
    "sigmoid on the probability": lambda: make_pipeline(columns(), CalibratedClassifierCV(booster(), cv=3)),
    "one booster": lambda: make_pipeline(
        columns(), CalibratedClassifierCV(booster(), cv=3, method="isotonic", ensemble=False)
    ),
    "cross-fitted": lambda: make_pipeline(columns(), CrossFittedClassifier(booster(), calibration="isotonic")),
    "no calibrator": lambda: make_pipeline(columns(), booster(scale_pos_weight=3.0)),
}
TOLERANCE = {"sigmoid on the margin": 4.5e-16, "sigmoid on the probability": 4.5e-16}


def convert(model: Any) -> Any:
    types = [(name, DoubleTensorType([None, 1])) for name in "abcdef"] + [("g", StringTensorType([None, 1]))]
    return skl2onnx.to_onnx(model, initial_types=types, target_opset=OPSET)


def ask(model: Any, frame: pd.DataFrame) -> tuple[Any, Any]:
    inputs = {name: frame[[name]].to_numpy() for name in "abcdef"} | {"g": frame[["g"]].to_numpy(dtype=object)}
    label, probabilities = open_session(convert(model).SerializeToString()).run(None, inputs)
    return label, probabilities


@pytest.mark.parametrize("form", FORMS)
def test_the_graph_of_an_own_pipeline_answers_as_the_pipeline(form: str, table: tuple[pd.DataFrame, Any]) -> None:
    frame, target = table
    model = FORMS[form]().fit(frame, target)
    label, probabilities = ask(model, frame)
    expected = model.predict_proba(frame)
    assert probabilities.dtype == expected.dtype
    assert np.abs(probabilities - expected).max() <= TOLERANCE.get(form, 0.0)
    assert np.array_equal(label, model.predict(frame))


def test_string_classes_are_answered_as_labels(table: tuple[pd.DataFrame, Any]) -> None:
    frame, target = table
    model = make_pipeline(columns(), CrossFittedClassifier(booster(), calibration="isotonic"))
    model.fit(frame, np.where(target == 1, "bad", "good"))
    label, probabilities = ask(model, frame)
    assert label.tolist() == model.predict(frame).tolist()
    assert np.array_equal(probabilities, model.predict_proba(frame))


def test_a_frozen_classifier_converts_as_the_last_step(table: tuple[pd.DataFrame, Any]) -> None:
    frame, target = table
    X = frame[list("abcdef")].to_numpy()
    calibrated = CalibratedClassifierCV(FrozenEstimator(booster().fit(X, target)), method="isotonic").fit(X, target)
    graph = skl2onnx.to_onnx(
        FrozenEstimator(calibrated), initial_types=[("x", DoubleTensorType([None, 6]))], target_opset=OPSET
    )
    _, probabilities = open_session(graph.SerializeToString()).run(None, {"x": X})
    assert np.array_equal(probabilities, calibrated.predict_proba(X))


@pytest.mark.filterwarnings("ignore")  # newer versions of XGBoost deprecate gblinear
@pytest.mark.parametrize(
    ("model", "named"),
    [
        (lambda: CalibratedClassifierCV(booster(), cv=3, method="temperature"), "method='temperature'"),
        (lambda: CalibratedClassifierCV(OddClassifier(**SMALL), cv=3), "decision_function is not the margin"),
        (lambda: CalibratedClassifierCV(booster(booster="gblinear"), cv=3), "booster gblinear is not supported"),
    ],
)
def test_what_is_not_exact_is_refused_by_name(model: Any, named: str, table: tuple[pd.DataFrame, Any]) -> None:
    frame, target = table
    X = frame[list("abcdef")].fillna(0).to_numpy()
    fitted = model().fit(X, target)
    with pytest.raises((BoosterRefused, ExportRefused), match=named.replace("(", r"\(")):
        skl2onnx.to_onnx(fitted, initial_types=[("x", DoubleTensorType([None, 6]))], target_opset=OPSET)


STOCK = """
import json, sys
import numpy as np, onnxruntime, skl2onnx
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from sklearn.calibration import CalibratedClassifierCV
from xgboost import XGBClassifier
update_registered_converter(
    XGBClassifier, "XGBoostXGBClassifier", calculate_linear_classifier_output_shapes, convert_xgboost,
    options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
)
rng = np.random.default_rng(0)
X = rng.normal(size=(4_000, 5)).astype(np.float32)
y = (X[:, 0] + rng.normal(size=len(X)) > 1).astype(int)
model = CalibratedClassifierCV(XGBClassifier(n_estimators=25, n_jobs=1), cv=3, method="isotonic").fit(X, y)
types = [("x", FloatTensorType([None, 5]))]
graph = skl2onnx.to_onnx(model, initial_types=types, target_opset={"": 18, "ai.onnx.ml": 3}, options={"zipmap": False})
p = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"x": X})[1]
print(json.dumps(float(np.abs(p - model.predict_proba(X)).max())))
"""


def test_the_stock_converters_are_wrong_on_the_same_kind_of_model() -> None:
    """Why this exists. A process of its own, because registering is for the whole process."""
    answer = subprocess.run([sys.executable, "-c", STOCK], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout.splitlines()[-1]) > 1e-3


def test_the_stock_scaler_and_encoder_are_exact_in_float64(table: tuple[pd.DataFrame, Any]) -> None:
    """The parts of skl2onnx that stay: what the trees read is what scikit-learn prepares."""
    frame, _ = table
    prepared = columns().fit(frame)
    inputs = {name: frame[[name]].to_numpy() for name in "abcdef"} | {"g": frame[["g"]].to_numpy(dtype=object)}
    got = open_session(convert(Pipeline([("c", prepared)])).SerializeToString()).run(None, inputs)[0]
    assert np.array_equal(got.astype(np.float32), prepared.transform(frame).astype(np.float32), equal_nan=True)
