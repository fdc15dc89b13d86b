"""Boosters fitted with dropout (DART), whose trees carry weights: exact as XGBClassifier predicts, or refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skl2onnx
import xgboost
from numpy.typing import NDArray
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import make_pipeline
from xgboost import DMatrix, XGBClassifier

import lastbit
from export.certificate.comparison import bits_equal
from export.own.settings import own_settings
from export.refusal import ExportRefused
from tests.export.own.pipelines import booster, exported, rows_of, served, usual
from tests.export.test_converters import run_margins
from trees.dropout import DART
from trees.ensemble import read_ensemble

pytestmark = pytest.mark.filterwarnings("ignore")  # newer versions of XGBoost deprecate DART

FORMS: dict[str, dict[str, Any]] = {
    "weighted by trees": {"rate_drop": 0.3},
    "weighted by forests": {"rate_drop": 0.5, "normalize_type": "forest"},
    "drawn by weight": {"rate_drop": 0.2, "sample_type": "weighted", "base_score": 0.01},
    "one at least": {"one_drop": True, "skip_drop": 0.2, "subsample": 0.7},
    "parallel trees": {"rate_drop": 0.3, "num_parallel_tree": 3, "subsample": 0.7, "n_estimators": 10},
    "stopped early": {"rate_drop": 0.1, "early_stopping_rounds": 5, "learning_rate": 1.0, "n_estimators": 60},
    "nothing dropped": {"rate_drop": 0.0},
}


def table(seed: int = 0, rows: int = 3_000) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 5)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, (np.nansum(X[:, :2], axis=1) + rng.normal(size=rows) > 1).astype(np.int64)


def dart(**parameters: Any) -> XGBClassifier:
    X, y = table()
    how = {"n_estimators": 30, "max_depth": 4, "learning_rate": 0.3, "n_jobs": 1, "random_state": 3, **parameters}
    tested = {"eval_set": [(X[:500], y[:500])], "verbose": False} if "early_stopping_rounds" in how else {}
    return XGBClassifier(booster=DART, **how).fit(X, y, **tested)


def at_splits(classifier: XGBClassifier) -> NDArray[np.float32]:
    """Rows at every threshold of the trees and one float32 beside it."""
    rows = []
    for column, thresholds in read_ensemble(classifier).thresholds().items():
        for way in (-np.inf, 0, np.inf):
            there, _ = table(1, len(thresholds))
            there[:, column] = np.nextafter(thresholds, np.float32(way)) if way else thresholds
            rows.append(there)
    return np.concatenate(rows)


@pytest.mark.parametrize("form", FORMS)
def test_margins_of_weighted_trees_are_those_of_the_classifier(form: str) -> None:
    classifier = dart(**FORMS[form])
    rows = np.concatenate([table(7)[0], at_splits(classifier)])
    expected = classifier.predict(rows, output_margin=True)
    assert bits_equal(expected, run_margins([classifier], rows)[:, 0]) == len(rows)


def test_trees_without_their_weights_answer_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forms above do test the weights."""
    classifier, (rows, _) = dart(**FORMS["weighted by trees"]), table(7)
    expected = classifier.predict(rows, output_margin=True)
    monkeypatch.setattr("trees.ensemble.weights_of", lambda content: np.empty(0, dtype=np.float32))
    assert np.abs(run_margins([classifier], rows)[:, 0] - expected).max() > 0.1


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_calibrated_pipeline_with_dropout_is_exact_with_reasons(method: str, tmp_path: Path) -> None:
    X, y = rows_of()
    weighted = booster(booster=DART, rate_drop=0.3)
    fitted = make_pipeline(usual(), CalibratedClassifierCV(weighted, method=method, cv=2)).fit(X, y)
    certificate, model = exported(fitted, X, tmp_path / "model", y, own_settings(None))
    assert certificate["total"]["margins_bit_equal"] == certificate["total"]["margins"]
    assert certificate["reasons"]["largest_difference"] <= 2e-7
    others, _ = rows_of(500, seed=7)
    assert served(model, others) == pytest.approx(fitted.predict_proba(others)[:, 1], abs=4.5e-16, rel=0)


def test_a_registered_graph_with_dropout_is_exact() -> None:
    X, y = table()
    numbers = X.astype(np.float64)
    weighted = XGBClassifier(booster=DART, rate_drop=0.3, n_estimators=12, n_jobs=1)
    fitted = CalibratedClassifierCV(weighted, method="isotonic", cv=2).fit(numbers, y)
    lastbit.register()
    types = [("x", DoubleTensorType([None, 5]))]
    graph = skl2onnx.to_onnx(fitted, initial_types=types, target_opset={"": 18, "ai.onnx.ml": 3})
    lastbit.unregister()
    compared = lastbit.compare(graph, fitted, numbers)
    assert compared["bit_equal"] == compared["rows"] >= len(numbers)


def test_a_native_booster_with_dropout_is_exact_or_refused_with_what_to_do(tmp_path: Path) -> None:
    """Before 3.4 `Booster.predict` rounds otherwise than the classifier, which is what becomes of a booster here."""
    X, y = rows_of()
    numbers = pd.DataFrame(X[["income", "age", "debt"]])
    settings = {"objective": "binary:logistic", "booster": DART, "rate_drop": 0.3}
    trained = xgboost.train(settings, DMatrix(numbers, y), 20)
    if tuple(map(int, xgboost.__version__.split(".")[:2])) < (3, 4):
        with pytest.raises(ExportRefused, match="XGBClassifier"):
            exported(trained, numbers, tmp_path / "model", y, own_settings({}))
    else:
        _, model = exported(trained, numbers, tmp_path / "model", y, own_settings({}))
        assert np.array_equal(served(model, numbers), trained.predict(DMatrix(numbers)).astype(np.float64))
