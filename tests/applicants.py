"""A small table with every kind of column, for tests that need a fitted pipeline and not a good model."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.preparation import Preparation

NUMBERS = ["income", "debt", "age", "late_1", "late_2", "late_3", "has_paid"]
CATEGORIES = ["shop", "region"]
# Settings for a table.csv of `draw`'s applicants, with the target as `default` and a `uuid`.
SETTINGS = """
[data]
file = "table.csv"
[features]
income = { type = "number", log1p = true }
age = "number"
late_1 = "number"
late_2 = "number"
has_paid = "boolean"
shop = "category"
[row_max]
late = ["late_1", "late_2"]
"""


def draw(rows: int = 3_000, seed: int = 0) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Applicants with missing values in every column, and whether they defaulted (about one in six)."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "income": rng.lognormal(10, 1, rows),
            "debt": np.where(rng.random(rows) < 0.4, 0.0, rng.lognormal(8, 2, rows)),
            "age": rng.integers(18, 90, rows).astype(float),
            "late_1": rng.integers(0, 5, rows).astype(float),
            "late_2": rng.integers(0, 5, rows).astype(float),
            "late_3": rng.integers(0, 5, rows).astype(float),
            "has_paid": rng.integers(0, 2, rows).astype(float),
            "shop": rng.choice(["books", "shoes", "garden"], rows).astype(object),
            "region": rng.choice(["north", "south", "books"], rows).astype(object),
        }
    )
    risk = np.log1p(frame["debt"]) / 4 - np.log(frame["income"]) / 2 + frame[["late_1", "late_2"]].max(axis=1) / 3
    risk += (frame["shop"] == "shoes") * 0.8 - frame["has_paid"] * 0.7 - (frame["age"] > 40) * 0.4
    target = (rng.random(rows) < 1 / (1 + np.exp(-(risk - risk.mean() - 1.9)))).astype(np.int8).to_numpy()
    for name in frame.columns:
        frame.loc[rng.random(rows) < 0.15, name] = None if name in CATEGORIES else np.nan
    return frame, target


def pipeline(classifier: Any = None, **parameters: Any) -> Pipeline:
    """An unfitted pipeline over all columns: log1p, a row maximum, booleans, categories."""
    booster = XGBClassifier(**{"n_estimators": 25, "max_depth": 4, "learning_rate": 0.2, "n_jobs": 1, **parameters})
    preparation = Preparation(
        numbers=NUMBERS,
        categories={"shop": [], "region": ["north", "south"]},
        log1p=["income", "debt"],
        row_max={"late": ["late_1", "late_2", "late_3"]},
    )
    return Pipeline(
        [("prepare", preparation), ("classify", classifier or CrossFittedClassifier(booster, random_state=0))]
    )
