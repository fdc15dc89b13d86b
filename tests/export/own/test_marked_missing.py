"""XGBClassifier with a number for missing values, `missing=-999`: exact through the whole pipeline, or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from export.own.marked import MarkedMissing, marked_steps
from export.own.settings import own_settings
from export.refusal import ExportRefused
from tests.export.own.pipelines import NUMBERS, booster, exported, rows_of, served, usual

pytestmark = pytest.mark.tier("land")
CODE = -999.0


def coded_rows(count: int = 1_000, seed: int = 0) -> tuple[pd.DataFrame, Any]:
    """Numbers with a code where they are missing, some NaN beside it, and numbers next to the code."""
    X, y = rows_of(count, seed)
    X = X[NUMBERS].fillna({"income": CODE, "late": CODE})
    X.loc[X.index[::17], "debt"] = CODE
    X.loc[X.index[1::17], "debt"] = np.nan
    X.loc[X.index[2::17], "debt"] = np.nextafter(CODE, 0)  # the code, as float32
    X.loc[X.index[3::17], "debt"] = np.nextafter(np.float32(CODE), np.float32(0))  # one float32 beside it
    return X, y


FORMS: dict[str, Callable[[], Any]] = {
    "bare": lambda: booster(missing=CODE),
    "calibrated": lambda: CalibratedClassifierCV(booster(missing=CODE), method="isotonic", cv=2),
    "code behind a scaler": lambda: make_pipeline(StandardScaler(), booster(missing=0.25)),
    "code of an imputer": lambda: make_pipeline(
        SimpleImputer(strategy="constant", fill_value=CODE), booster(missing=CODE)
    ),
    "zero": lambda: booster(missing=0),
    "dropout": lambda: booster(missing=CODE, booster="dart", rate_drop=0.3),
}


@pytest.mark.filterwarnings("ignore")  # newer versions of XGBoost deprecate DART
@pytest.mark.parametrize("form", FORMS)
def test_a_number_for_missing_values_is_missing_in_the_model_too(form: str, tmp_path: Path) -> None:
    X, y = coded_rows()
    fitted = FORMS[form]().fit(X, y)
    certificate, model = exported(fitted, X, tmp_path / "model", y, own_settings(None))
    assert certificate["total"]["margins_bit_equal"] == certificate["total"]["margins"]
    assert certificate["reasons"]["largest_difference"] <= 2e-7
    others, _ = coded_rows(400, seed=7)
    assert np.array_equal(served(model, others), fitted.predict_proba(others)[:, 1].astype(np.float64))


def test_a_number_for_missing_values_counts_among_stored_zeros(tmp_path: Path) -> None:
    """In a sparse matrix absent entries are missing, and stored ones that hold the number."""
    X, y = rows_of()
    columns = ColumnTransformer(
        [("city", OneHotEncoder(handle_unknown="ignore"), ["city"])], remainder="passthrough", sparse_threshold=1.0
    )
    X = X[["city", "late", "age"]].fillna({"late": 3})
    fitted = make_pipeline(columns, booster(missing=1.0)).fit(X, y)
    _, model = exported(fitted, X, tmp_path / "model", y)
    assert np.array_equal(served(model, X), fitted.predict_proba(X)[:, 1].astype(np.float64))


def test_boosters_with_and_without_a_number_each_have_their_own(tmp_path: Path) -> None:
    X, y = coded_rows()
    fitted = VotingClassifier([("a", booster(missing=CODE)), ("b", booster())], voting="soft").fit(X, y)
    _, model = exported(fitted, X, tmp_path / "model", y)
    assert served(model, X) == pytest.approx(fitted.predict_proba(X)[:, 1], abs=4.5e-16, rel=0)


@pytest.mark.parametrize("number", [-999.0, 0.0, 1e-45, 16_777_216.0, 3.4e38])
def test_the_points_of_a_number_are_the_last_float64_that_round_to_it(number: float) -> None:
    marked = np.float32(number)
    low, high = MarkedMissing(marked, 1).points
    for point, outside in ((low, -np.inf), (high, np.inf)):
        assert np.float32(point) == marked
        assert np.float32(np.nextafter(point, outside)) != marked


def test_a_number_for_missing_values_beyond_float32_is_refused() -> None:
    for number in (np.inf, -1e300):
        with pytest.raises(ExportRefused, match="replace it by NaN and fit again"):
            marked_steps(booster(missing=number))


def test_native_categories_with_a_number_for_missing_values_are_refused(tmp_path: Path) -> None:
    X, y = rows_of()
    frame = X[["income", "job"]].fillna({"income": CODE}).astype({"job": "category"})
    fitted = booster(missing=CODE, enable_categorical=True).fit(frame, y)
    with pytest.raises(ExportRefused, match="replace the number by NaN in the data and fit again"):
        exported(fitted, frame, tmp_path / "model", y)


def test_steps_that_mix_columns_in_front_of_a_number_are_refused_in_a_line(tmp_path: Path) -> None:
    X, y = rows_of()
    numbers = X[["age", "debt"]]
    fitted = make_pipeline(StandardScaler(), PCA(2), booster(missing=0.0)).fit(numbers, y)
    with pytest.raises(ExportRefused) as refused:
        exported(fitted, numbers, tmp_path / "model", y, own_settings({"exactness": {"tolerance": 1e-6}}))
    assert "missing=0 of XGBClassifier behind steps that mix columns is not supported" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_usual_preparation_takes_a_number_too(tmp_path: Path) -> None:
    X, y = rows_of()
    fitted = make_pipeline(usual(), CalibratedClassifierCV(booster(missing=0.0), cv=2)).fit(X, y)
    _, model = exported(fitted, X, tmp_path / "model", y)
    assert served(model, X) == pytest.approx(fitted.predict_proba(X)[:, 1], abs=4.5e-16, rel=0)
