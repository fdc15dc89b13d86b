"""An unsupported pipeline is refused in one line that names the part, and the model folder is unchanged."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from lightgbm import LGBMClassifier
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from xgboost import DMatrix, XGBClassifier

from cli.errors import UserError
from export.own.settings import own_settings
from export.own.steps import outputs_of
from lastbit import export_model
from tests.export.own.pipelines import booster, rows_of, usual

X, Y = rows_of(300)
NUMBERS = X[["income", "age", "debt"]]
DATED = X.assign(since=datetime(2020, 1, 1))


class Doubled(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer of a user's own."""

    def fit(self, X: Any, y: Any = None) -> "Doubled":
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        return X * 2


class OwnScaler(StandardScaler):  # type: ignore[misc]
    """A subclass may answer otherwise."""


class Moody(XGBClassifier):  # type: ignore[misc]
    """Answers differently every time."""

    def predict_proba(self, X: Any, **asked: Any) -> Any:
        return np.random.default_rng().dirichlet([1, 1], len(X))


def squared(x: Any) -> Any:
    return x**2


def on_numbers(*steps: Any) -> Any:
    return make_pipeline(*steps, booster()).fit(NUMBERS, Y)


@cache
def fitted() -> Any:
    return make_pipeline(usual(), booster()).fit(X, Y)


def with_city(encoder: Any, column: str = "city") -> Any:
    columns = ColumnTransformer([(column, encoder, [column])], remainder="drop", sparse_threshold=0)
    return make_pipeline(columns, booster()).fit(X if column in X else DATED, Y)


# What is wrong, the fitted pipeline, the rows, the outcomes, and what the line has to say.
REFUSED: dict[str, tuple[Callable[[], Any], Any, Any, str]] = {
    "unfitted": (lambda: make_pipeline(usual(), booster()), X, None, "is not fitted; call fit first"),
    "an unfitted booster": (booster, NUMBERS, None, "is not fitted; call fit first"),
    "a class": (lambda: XGBClassifier, NUMBERS, None, "expected a fitted binary classifier.*XGBClassifier"),
    "no classifier": (lambda: StandardScaler().fit(NUMBERS), NUMBERS, None, "got StandardScaler"),
    "a column too few": (fitted, X.drop(columns="debt"), None, r'fitted on columns that are not there: \["debt"\]'),
    "a column too many": (fitted, X.assign(id=1), None, r'was not fitted on \["id"\]; leave out'),
    "a column twice": (fitted, pd.concat([X, X[["age"]]], axis=1), None, r'named twice: \["age"\]'),
    "rows in one dimension": (fitted, X["age"], None, r"expected a DataFrame or an array \[N, n\], got Series"),
    "a sparse matrix": (
        fitted,
        csr_matrix(NUMBERS.to_numpy()),
        None,
        r"expected a DataFrame or an array .* got csr_matrix",
    ),
    "no rows at all": (fitted, None, None, r"expected a DataFrame or an array .* got NoneType"),
    "a file's name": (fitted, "rows.csv", None, r"expected a DataFrame or an array .* got str"),
    "columns of an array": (
        lambda: booster().fit(NUMBERS.to_numpy(), Y),
        NUMBERS.to_numpy()[:, 1:],
        None,
        "expected the 3 columns of the fit, got 2",
    ),
    "too few rows": (fitted, X.head(99), None, "expected 100 real rows or more, got 99"),
    "rows of another population": (
        fitted,
        X.assign(city="elsewhere"),
        None,
        "city: the rows have no level that the pipeline knows",
    ),
    "dates": (
        lambda: with_city(StandardScaler(), "since"),
        DATED,
        None,
        r"^since: columntransformer → since \(StandardScaler\) reads dates, and only OneHotEncoder,.* fit on days",
    ),
    "decimals": (
        lambda: on_numbers(SimpleImputer()),
        NUMBERS.assign(age=pd.Series([Decimal(1)] * len(X), dtype=object)),
        None,
        r"age: expected numbers.*got Decimal; make it one of them by .astype\(float\) and fit again",
    ),
    "empty texts": (fitted, X.assign(job=""), None, "job: holds empty texts"),
    "a target of three values": (fitted, X, np.arange(300) % 3, r"expected both classes.*got \[0, 1, 2\]"),
    "a target of one value": (fitted, X, np.zeros(300, int), r"expected both classes.*got \[0\]"),
    "a target of another length": (fitted, X, Y[:299], "expected 300 outcomes.*got 299"),
    "three classes": (
        lambda: booster().fit(NUMBERS, np.arange(300) % 3),
        NUMBERS,
        None,
        "multi-class is not supported: expected two classes, got 3",
    ),
    "no tree ensemble": (
        lambda: make_pipeline(SimpleImputer(), LogisticRegression()).fit(NUMBERS, Y),
        NUMBERS,
        None,
        "LogisticRegression is not supported",
    ),
    "a search without its best": (
        lambda: GridSearchCV(booster(), {"max_depth": [2]}, cv=2, refit=False, scoring="roc_auc").fit(NUMBERS, Y),
        NUMBERS,
        None,
        r"got GridSearchCV\(refit=False\), which keeps no fitted pipeline; set refit=True",
    ),
    "a hard vote": (
        lambda: VotingClassifier([("a", booster()), ("b", booster(max_depth=2))]).fit(NUMBERS, Y),
        NUMBERS,
        None,
        "got VotingClassifier; set voting='soft'",
    ),
    "a transformer of somebody's": (lambda: on_numbers(Doubled()), NUMBERS, None, "doubled: Doubled is not supported"),
    "a subclass of a known one": (lambda: on_numbers(OwnScaler()), NUMBERS, None, "ownscaler: OwnScaler is not supp"),
    "a function of somebody's": (
        lambda: on_numbers(FunctionTransformer(squared)),
        NUMBERS,
        None,
        "FunctionTransformer of squared is not supported: expected a NumPy function of one number",
    ),
    "columns that are mixed": (lambda: on_numbers(SimpleImputer(), PCA(2)), NUMBERS, None, "pca: PCA is not supported"),
    "neighbours": (lambda: on_numbers(KNNImputer()), NUMBERS, None, "knnimputer: KNNImputer is not supported"),
    "rows with a level that the encoder raises for": (
        lambda: with_city(OneHotEncoder()),
        X.assign(city=X["city"].where(X.index != 299, "elsewhere")),
        None,
        "rows: the pipeline raises for the given rows",
    ),
    "an encoder of numbers that raises for others": (
        lambda: make_pipeline(
            ColumnTransformer([("late", OneHotEncoder(), ["late"])], remainder="passthrough"), booster()
        ).fit(X[["late", "age"]], Y),
        X[["late", "age"]],
        None,
        r"late: the pipeline raises for .*set the encoder's handle_unknown \(set_params does without a fit\)",
    ),
    "a logarithm of zero in front of a scaler": (
        lambda: on_numbers(FunctionTransformer(np.abs), FunctionTransformer(np.log), StandardScaler()),
        NUMBERS,
        None,
        r"debt|income|age: the pipeline raises for 0\.0.*clip it",
    ),
    "answers that change": (
        lambda: make_pipeline(StandardScaler(), Moody(n_estimators=2)).fit(NUMBERS, Y),
        NUMBERS,
        None,
        "answers differently when asked twice",
    ),
    "scikit-learn's histograms": (
        lambda: HistGradientBoostingClassifier(max_iter=3).fit(NUMBERS, Y),
        NUMBERS,
        None,
        "HistGradientBoostingClassifier is not supported: its thresholds and sums are float64",
    ),
    "LightGBM": (
        lambda: make_pipeline(SimpleImputer(), LGBMClassifier(n_estimators=3, verbose=-1)).fit(NUMBERS.to_numpy(), Y),
        NUMBERS.to_numpy(),
        None,
        "LGBMClassifier is not supported: its thresholds",
    ),
    "a random forest": (
        lambda: make_pipeline(SimpleImputer(), RandomForestClassifier(3)).fit(NUMBERS, Y),
        NUMBERS,
        None,
        "RandomForestClassifier is not supported: it takes the mean of float64 shares",
    ),
    "a native booster of a regression": (
        lambda: xgboost.train({"objective": "reg:squarederror"}, DMatrix(NUMBERS, Y), 3),
        NUMBERS,
        None,
        "reg:squarederror",
    ),
    "another objective": (
        lambda: booster(objective="binary:hinge").fit(NUMBERS, Y),
        NUMBERS,
        None,
        "objective binary:hinge is not supported",
    ),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # newer versions of XGBoost deprecate forests
@pytest.mark.tier("land")
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_taken_is_refused_by_name(case: str, tmp_path: Path) -> None:
    make, rows, outcomes, said = REFUSED[case]
    out = tmp_path / "model"
    out.mkdir()
    (out / "manifest.json").write_text("the last good one")
    with pytest.raises(UserError) as refused:
        export_model(make(), rows, outcomes, out)
    assert re.search(said, str(refused.value)), str(refused.value)
    assert "\n" not in str(refused.value)
    assert (out / "manifest.json").read_text() == "the last good one"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"scores": {}}, "config: scores: unknown table; did you mean score?"),
        ({"score": {"odds": 0}}, "config: score.odds: expected a number above 0, got 0"),
        ({"bands": {"edges": [500, 400]}}, "config: bands.edges: expected two or more ascending edges"),
        ({"bands": {"edges": "a"}}, "config: bands.edges: expected a list of ascending numbers"),
        ({"limits": {"batch": 0}}, "config: limits.batch: expected a whole number from 1 to 10000"),
        ({"target": {"negative": 1}}, "config: target.negative: unknown key"),
        ({"descriptions": {"age": 3}}, "config: descriptions.age: expected text, got 3"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_key(config: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as refused:
        own_settings(config)
    assert str(refused.value).startswith(said), str(refused.value)
    assert refused.value.exit_status == 2


def test_a_description_of_no_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'^descriptions: the pipeline does not read \["agee"\]'):
        export_model(fitted(), X, None, tmp_path / "model", {"descriptions": {"agee": "years"}})


def test_another_library_s_class_of_a_known_name_is_named_with_its_library() -> None:
    """As category_encoders' OrdinalEncoder."""
    kind = type("OrdinalEncoder", (StandardScaler,), {"__module__": "category_encoders.ordinal"})
    with pytest.raises(UserError, match=r"^step: OrdinalEncoder of category_encoders is not supported: expected"):
        outputs_of(kind(), 1, "step")
