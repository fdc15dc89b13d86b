"""Twelve credit pipelines as books, documentation and courses teach them, with XGBoost behind.

Where the source fits another classifier, its preparation is what counts. `refused` is the line of one that is not taken
as it is taught.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from optbinning import BinningProcess
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.feature_selection import SelectPercentile, VarianceThreshold, chi2
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    StandardScaler,
    TargetEncoder,
)

from tests.export.own.pipelines import NUMBERS, booster, rows_of

GERMAN = Path(__file__).parents[3] / "examples" / "german_credit" / "germancredit.csv"
texts = make_column_selector(dtype_exclude=np.number)
numbers = make_column_selector(dtype_include=np.number)
Rows = tuple[pd.DataFrame, NDArray[np.integer[Any]]]


def german() -> Rows:
    """1,000 applicants with 13 categories and 7 numbers, none missing."""
    table = pd.read_csv(GERMAN)
    return table.drop(columns="creditability"), (table["creditability"] == "bad").astype(int).to_numpy()


def with_gaps() -> Rows:
    """Numbers and categories with missing values."""
    X, y = rows_of(800)
    return X.drop(columns="owner"), y


def numbers_alone() -> Rows:
    X, y = rows_of(800)
    return X[NUMBERS], y


@dataclass(frozen=True)
class Textbook:
    """A pipeline that is taught."""

    source: str
    what: str
    rows: Callable[[], Rows]
    make: Callable[[], Any]
    refused: str = ""


def mixed_types(*after_one_hot: Any) -> ColumnTransformer:
    one_hot = OneHotEncoder(handle_unknown="ignore")
    return ColumnTransformer(
        [
            ("num", Pipeline([("imputer", SimpleImputer(strategy="median")), ("scaler", StandardScaler())]), numbers),
            ("cat", make_pipeline(one_hot, *after_one_hot), texts),
        ]
    )


def geron() -> ColumnTransformer:
    logarithm = make_pipeline(SimpleImputer(strategy="median"), FunctionTransformer(np.log), StandardScaler())
    usual = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    levels = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    return ColumnTransformer([("log", logarithm, ["income"]), ("cat", levels, texts)], remainder=usual)


def two_levels_and_more() -> ColumnTransformer:
    two = ["telephone", "foreign_worker"]
    more = ["purpose", "housing", "credit_history", "savings_account_and_bonds"]
    scaled = make_pipeline(SimpleImputer(strategy="median"), MinMaxScaler(feature_range=(0, 1)))
    return ColumnTransformer(
        [("two", OrdinalEncoder(), two), ("more", OneHotEncoder(), more), ("numbers", scaled, numbers)]
    )


TEXTBOOKS = [
    Textbook(
        "scikit-learn, user guide, “Column Transformer with Mixed Types”",
        "median and scale; one-hot that ignores unseen levels, best half by chi²",
        german,
        lambda: make_pipeline(
            mixed_types(SelectPercentile(chi2, percentile=50)),
            booster(),
        ),
    ),
    Textbook(
        "scikit-learn, user guide, “Probability calibration”",
        "the same without selection, isotonic calibration over the whole pipeline",
        with_gaps,
        lambda: CalibratedClassifierCV(make_pipeline(mixed_types(), booster()), method="isotonic", cv=3),
    ),
    Textbook(
        "scikit-learn, “Comparing Target Encoder with Other Encoders”",
        "target encoding of many levels, numbers as they are",
        with_gaps,
        lambda: make_pipeline(
            make_column_transformer((TargetEncoder(target_type="binary", cv=2), texts), remainder="passthrough"),
            booster(),
        ),
    ),
    Textbook(
        "Inria, “scikit-learn MOOC”, encoding for trees",
        "ordinal codes, −1 for unseen levels, numbers as they are, searched by grid",
        german,
        lambda: GridSearchCV(
            make_pipeline(
                make_column_transformer(
                    (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), texts),
                    remainder="passthrough",
                ),
                booster(),
            ),
            {"xgbclassifier__max_depth": [2, 3]},
            cv=2,
        ),
    ),
    Textbook(
        "Géron, “Hands-On Machine Learning”, chapter 2",
        "logarithm of skewed amounts, median and scale, most frequent level and one-hot",
        with_gaps,
        lambda: make_pipeline(geron(), booster()),
        refused="income: the pipeline raises for 0.0",
    ),
    Textbook(
        "XGBoost, “Python Package Introduction” and scikit-learn interface",
        "the booster alone, missing values as NaN, weight of the rare class",
        numbers_alone,
        lambda: booster(scale_pos_weight=3.0, subsample=0.8),
    ),
    Textbook(
        "Brownlee, “Imbalanced Classification of Good and Bad Credit”",
        "one-hot that raises for unseen levels, numbers to 0 … 1",
        german,
        lambda: Pipeline(
            [
                ("t", ColumnTransformer([("c", OneHotEncoder(), texts), ("n", MinMaxScaler(), numbers)])),
                ("m", booster()),
            ]
        ),
    ),
    Textbook(
        "Kaggle, Home Credit Default Risk, introductory notebooks",
        "codes for two levels, one-hot for more, median, numbers to 0 … 1",
        german,
        lambda: make_pipeline(two_levels_and_more(), booster()),
    ),
    Textbook(
        "Kaggle, Give Me Some Credit, usual solution",
        "median with indicators of what was missing, capped amounts, sigmoid calibration",
        numbers_alone,
        lambda: make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True),
            FunctionTransformer(np.clip, kw_args={"a_min": 0, "a_max": 100_000}),
            CalibratedClassifierCV(booster(), method="sigmoid", cv=3),
        ),
    ),
    Textbook(
        "Kuhn and Johnson, “Applied Predictive Modeling”, chapters 3 and 4",
        "Yeo-Johnson, centre and scale, dummies without the first level, no constant columns",
        german,
        lambda: make_pipeline(
            ColumnTransformer(
                [
                    ("n", PowerTransformer(method="yeo-johnson", standardize=True), numbers),
                    ("c", OneHotEncoder(drop="first", handle_unknown="ignore", min_frequency=20), texts),
                ],
                sparse_threshold=0,
            ),
            VarianceThreshold(),
            booster(),
        ),
    ),
    Textbook(
        "Siddiqi, “Intelligent Credit Scoring”, by optbinning's documentation",
        "optimal bins and weight of evidence for numbers and categories",
        german,
        lambda: make_pipeline(
            BinningProcess(list(german()[0].columns), categorical_variables=list(texts(german()[0]))), booster()
        ),
    ),
    Textbook(
        "Course notes on UCI's default of credit card clients",
        "integer codes one-hot, amounts scaled, the rest as it is",
        with_gaps,
        lambda: make_pipeline(
            ColumnTransformer(
                [
                    ("codes", OneHotEncoder(handle_unknown="ignore"), ["late"]),
                    ("amounts", StandardScaler(), ["income", "debt"]),
                ],
                remainder="drop",
            ),
            booster(),
        ),
    ),
]
