"""Private names of other libraries: each in one module, and each does what is used of it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from export.converters.registration import register
from runtime.session import open_session
from training.estimator.private import SigmoidCalibration

ROOT = Path(__file__).parents[1]
PLACES = {"training/estimator/private.py", "export/converters/private.py"}
LIBRARIES = {"sklearn", "skl2onnx", "skops", "xgboost", "onnx", "onnxmltools", "scipy", "numpy", "pandas"}
CAPPED = {"scikit-learn": "<2", "skl2onnx": "<2", "skops": "<1", "xgboost": "<4"}


def private_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES:
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                if any(re.match(r"_[^_]", part) for part in dotted.split(".")):
                    yield dotted


@pytest.mark.parametrize(
    "room", ["cli", "export", "local", "runtime", "storage", "table", "training", "trees", "validation"]
)
def test_private_names_are_imported_in_their_places_only(room: str) -> None:
    found = {str(path.relative_to(ROOT)) for path in (ROOT / room).rglob("*.py") if any(private_imports(path))}
    assert found == {place for place in PLACES if place.startswith(f"{room}/")}


def test_a_library_with_private_names_in_use_is_capped() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name, cap in CAPPED.items():
        assert re.search(rf'"{name}>=[\d.]+,{cap}"', text), name


def test_the_sigmoid_is_expit_of_a_line() -> None:
    x = np.linspace(-3, 3, 200)
    fitted = SigmoidCalibration().fit(x, np.random.default_rng(0).random(200) < expit(x / 2))
    assert fitted.predict(x) == pytest.approx(expit(-(fitted.a_ * x + fitted.b_)), rel=1e-14)


def test_the_preparation_inside_a_calibrated_pipeline_is_declared() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = (X[:, 0] + rng.normal(size=300) > 0).astype(int)
    base = make_pipeline(StandardScaler(), XGBClassifier(n_estimators=5, max_depth=2, n_jobs=1))
    fitted = CalibratedClassifierCV(base, cv=2).fit(X, y)
    register()
    model = to_onnx(fitted, initial_types=[("x", DoubleTensorType([None, 3]))])
    _, probabilities = open_session(model.SerializeToString()).run(None, {"x": X})
    assert probabilities == pytest.approx(fitted.predict_proba(X), abs=1e-6)
