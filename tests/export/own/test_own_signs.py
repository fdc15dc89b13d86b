"""Monotone constraints of an own pipeline's booster, carried back to raw numbers where that can be shown."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from export.own.settings import own_settings
from tests.export.own.pipelines import WITHOUT_REASONS, booster, exported, rows_of, served

pytestmark = pytest.mark.tier("land")
X, Y = rows_of(500)
NUMBERS = ["income", "age", "debt", "late"]
ROWS = X[[*NUMBERS, "owner"]]


@pytest.fixture(autouse=True)
def fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.own.proof.RANDOM_AND_REAL_ROWS", 500)
    monkeypatch.setattr("export.certificate.certify.SINGLE_ROWS", 20)
    monkeypatch.setattr("export.own.signs.SWEPT_ROWS", 4_000)


def turned() -> Any:
    return make_pipeline(SimpleImputer(), FunctionTransformer(np.negative))


def twice() -> Any:
    return FeatureUnion([("scaled", StandardScaler()), ("turned", turned())])


def folded() -> Any:
    """A column that both falls and rises with the number, so that trees of any XGBoost do."""
    return make_pipeline(StandardScaler(), FunctionTransformer(np.abs))


def columns(**steps: Any) -> ColumnTransformer:
    given = {"income": "passthrough", "age": "passthrough", "debt": "passthrough", "late": "passthrough", **steps}
    return ColumnTransformer([(name, step, [name]) for name, step in given.items()], remainder="passthrough")


# The steps, the constraints of the prepared columns, and the signs of the raw ones.
CASES: dict[str, tuple[Any, Any, dict[str, int]]] = {
    "as they are": (lambda: columns(), (-1, 0, 0, 1, -1), {"income": -1, "late": 1, "owner": -1}),
    "scaled": (
        lambda: columns(income=StandardScaler(), late=SimpleImputer()),
        (-1, 0, 0, 1),
        {"income": -1, "late": 1},
    ),
    "turned": (lambda: columns(income=turned()), (1, 0, 0, 0, 0), {"income": -1}),
    "up and down at once, so that none is claimed": (
        lambda: columns(income=twice()),
        (-1, -1, 0, 0, 1, 0),
        {"late": 1},
    ),
    "one of two columns without a constraint": (
        lambda: columns(late=FeatureUnion([("a", StandardScaler()), ("b", folded())])),
        (-1, 0, 0, 1, 0, 0),
        {"income": -1},
    ),
    "two columns that rise": (
        lambda: columns(late=FeatureUnion([("a", StandardScaler()), ("b", "passthrough")])),
        (-1, 0, 0, 1, 1, 0),
        {"income": -1, "late": 1},
    ),
    "missing for some numbers": (
        lambda: columns(debt=FunctionTransformer(np.log1p)),
        (-1, 0, 1, 0, 0),
        {"income": -1},
    ),
    "a square": (lambda: columns(debt=FunctionTransformer(np.square)), (0, 0, 1, 0, 0), {}),
    "as a text": (lambda: columns(), "(0,0,0,1,0)", {"late": 1}),
    "none": (lambda: columns(), None, {}),
}


@pytest.mark.filterwarnings("ignore:invalid value encountered in log1p")
@pytest.mark.sample(5)
@pytest.mark.parametrize("case", CASES)
def test_a_sign_is_claimed_of_what_keeps_it(case: str, tmp_path: Path) -> None:
    steps, constraints, signs = CASES[case]
    fitted = make_pipeline(steps(), booster(monotone_constraints=constraints)).fit(ROWS, Y)
    certificate, model = exported(fitted, ROWS, tmp_path / "model")
    assert {found["feature"]: found["sign"] for found in certificate["monotone"]} == signs
    assert all(found["holds"] and found["splits"] and found["rows"] for found in certificate["monotone"])
    for name, sign in signs.items():
        values = [0.0, 1.0] if name == "owner" else np.sort(ROWS[name].dropna().unique())
        some = ROWS.head(30)
        answers = np.stack(
            [served(model, some.assign(**{name: value})) for value in values[:: max(1, len(values) // 8)]]
        )
        assert (sign * np.diff(answers, axis=0) >= 0).all()


def test_a_calibrated_pipeline_has_signs_and_one_whose_default_is_the_first_class_none(tmp_path: Path) -> None:
    trees = booster(monotone_constraints={"income": -1})
    scaler = ColumnTransformer([("all", StandardScaler(), NUMBERS)], verbose_feature_names_out=False)
    fitted = CalibratedClassifierCV(
        make_pipeline(scaler.set_output(transform="pandas"), trees), method="isotonic", cv=2
    ).fit(ROWS, Y)
    certificate, _ = exported(fitted, ROWS, tmp_path / "model")
    assert [(found["feature"], found["sign"]) for found in certificate["monotone"]] == [("income", -1)]
    first = own_settings({"target": {"positive": 0}, **WITHOUT_REASONS})
    certificate, _ = exported(fitted, ROWS, tmp_path / "other", settings=first)
    assert certificate["monotone"] == []


def test_a_constraint_that_the_trees_do_not_keep_is_not_claimed(tmp_path: Path) -> None:
    fitted = make_pipeline(StandardScaler(), booster()).fit(ROWS, Y)
    fitted[-1].set_params(monotone_constraints=(1, 0, 0, -1, 0))
    certificate, _ = exported(fitted, ROWS, tmp_path / "model")
    assert certificate["monotone"] == []
