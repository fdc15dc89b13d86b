"""Beside the exact converters the stock ones stay as they are: for what is not ours, and after `unregister`."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
import pytest
import skl2onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier, XGBRFClassifier

from export.converters.private import converters, operator_names, parsers, shape_calculators
from export.refusal import ExportRefused
from lastbit import register, unregister
from runtime.session import open_session
from trees.refusal import BoosterRefused

pytestmark = pytest.mark.tier("land")
OPSET = {"": 18, "ai.onnx.ml": 3}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 4))
Y = (X[:, 0] + RNG.normal(size=240) > 0).astype(int)
THREE = np.digitize(X[:, 0], [-0.5, 0.5])
NUMBERS = [("x", DoubleTensorType([None, 4]))]
SINGLES = [("x", FloatTensorType([None, 4]))]


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    unregister()
    yield
    unregister()
    register()  # as other tests of this process expect


def booster(**parameters: Any) -> XGBClassifier:
    return XGBClassifier(**{"n_estimators": 4, "max_depth": 3, "n_jobs": 1, **parameters})


def graph_of(model: Any, types: Any = NUMBERS) -> onnx.ModelProto:
    options = {id(model): {"zipmap": False}} if hasattr(model, "predict_proba") else None
    made: onnx.ModelProto = skl2onnx.to_onnx(model, initial_types=types, target_opset=OPSET, options=options)
    return made


def probabilities(model: Any) -> Any:
    session = open_session(graph_of(model).SerializeToString())
    return session.run(["probabilities"], {"x": X})[0]


# What is not ours, and the types of its inputs.
STOCK: dict[str, tuple[Callable[[], Any], Any]] = {
    "calibrated logistic regression": (
        lambda: CalibratedClassifierCV(make_pipeline(StandardScaler(), LogisticRegression()), cv=2).fit(X, Y),
        NUMBERS,
    ),
    "calibrated forest, isotonic": (
        lambda: CalibratedClassifierCV(RandomForestClassifier(3, random_state=0), cv=2, method="isotonic").fit(X, Y),
        SINGLES,
    ),
    "calibrated, three classes": (lambda: CalibratedClassifierCV(LogisticRegression(), cv=2).fit(X, THREE), SINGLES),
    "a search over others": (lambda: GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2).fit(X, Y), SINGLES),
    "imputer of integers": (
        lambda: SimpleImputer(strategy="most_frequent").fit(np.arange(20).reshape(10, 2)),
        [("x", Int64TensorType([None, 2]))],
    ),
    "imputer of texts": (
        lambda: SimpleImputer(missing_values="", strategy="most_frequent").fit(
            np.array([["a"], ["a"], [""]], dtype=object)
        ),
        [("x", StringTensorType([None, 1]))],
    ),
    "imputer of float32": (lambda: SimpleImputer().fit(X), SINGLES),
}


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")  # skl2onnx's, of NaN among integers
@pytest.mark.parametrize("name", STOCK)
def test_what_is_not_ours_has_the_same_graph_with_and_without_us(name: str) -> None:
    make, types = STOCK[name]
    model = make()
    without = graph_of(model, types)
    register()
    assert graph_of(model, types).graph.node == without.graph.node


def test_everything_comes_back() -> None:
    def all_of() -> tuple[Any, ...]:
        return dict(operator_names), dict(parsers), dict(converters), dict(shape_calculators)

    before = all_of()
    register()
    register(type("Own", (XGBClassifier,), {}))
    assert all_of() != before
    unregister()
    assert all_of() == before


NESTED: dict[str, Callable[[], Any]] = {
    "GridSearchCV": lambda: GridSearchCV(booster(), {"max_depth": [2, 3]}, cv=2),
    "GridSearchCV over a calibrated pipeline": lambda: GridSearchCV(
        CalibratedClassifierCV(make_pipeline(StandardScaler(), booster()), method="isotonic", cv=2),
        {"cv": [2, 3]},
        cv=2,
    ),
    "TunedThresholdClassifierCV": lambda: TunedThresholdClassifierCV(booster(), cv=2),
    "XGBRFClassifier": lambda: XGBRFClassifier(n_estimators=4, max_depth=3, n_jobs=1),
    "FrozenEstimator of a preparation": lambda: make_pipeline(
        FrozenEstimator(StandardScaler().fit(X)), booster(max_depth=2)
    ),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # newer versions of XGBoost deprecate forests
@pytest.mark.parametrize("name", NESTED)
def test_ours_inside_of_a_search_or_a_threshold_is_exact(name: str) -> None:
    model = NESTED[name]().fit(X, Y)
    register()
    assert np.array_equal(probabilities(model), model.predict_proba(X))


@pytest.mark.parametrize(
    "model",
    [
        VotingClassifier([("a", booster()), ("b", LogisticRegression())], voting="soft", flatten_transform=False),
        StackingClassifier([("a", booster()), ("b", LogisticRegression())], cv=2),
        BaggingClassifier(booster(), n_estimators=2, random_state=0),
        OneVsRestClassifier(booster()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_an_ensemble_of_the_stock_converters_takes_our_booster(model: Any) -> None:
    fitted = model.fit(X, THREE if isinstance(model, OneVsRestClassifier) else Y)
    register()
    assert np.abs(probabilities(fitted) - fitted.predict_proba(X)).max() < 1e-6


def derived() -> Any:
    return type("Derived", (XGBClassifier,), {})(n_estimators=2, n_jobs=1).fit(X, Y)


def test_a_subclass_that_was_there_before_needs_no_naming() -> None:
    model = derived()
    register()
    assert np.array_equal(probabilities(model), model.predict_proba(X))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "unfitted": (booster, "XGBClassifier is not fitted; call fit first"),
    "three classes": (lambda: booster().fit(X, THREE), "expected two classes"),
    "another objective": (
        lambda: booster(objective="binary:hinge").fit(X, Y),
        "objective binary:hinge is not supported",
    ),
    "a calibrated pipeline inside of another ensemble": (
        lambda: VotingClassifier(
            [("a", CalibratedClassifierCV(make_pipeline(StandardScaler(), booster()), cv=2))],
            voting="soft",
            flatten_transform=False,
        ).fit(X, Y),
        "put the preparation in front of the ensemble",
    ),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # newer versions of XGBoost deprecate forests
@pytest.mark.parametrize("case", REFUSED)
def test_ours_that_cannot_be_exact_is_refused_in_one_line(case: str) -> None:
    make, said = REFUSED[case]
    model = make()
    register()
    with pytest.raises((BoosterRefused, ExportRefused), match=said) as refused:
        graph_of(model)
    assert "\n" not in str(refused.value)
