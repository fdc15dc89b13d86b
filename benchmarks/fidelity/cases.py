"""Fitted pipelines as users have them, and rows to ask them: the same recipe in the environment of each peer.

scikit-learn, XGBoost, pandas and numpy only. Every pipeline takes a DataFrame: six numbers `f0` … `f5`, and in two
cases a text. What it answers with the versions of its environment is what a peer's answer is compared with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from xgboost import XGBClassifier

TRAINING, ASKED, THRESHOLDS = 4_000, 4_000, 400
NUMBERS = [f"f{i}" for i in range(6)]
CITIES = [f"city {i}" for i in range(20)]
ABSENT = -999.0


@dataclass(frozen=True)
class Case:
    """A fitted pipeline with the rows that it was fitted on, rows as they come, and rows at its splits."""

    name: str
    pipeline: Any
    train: pd.DataFrame
    target: NDArray[np.int8]
    rows: pd.DataFrame
    at_splits: pd.DataFrame


def draw(count: int, seed: int, cities: bool, absent: float) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Applicants with numbers in float64, counts with many zeros, a tenth of all missing (`absent`), and outcomes."""
    rng = np.random.default_rng(seed)
    numbers = np.column_stack(
        [
            rng.normal(size=count),
            rng.lognormal(3, 1, count),
            rng.poisson(0.7, count).astype(float),
            rng.uniform(-1, 1, count),
            rng.poisson(3, count).astype(float),
            rng.normal(50, 10, count).round(2),
        ]
    )
    city = rng.integers(len(CITIES), size=count)
    odds = numbers[:, 0] + 0.02 * numbers[:, 1] - 0.8 * numbers[:, 2] + numbers[:, 3] ** 2 + 0.15 * (city % 7) - 2
    target = (rng.uniform(size=count) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    numbers[rng.uniform(size=numbers.shape) < 0.1] = absent
    frame = pd.DataFrame(numbers, columns=NUMBERS)
    return (frame.assign(city=np.array(CITIES)[city]) if cities else frame), target


def booster(**more: Any) -> Any:
    """An unfitted classifier of 50 trees."""
    known = {"n_estimators": 50, "max_depth": 4, "learning_rate": 0.2, "n_jobs": 1, "random_state": 5}
    return XGBClassifier(**{**known, **more})


def _calibrated(method: str) -> Callable[..., Any]:
    return lambda x, y: CalibratedClassifierCV(booster(), method=method, cv=3).fit(x, y)


def _frozen(x: Any, y: Any) -> Any:
    from sklearn.frozen import FrozenEstimator

    half = len(x) // 2
    fitted = FrozenEstimator(booster().fit(x[:half], y[:half]))
    return CalibratedClassifierCV(fitted, method="sigmoid").fit(x[half:], y[half:])


def _stopped(x: Any, y: Any) -> Any:
    half = len(x) // 2
    model = booster(n_estimators=300, early_stopping_rounds=5, learning_rate=0.5)
    return model.fit(x[:half], y[:half], eval_set=[(x[half:], y[half:])], verbose=False)


def _sparse(x: Any, y: Any) -> Any:
    encoder = OneHotEncoder(handle_unknown="ignore")
    preparation = ColumnTransformer([("city", encoder, ["city"]), ("numbers", "passthrough", NUMBERS)])
    return make_pipeline(preparation, booster()).fit(x, y)


def _categories(x: Any, y: Any) -> Any:
    return booster(enable_categorical=True, tree_method="hist").fit(as_categories(x), y)


def as_categories(frame: pd.DataFrame) -> pd.DataFrame:
    """The text as pandas' categories, which XGBoost splits itself."""
    return frame.assign(city=pd.Categorical(frame["city"], categories=CITIES))


FITS: dict[str, Callable[..., Any]] = {
    "margin": lambda x, y: booster().fit(x, y),
    "sigmoid": _calibrated("sigmoid"),
    "isotonic": _calibrated("isotonic"),
    "FrozenEstimator": _frozen,
    "early stopping": _stopped,
    "DART": lambda x, y: booster(booster="dart", rate_drop=0.2).fit(x, y),
    "parallel trees": lambda x, y: booster(num_parallel_tree=4, subsample=0.7).fit(x, y),
    "sparse one-hot": _sparse,
    "categories": _categories,
    "missing ≠ NaN": lambda x, y: booster(missing=ABSENT).fit(x, y),
}
WITH_CITIES = ("sparse one-hot", "categories")


def case(name: str) -> Case:
    """Fit the pipeline of a name."""
    absent = ABSENT if name == "missing ≠ NaN" else np.nan
    train, target = draw(TRAINING, 1, name in WITH_CITIES, absent)
    rows, _ = draw(ASKED, 2, name in WITH_CITIES, absent)
    pipeline = FITS[name](train, target)
    if name == "categories":
        train, rows = as_categories(train), as_categories(rows)
    return Case(name, pipeline, train, target, rows, _at_splits(pipeline, rows))


def _at_splits(pipeline: Any, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that stand on a split's threshold, one float32 below and above it, and a float64 that rounds to it."""
    found = set[tuple[str, float]]()
    for each in _classifiers(pipeline):
        table = each.get_booster().trees_to_dataframe()
        names = list(rows.columns)
        for feature, split in zip(table["Feature"], table["Split"], strict=True):
            known = feature if feature in NUMBERS else _name(feature, names, pipeline)
            if known in NUMBERS and np.isfinite(split):
                found.add((known, float(np.float32(split))))
    chosen = sorted(found)
    chosen = [chosen[i] for i in np.linspace(0, len(chosen) - 1, min(len(chosen), THRESHOLDS)).astype(int)]
    values = [
        (name, value)
        for name, threshold in chosen
        for value in (
            threshold,
            float(np.nextafter(np.float32(threshold), np.float32(-np.inf))),
            float(np.nextafter(np.float32(threshold), np.float32(np.inf))),
            threshold - abs(threshold) * 1e-9,
        )
    ]
    frame = rows.iloc[np.arange(len(values)) % len(rows)].reset_index(drop=True)
    for row, (name, value) in enumerate(values):
        frame.loc[row, name] = value
    return frame


def _classifiers(pipeline: Any) -> list[Any]:
    """The XGBoost classifiers of a pipeline."""
    if hasattr(pipeline, "get_booster"):
        return [pipeline]
    if hasattr(pipeline, "calibrated_classifiers_"):
        inner = [its.estimator for its in pipeline.calibrated_classifiers_]
        return [getattr(its, "estimator", its) if not hasattr(its, "get_booster") else its for its in inner]
    return [pipeline[-1]]


def _name(feature: str, names: list[str], pipeline: Any) -> str:
    """The column behind a feature of a prepared matrix: the numbers follow the levels."""
    if not feature.startswith("f") or hasattr(pipeline, "get_booster"):
        return ""
    behind = int(feature[1:]) - len(CITIES)
    return NUMBERS[behind] if 0 <= behind < len(NUMBERS) else ""
