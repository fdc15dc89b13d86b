"""Tables and pipelines as other people have them: rows of mixed types, and preparations by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

from cli.progress import Progress
from export.documents import Certificate
from export.own.model import export_own
from export.own.settings import OwnSettings, own_settings
from runtime.model import Model
from training.estimator.boosting import MarginXGBClassifier

NUMBERS: list[str] = ["income", "age", "debt", "late"]
TEXTS: list[str] = ["job", "city"]
QUIET = Progress(quiet=True)
WITHOUT_REASONS = {"reasons": {"reference": "none"}}


def rows_of(count: int = 1_000, seed: int = 0) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Raw columns of six kinds, with missing values, and outcomes that depend on them."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "income": rng.lognormal(10, 1, count),
            "age": rng.integers(18, 80, count),
            "debt": rng.normal(size=count) * 100,
            "late": rng.poisson(1, count).astype(float),
            "owner": rng.random(count) < 0.4,
            "job": rng.choice(np.array(["clerk", "nurse", "smith", None], dtype=object), count),
            "city": rng.choice([f"city {i}" for i in range(20)], count),
        }
    )
    risk = -np.log(frame["income"]) + 10 + frame["late"] + frame["city"].isin(["city 1", "city 2"]) - frame["owner"]
    frame.loc[rng.random(count) < 0.1, "income"] = np.nan
    frame.loc[rng.random(count) < 0.1, "late"] = np.nan
    return frame, (risk + rng.normal(size=count) > 1).astype(int).to_numpy()


def booster(**parameters: Any) -> XGBClassifier:
    return XGBClassifier(**{"n_estimators": 12, "max_depth": 4, "n_jobs": 1, **parameters})


def usual(*, sparse: bool = False) -> ColumnTransformer:
    """The preparation that most pipelines have."""
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
            ("texts", texts, TEXTS),
            ("rest", "passthrough", ["owner"]),
        ],
        sparse_threshold=1.0 if sparse else 0.0,
    )


def on_margins() -> MarginXGBClassifier:
    return MarginXGBClassifier(n_estimators=12, max_depth=4, n_jobs=1)


FORMS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda preparation: make_pipeline(preparation, booster()),
    "sigmoid": lambda preparation: make_pipeline(
        preparation, CalibratedClassifierCV(booster(), method="sigmoid", cv=2)
    ),
    "isotonic": lambda preparation: make_pipeline(
        preparation, CalibratedClassifierCV(booster(), method="isotonic", cv=2)
    ),
    "sigmoid over the pipeline": lambda preparation: CalibratedClassifierCV(
        make_pipeline(preparation, booster()), method="sigmoid", cv=2
    ),
    "isotonic over the pipeline": lambda preparation: CalibratedClassifierCV(
        make_pipeline(preparation, booster()), method="isotonic", cv=2
    ),
    "sigmoid on margins": lambda preparation: make_pipeline(
        preparation, CalibratedClassifierCV(on_margins(), method="sigmoid", cv=2)
    ),
    "isotonic on margins": lambda preparation: make_pipeline(
        preparation, CalibratedClassifierCV(on_margins(), method="isotonic", cv=2)
    ),
    "sigmoid on margins, over the pipeline": lambda preparation: CalibratedClassifierCV(
        make_pipeline(preparation, on_margins()), method="sigmoid", cv=2
    ),
    "isotonic on margins, over the pipeline": lambda preparation: CalibratedClassifierCV(
        make_pipeline(preparation, on_margins()), method="isotonic", cv=2
    ),
}


def exported(
    fitted: Any, frame: Any, out: Path, y: Any = None, settings: OwnSettings | None = None
) -> tuple[Certificate, Model]:
    """The certificate and the served model of a fitted pipeline, without reasons where `settings` want none."""
    certificate = export_own(fitted, frame, y, out, settings or own_settings(WITHOUT_REASONS), QUIET)
    return certificate, Model.load(str(out))


def served(model: Model, frame: pd.DataFrame) -> NDArray[np.float64]:
    """The served probability of each row, from the manifest's columns alone."""
    numbers = np.column_stack(
        [frame[f.name].to_numpy(dtype=np.float64, na_value=np.nan) for f in model.manifest.numbers]
        or [np.empty((len(frame), 0))]
    )
    texts = [frame[f.name].astype(object).where(frame[f.name].notna(), "").tolist() for f in model.manifest.categories]
    return model.predict(numbers.tolist(), [list(row) for row in zip(*texts, strict=True)])[0]
