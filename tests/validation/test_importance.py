"""Importance and dependence: what XGBoost and scikit-learn say of the same pipeline."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.inspection import partial_dependence
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from runtime.score import Scale
from tests.applicants import CATEGORIES, NUMBERS, draw, pipeline
from training.contributions import contributions_of
from training.estimator.boosting import MarginXGBClassifier
from training.estimator.calibrated_cv import AutoCalibratedClassifierCV
from training.estimator.crossfit import CrossFittedClassifier
from training.evidence import dependence_of as dependence
from training.evidence import importance_of
from validation import dependence as dependence_module
from validation.bands import scores_of
from validation.evidence import Part

SCALE = Scale()
SMALL = {"n_estimators": 12, "max_depth": 3, "n_jobs": 1}
FEATURES = {"income", "debt", "age", "has_paid", "late", *CATEGORIES}
CLASSIFIERS: dict[str, Any] = {
    "cross-fit": lambda: CrossFittedClassifier(XGBClassifier(**SMALL), random_state=0),
    "cross-fit isotonic": lambda: CrossFittedClassifier(XGBClassifier(**SMALL), calibration="isotonic"),
    "early stopping": lambda: CrossFittedClassifier(
        XGBClassifier(n_estimators=300, learning_rate=0.5, early_stopping_rounds=3, n_jobs=1), random_state=0
    ),
    "calibrated-cv": lambda: AutoCalibratedClassifierCV(MarginXGBClassifier(**SMALL), cv=StratifiedKFold(3)),
    "one booster": lambda: CalibratedClassifierCV(XGBClassifier(**SMALL), cv=StratifiedKFold(3), ensemble=False),
}


def importance(fitted: Pipeline, frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    p = fitted.predict_proba(frame)[:, 1]
    return importance_of(fitted, Part(frame, np.zeros(len(frame), np.int8), p, scores_of(p, SCALE)), seed)


@pytest.mark.parametrize("form", CLASSIFIERS)
def test_every_form_has_all_features(form: str) -> None:
    frame, target = draw(1_500)
    fitted = pipeline(CLASSIFIERS[form]()).fit(frame, target)
    table = importance(fitted, frame, seed=1)
    assert set(table["Feature"]) == FEATURES
    assert table["Mean points"].is_monotonic_decreasing
    assert table["Share"].sum() == pytest.approx(100)
    assert table["Feature"].iloc[0] in ("income", "debt", "late", "shop")  # what risk is made of, see tests.applicants
    pd.testing.assert_frame_equal(table, importance(fitted, frame, seed=1))


@pytest.mark.parametrize("form", ["cross-fit", "early stopping"])
def test_contributions_add_up_to_the_margin(form: str) -> None:
    frame, target = draw(1_500)
    fitted = pipeline(CLASSIFIERS[form]()).fit(frame, target)
    found = contributions_of(fitted, frame)
    margin = fitted[1].decision_function(fitted[0].transform(frame))
    assert np.allclose(found.margin.sum(axis=1) + found.base, margin, atol=1e-5)


def test_points_of_the_only_feature_are_its_distance_from_the_base() -> None:
    frame, target = draw(900)
    others = dict.fromkeys([name for name in NUMBERS if name != "debt"], 1.0)
    only = frame.assign(**others, region="north", shop="books")
    fitted = pipeline(CrossFittedClassifier(XGBClassifier(**SMALL), calibration="sigmoid")).fit(only, target)
    table = importance(fitted, only, seed=0).set_index("Feature")
    assert table.loc["debt", "Share"] == pytest.approx(100)
    assert (table.drop("debt")["Mean points"] == 0).all()
    base = contributions_of(fitted, only).base
    score = scores_of(fitted.predict_proba(only)[:, 1], SCALE)
    of_base = scores_of(fitted[1].calibrator_.predict(base[:1]), SCALE)
    assert table.loc["debt", "Mean points"] == pytest.approx(np.abs(score - of_base).mean(), rel=1e-4)


def test_a_model_that_knows_nothing_gives_no_points() -> None:
    frame, target = draw(400)
    fitted = pipeline(CrossFittedClassifier(XGBClassifier(**SMALL, gamma=1e9), random_state=0)).fit(frame, target)
    table = importance(fitted, frame, seed=0)
    assert (table["Mean points"] == 0).all()
    assert (table["Share"] == 0).all()


def test_dependence_is_scikit_learn_s(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, target = draw(400)
    monkeypatch.setattr(dependence_module, "MOST_ROWS", len(frame))
    fitted = pipeline().fit(frame, target)
    tables = dependence(fitted, frame, SCALE, ["income", "has_paid", "shop"], seed=0)
    for name, table in tables.items():
        known = table[table["Value"].notna() & (table["Value"] != "missing")]
        theirs = partial_dependence(
            fitted,
            frame,
            [name],
            categorical_features=CATEGORIES,
            custom_values={name: known["Value"].to_numpy()},
            kind="individual",
            response_method="predict_proba",
        )["individual"][0]
        scores = np.array([scores_of(p, SCALE) for p in theirs.T])
        assert known["Mean score"].to_numpy() == pytest.approx(scores.mean(axis=1))
        assert known["Low"].to_numpy() == pytest.approx(np.quantile(scores, 0.25, axis=1))
        assert known["High"].to_numpy() == pytest.approx(np.quantile(scores, 0.75, axis=1))


def test_missing_is_a_value_and_a_group_is_one() -> None:
    frame, target = draw(600)
    fitted = pipeline().fit(frame, target)
    tables = dependence(fitted, frame, SCALE, ["late", "shop", "age", "region"], seed=0)
    members = ["late_1", "late_2", "late_3"]
    late = tables["late"]
    assert late["Value"].tolist()[:-1] == [0, 1, 2, 3, 4]
    assert np.isnan(late["Value"].iloc[-1])
    assert late["Share"].iloc[-1] == pytest.approx(100 * frame[members].isna().all(axis=1).mean())
    shares = 100 * frame[members].max(axis=1).value_counts(normalize=False).sort_index() / len(frame)
    assert late["Share"].tolist()[:-1] == pytest.approx(shares.tolist())
    assert tables["shop"]["Value"].iloc[-1] == "missing"
    assert sorted(tables["shop"]["Value"][:-1]) == ["books", "garden", "shoes"]
    assert tables["shop"]["Value"].iloc[0] == "shoes"  # the riskiest, see tests.applicants
    assert len(tables["age"]) <= dependence_module.MOST_VALUES + 1
    for table in tables.values():
        assert table["Share"].sum() == pytest.approx(100)
        assert (table["Low"] <= table["High"]).all()


def test_a_column_without_any_value_is_one_row() -> None:
    frame, target = draw(300)
    frame["age"] = np.nan
    fitted = pipeline().fit(frame, target)
    table = dependence(fitted, frame, SCALE, ["age"], seed=0)["age"]
    assert table["Share"].tolist() == [100]
    assert table["Value"].isna().all()
