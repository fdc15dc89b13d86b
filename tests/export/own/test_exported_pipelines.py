"""A fitted pipeline of somebody's becomes a model that answers as it does."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import RFECV
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, StandardScaler
from xgboost import DMatrix, XGBClassifier, XGBRFClassifier

from deploy.smoke import applicant_of
from export.own import profile
from export.own.cuts import settled
from export.own.settings import own_settings
from export.refusal import ExportRefused
from runtime.problem import Problem
from runtime.validate import Validator
from tests.export.own.pipelines import FORMS, booster, exported, rows_of, served, usual
from training.estimator.boosting import MarginXGBClassifier

pytestmark = pytest.mark.tier("land")
SIGMOID = 4.5e-16


@pytest.fixture(scope="module")
def rows() -> tuple[pd.DataFrame, Any]:
    return rows_of()


@pytest.mark.sample(3)
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("form", FORMS)
def test_what_is_served_is_what_the_pipeline_answers(
    form: str, sparse: bool, rows: tuple[pd.DataFrame, Any], tmp_path: Path
) -> None:
    X, y = rows
    fitted = FORMS[form](usual(sparse=sparse)).fit(X, y)
    certificate, model = exported(fitted, X, tmp_path / "model", y)
    assert certificate["total"]["margins_bit_equal"] == certificate["total"]["margins"]
    assert certificate["total"]["bands_that_differ"] == 0
    others, _ = rows_of(500, seed=7)
    assert served(model, others) == pytest.approx(fitted.predict_proba(others)[:, 1], abs=SIGMOID, rel=0)


def test_absent_entries_of_a_sparse_matrix_are_missing_and_stored_zeros_are_not(tmp_path: Path) -> None:
    """A one-hot of 20 levels leaves its matrix sparse; a number that passes through loses its zeros."""
    X, y = rows_of()
    columns = ColumnTransformer(
        [("city", OneHotEncoder(handle_unknown="ignore"), ["city"])], remainder="passthrough", sparse_threshold=1.0
    )
    X = X[["city", "late", "age"]].assign(late=X["late"].fillna(0))
    fitted = make_pipeline(columns, booster()).fit(X, y)
    _, model = exported(fitted, X, tmp_path / "model")
    zero = X.assign(late=0.0)
    assert np.array_equal(served(model, zero), fitted.predict_proba(zero)[:, 1].astype(np.float64))
    as_zeros = fitted[-1].predict_proba(fitted[0].transform(zero).toarray())[:, 1]
    assert np.abs(as_zeros - served(model, zero)).max() > 0.05


def loaded(trees: XGBClassifier, file: Path) -> XGBClassifier:
    """A booster that was saved by itself."""
    trees.get_booster().save_model(file)
    opened = XGBClassifier()
    opened.load_model(file)
    return opened


def test_a_saved_booster_is_taken(rows: tuple[pd.DataFrame, Any], tmp_path: Path) -> None:
    X, y = rows
    numbers = X[["income", "age", "debt", "late"]]
    fitted = loaded(booster().fit(numbers, y), tmp_path / "booster.json")
    _, model = exported(fitted, numbers, tmp_path / "model")
    assert np.array_equal(served(model, numbers), fitted.predict_proba(numbers)[:, 1].astype(np.float64))


@pytest.mark.parametrize("stops", [None, 2], ids=["all trees", "stopped early"])
def test_a_native_booster_is_taken_with_all_of_its_trees(
    stops: int | None, rows: tuple[pd.DataFrame, Any], tmp_path: Path
) -> None:
    X, y = rows
    numbers = X[["income", "age", "debt", "late"]]
    matrix = DMatrix(numbers, y)
    told = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.9}
    trees = xgboost.train(
        told, matrix, 12, evals=[(DMatrix(numbers, 1 - y), "e")], early_stopping_rounds=stops, verbose_eval=False
    )
    _, model = exported(trees, numbers, tmp_path / "model")
    assert np.array_equal(served(model, numbers), trees.predict(matrix).astype(np.float64))


@pytest.mark.parametrize("name", ["größe", "a b/c~", "€ 'each'", "収入", 'said "no"', "back\\slash"])
def test_any_name_of_a_column_is_kept(name: str, rows: tuple[pd.DataFrame, Any], tmp_path: Path) -> None:
    X, y = rows
    named = X[["income", "debt"]].set_axis([name, "other"], axis=1)
    for fitted in (booster().fit(named, y), make_pipeline(StandardScaler(), booster()).fit(named, y)):
        _, model = exported(fitted, named, tmp_path / "model")
        assert model.manifest.numbers[0].name == name
        assert np.array_equal(served(model, named), fitted.predict_proba(named)[:, 1].astype(np.float64))


def test_trees_without_a_split_are_taken(rows: tuple[pd.DataFrame, Any], tmp_path: Path) -> None:
    X, y = rows
    fitted = make_pipeline(usual(), booster(gamma=1e9)).fit(X, y)
    _, model = exported(fitted, X, tmp_path / "model")
    assert len(np.unique(served(model, X))) == 1
    alone = make_pipeline(OneHotEncoder(handle_unknown="ignore"), booster(gamma=1e9)).fit(X[["city"]], y)
    _, model = exported(alone, X[["city"]], tmp_path / "model")
    assert np.array_equal(served(model, X[["city"]]), alone.predict_proba(X[["city"]])[:, 1].astype(np.float64))


def test_texts_alone_are_taken(rows: tuple[pd.DataFrame, Any], tmp_path: Path) -> None:
    X, y = rows
    fitted = make_pipeline(OneHotEncoder(handle_unknown="ignore"), booster()).fit(X[["city"]], y)
    _, model = exported(fitted, X[["city"]], tmp_path / "model")
    assert np.array_equal(served(model, X[["city"]]), fitted.predict_proba(X[["city"]])[:, 1].astype(np.float64))


OTHERS: dict[str, Any] = {
    "a frozen booster, calibrated": lambda X, y: make_pipeline(
        usual().fit(X), CalibratedClassifierCV(FrozenEstimator(booster().fit(usual().fit_transform(X), y)))
    ).fit(X, y),
    "a frozen pipeline": lambda X, y: FrozenEstimator(make_pipeline(usual(), booster()).fit(X, y)),
    "a search": lambda X, y: GridSearchCV(
        make_pipeline(usual(), booster()), {"xgbclassifier__max_depth": [2, 3]}, cv=2
    ).fit(X, y),
    "a search inside of a calibration": lambda X, y: CalibratedClassifierCV(
        GridSearchCV(make_pipeline(usual(), booster()), {"xgbclassifier__max_depth": [2]}, cv=2), cv=2
    ).fit(X, y),
    "another threshold": lambda X, y: FixedThresholdClassifier(make_pipeline(usual(), booster()), threshold=0.3).fit(
        X, y
    ),
    "a random forest": lambda X, y: make_pipeline(usual(), XGBRFClassifier(n_estimators=10, max_depth=4, n_jobs=1)).fit(
        X, y
    ),
    "calibrated margins": lambda X, y: make_pipeline(
        usual(), CalibratedClassifierCV(MarginXGBClassifier(n_estimators=10, n_jobs=1), method="isotonic", cv=2)
    ).fit(X, y),
    "steps before and inside": lambda X, y: make_pipeline(
        usual(sparse=False), CalibratedClassifierCV(make_pipeline(StandardScaler(), booster()), cv=2)
    ).fit(X, y),
    "columns that a notebook's function chooses": lambda X, y: make_pipeline(
        ColumnTransformer(
            [("texts", OneHotEncoder(handle_unknown="ignore"), lambda rows: ["city", "job"])],
            remainder=make_pipeline(SimpleImputer(), StandardScaler()),
        ),
        booster(),
    ).fit(X, y),
    "columns that a search has selected": lambda X, y: make_pipeline(
        usual(), RFECV(booster(n_estimators=3), step=6, cv=2), booster()
    ).fit(X, y),
    "a bare booster": lambda X, y: booster().fit(X[["income", "age", "debt", "late", "owner"]], y),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # newer versions of XGBoost deprecate forests and DART
@pytest.mark.parametrize("form", OTHERS)
def test_nestings_are_taken_apart(form: str, rows: tuple[pd.DataFrame, Any], tmp_path: Path) -> None:
    X, y = rows
    fitted = OTHERS[form](X, y)
    given = X if form != "a bare booster" else X[["income", "age", "debt", "late", "owner"]]
    _, model = exported(fitted, given, tmp_path / "model")
    assert served(model, given) == pytest.approx(fitted.predict_proba(given)[:, 1], abs=SIGMOID, rel=0)


def test_an_encoder_of_booleans_is_asked_for_nothing_between(tmp_path: Path) -> None:
    """OneHotEncoder() raises for a number that is neither of its two, and no request has one."""
    X, y = rows_of()
    columns = ColumnTransformer([("owner", OneHotEncoder(), ["owner"])], remainder="passthrough")
    for given in (X[["owner", "age"]], X[["owner"]]):
        fitted = make_pipeline(columns, booster()).fit(given, y)
        _, model = exported(fitted, given, tmp_path / "model")
        assert np.array_equal(served(model, given), fitted.predict_proba(given)[:, 1].astype(np.float64))


def test_a_column_of_texts_may_have_no_value_in_the_rows(rows: tuple[pd.DataFrame, Any], tmp_path: Path) -> None:
    X, y = rows
    fitted = make_pipeline(usual(), booster()).fit(X, y)
    empty = X.assign(job=pd.Series([np.nan] * len(X), dtype=object))
    _, model = exported(fitted, empty, tmp_path / "model")
    assert model.manifest.categories[0].vocabulary == ("clerk", "nurse", "smith")
    assert np.array_equal(served(model, X), fitted.predict_proba(X)[:, 1].astype(np.float64))


def test_a_table_of_arrow_is_taken_by_the_names_of_its_columns(rows: tuple[pd.DataFrame, Any], tmp_path: Path) -> None:
    X, y = rows
    numbers = X[["income", "age", "debt"]]
    fitted = make_pipeline(SimpleImputer(), booster()).fit(numbers, y)
    _, model = exported(fitted, pa.table(numbers[["debt", "income", "age"]]), tmp_path / "model")
    assert model.manifest.document["features"][1]["range"] == [numbers["age"].min(), numbers["age"].max()]


def test_an_array_gets_names(tmp_path: Path) -> None:
    X, y = rows_of()
    numbers = X[["income", "age", "debt"]].to_numpy()
    fitted = make_pipeline(SimpleImputer(), StandardScaler(), booster()).fit(numbers, y)
    _, model = exported(fitted, numbers, tmp_path / "model")
    assert [feature.name for feature in model.manifest.numbers] == ["x0", "x1", "x2"]
    answered = model.predict(numbers)[0]
    assert np.array_equal(answered, fitted.predict_proba(numbers)[:, 1].astype(np.float64))


def test_columns_come_in_any_order(rows: tuple[pd.DataFrame, Any], tmp_path: Path) -> None:
    X, y = rows
    fitted = make_pipeline(usual(), booster()).fit(X, y)
    _, model = exported(fitted, X[X.columns[::-1]], tmp_path / "model")
    assert np.array_equal(served(model, X), fitted.predict_proba(X)[:, 1].astype(np.float64))


def test_the_default_may_be_the_first_class(rows: tuple[pd.DataFrame, Any], tmp_path: Path) -> None:
    X, y = rows
    fitted = make_pipeline(usual(), CalibratedClassifierCV(booster(), cv=2)).fit(X, y)
    _, model = exported(fitted, X, tmp_path / "model", y, own_settings({"target": {"positive": 0}}))
    assert served(model, X) == pytest.approx(fitted.predict_proba(X)[:, 0], abs=SIGMOID, rel=0)


def test_the_manifest_says_what_pipeline_and_rows_say(rows: tuple[pd.DataFrame, Any], tmp_path: Path) -> None:
    X, y = rows
    binned = ColumnTransformer(
        [
            ("bins", KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"), ["age"]),  # raises for NaN
            ("city", OneHotEncoder(handle_unknown="ignore"), ["city"]),
            ("log", make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(np.log1p)), ["debt"]),
            ("rest", "passthrough", ["owner"]),
        ]
    )
    fitted = make_pipeline(binned, booster()).fit(X, y)
    settings = own_settings(
        {
            "score": {"points": 500.0},
            "bands": {"edges": [300, 500, 700]},
            "limits": {"batch": 7},
            "descriptions": {"age": "years"},
        }
    )
    exported(fitted, X, tmp_path / "model", y, settings)
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    age, city, debt, owner = (
        next(f for f in manifest["features"] if f["name"] == name) for name in ("age", "city", "debt", "owner")
    )
    assert age == {
        "name": "age",
        "type": "number",
        "nullable": False,
        "description": "years",
        "range": [float(X["age"].min()), float(X["age"].max())],
    }
    assert city["vocabulary"] == sorted(X["city"].unique())
    assert (debt["nullable"], owner["type"], owner["nullable"]) == (True, "boolean", True)
    assert {f["name"] for f in manifest["features"]} == {"age", "city", "debt", "owner"}  # the others are dropped
    assert (manifest["bands"], manifest["limits"]["batch"], manifest["score"]["points"]) == ([300, 500, 700], 7, 500)
    assert manifest["reference"]["metrics"]["default_rate"] == pytest.approx(y.mean(), abs=1e-6)


def test_a_difference_is_refused_with_row_column_and_step(
    rows: tuple[pd.DataFrame, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cut that is found one float64 too high shows at its boundary."""
    X, y = rows
    fitted = make_pipeline(usual(), booster()).fit(X, y)

    def one_too_high(*asked: Any) -> Any:
        return {j: np.nextafter(cuts, np.inf) for j, cuts in settled(*asked).items()}

    monkeypatch.setattr(profile, "settled", one_too_high)
    with pytest.raises(ExportRefused, match=r"^income: prepared column 0 differs first at .*StandardScaler\): for \d+"):
        exported(fitted, X, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_none_among_texts_is_what_the_rows_have_for_missing(tmp_path: Path) -> None:
    """An OrdinalEncoder that was fitted with None has a level for it, and one for NaN would be another."""
    X, y = rows_of()
    objects = pd.DataFrame({"job": X["job"].astype(object).where(X["job"].notna(), None), "age": X["age"]})
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=9)
    imputed = make_pipeline(SimpleImputer(missing_values=None, strategy="constant", fill_value="none"), encoder)
    for texts in (encoder, imputed):
        columns = ColumnTransformer([("job", texts, ["job"])], remainder="passthrough")
        fitted = make_pipeline(columns, booster()).fit(objects, y)
        _, model = exported(fitted, objects, tmp_path / "model")
        assert np.array_equal(served(model, objects), fitted.predict_proba(objects)[:, 1].astype(np.float64))


class OneLevelMore:
    """The rows of two folds, the second of which has a level more than the first."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Any:
        first = np.flatnonzero(X["city"] != "city 3")
        yield first[::2], first[1::2]
        yield np.arange(0, len(X), 2), np.arange(1, len(X), 2)

    def get_n_splits(self, *asked: Any) -> int:
        return 2


def closing(encoder: Any) -> ColumnTransformer:
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), encoder)
    return ColumnTransformer([("city", texts, ["city"]), ("rest", "passthrough", ["income", "late"])])


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()], ids=lambda encoder: type(encoder).__name__)
def test_a_level_that_the_pipeline_raises_for_is_a_validation_error(
    encoder: Any, rows: tuple[pd.DataFrame, Any], tmp_path: Path
) -> None:
    X, y = rows
    fitted = make_pipeline(closing(encoder), booster()).fit(X, y)
    with pytest.raises(ValueError, match="Found unknown categories"):
        fitted.predict_proba(X.assign(city="elsewhere"))
    _, model = exported(fitted, X, tmp_path / "model")
    validator = Validator(model.manifest)
    applicant = {"uuid": "1", "income": 9000, "late": None, "city": "city 3"}
    assert validator.applicant(applicant).warnings == []
    with pytest.raises(Problem) as problem:
        validator.applicant({**applicant, "city": "elsewhere"})
    assert problem.value.errors is not None
    [error] = problem.value.errors
    assert error["pointer"] == "/city"
    assert error["detail"].startswith('expected a category that the model knows, "city 0", "city 1"')
    assert all(applicant_of(model.manifest, row, "1") is not None for row in model.manifest.self_check)


def test_a_vocabulary_holds_what_every_fold_of_a_calibration_takes(
    rows: tuple[pd.DataFrame, Any], tmp_path: Path
) -> None:
    X, y = rows
    fitted = CalibratedClassifierCV(make_pipeline(closing(OneHotEncoder()), booster()), cv=OneLevelMore()).fit(X, y)
    known = X[X["city"] != "city 3"]
    with pytest.raises(ExportRefused, match="rows: the pipeline raises for the given rows"):
        exported(fitted, X, tmp_path / "model")
    _, model = exported(fitted, known, tmp_path / "model")
    [city] = model.manifest.categories
    assert city.closed
    assert set(city.vocabulary) == set(known["city"])
    assert served(model, known) == pytest.approx(fitted.predict_proba(known)[:, 1], abs=SIGMOID, rel=0)


def test_a_missing_level_that_an_encoder_has_not_seen_may_not_be_missing(
    rows: tuple[pd.DataFrame, Any], tmp_path: Path
) -> None:
    X, y = rows
    columns = ColumnTransformer([("texts", OneHotEncoder(), ["city", "job"])], remainder="drop")
    _, model = exported(make_pipeline(columns, booster()).fit(X, y), X, tmp_path / "model")
    assert [(f.name, f.closed, f.nullable) for f in model.manifest.categories] == [
        ("job", True, True),  # the fit has seen a missing one
        ("city", True, False),
    ]
