"""Categories that XGBoost splits by itself: sets of levels, in every place where a booster may stand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from packaging.version import Version
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from cli.errors import UserError
from export.own.settings import OwnSettings
from lastbit import export_model
from tests.export.own.pipelines import NUMBERS, TEXTS, booster, exported, rows_of, served
from tests.export.served.exported import handler
from training.estimator.boosting import MarginXGBClassifier
from trees.ensemble import read_ensemble
from trees.levels import WHOLE_TEXTS, LevelSets

TABLE, Y = rows_of(600)
OF_SIGMOIDS = 2.5e-16  # the exponential has other last bits in other libraries; margins are bit-equal
X = TABLE.astype(dict.fromkeys(TEXTS, "category"))


@pytest.fixture(autouse=True)
def fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.own.proof.RANDOM_AND_REAL_ROWS", 600)
    monkeypatch.setattr("export.certificate.certify.SINGLE_ROWS", 10)
    monkeypatch.setattr("export.reasons.build.COMPARED", 40)


def native(**parameters: Any) -> Any:
    return booster(**{"n_estimators": 6, "max_depth": 3, "enable_categorical": True, **parameters})


def passing(*more: Any) -> ColumnTransformer:
    parts = [*more, ("numbers", StandardScaler(), NUMBERS), ("rest", "passthrough", [*TEXTS, "owner"])]
    return ColumnTransformer(parts, verbose_feature_names_out=False).set_output(transform="pandas")


def coded(**parameters: Any) -> Any:
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", **parameters)
    types = ["q"] * len(NUMBERS) + ["c"] * len(TEXTS)
    parts = [("numbers", "passthrough", NUMBERS), ("texts", codes, TEXTS)]
    return make_pipeline(ColumnTransformer(parts), native(feature_types=types))


def hot() -> tuple[str, Any, list[str]]:
    return "hot", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["city"]


MADE: dict[str, Callable[[], Any]] = {
    "partitions": lambda: native(max_cat_to_onehot=1),
    "one level a split": lambda: native(max_cat_to_onehot=30),
    "rounds up to the best": lambda: native(n_estimators=40, early_stopping_rounds=2),
    "behind a preparation": lambda: make_pipeline(passing(), native()),
    "beside its own one-hot columns": lambda: make_pipeline(passing(hot()), native()),
    "isotonic, under the pipeline": lambda: make_pipeline(
        passing(), CalibratedClassifierCV(native(), method="isotonic", cv=2)
    ),
    "sigmoid on margins": lambda: CalibratedClassifierCV(
        MarginXGBClassifier(n_estimators=9, enable_categorical=True, n_jobs=1), cv=2
    ),
    "voting": lambda: VotingClassifier([("a", native()), ("b", make_pipeline(passing(), native()))], voting="soft"),
    "codes, unseen below 0": lambda: coded(unknown_value=-1),
    "codes, unseen missing": lambda: coded(unknown_value=np.nan, encoded_missing_value=np.nan),
}


EXPLAINED = ("partitions", "sigmoid on margins", "codes, unseen below 0")


def fitted(name: str) -> Any:
    made = MADE[name]()
    return made.fit(X, Y, eval_set=[(X[:200], Y[:200])], verbose=False) if "rounds" in name else made.fit(X, Y)


@pytest.mark.tier("land")
@pytest.mark.sample(6)
@pytest.mark.parametrize("name", MADE)
def test_sets_of_levels_are_exact_and_explained(name: str, tmp_path: Path) -> None:
    made = fitted(name)
    settings = OwnSettings() if name in EXPLAINED else None
    certificate, model = exported(made, X, tmp_path / "model", settings=settings)
    total = certificate["total"]
    assert total["margins_bit_equal"] == total["margins"]
    assert served(model, X) == pytest.approx(made.predict_proba(X)[:, 1], rel=0, abs=OF_SIGMOIDS)
    assert ("reasons" in certificate) == (name in EXPLAINED)
    assert {feature.closed for feature in model.manifest.categories} == {"codes" not in name}
    levels = list(X["city"].cat.categories)
    mixed = X.assign(
        city=pd.Categorical(TABLE["city"][::-1], categories=levels[::-1]),
        job=pd.Categorical([None] * len(X), ["smith"]),
    )
    assert served(model, mixed) == pytest.approx(made.predict_proba(mixed)[:, 1], rel=0, abs=OF_SIGMOIDS)


@pytest.mark.parametrize("step", [None, FunctionTransformer(np.square)], ids=["as they are", "squared"])
def test_numbers_that_are_codes_lose_their_fraction(step: Any, tmp_path: Path) -> None:
    numbers = TABLE[["debt", "late"]]
    made = make_pipeline(step, native(feature_types=["q", "c"], max_cat_to_onehot=1)).fit(numbers, Y)
    _, model = exported(made, numbers, tmp_path / "model")
    codes = [*np.arange(9) / 2, 2.9999999999, -0.5, -1e-300, 40, 2.0**24, 1e30, np.nan]
    asked = pd.DataFrame({"debt": 0.1, "late": codes})
    assert np.array_equal(served(model, asked), made.predict_proba(asked)[:, 1].astype(np.float64))


def test_a_set_is_read_as_the_booster_reads_it() -> None:
    codes = np.repeat(np.arange(9.0), 40)[:, None]
    inside = np.isin(codes[:, 0], [1, 5, 6])
    stump = xgboost.XGBClassifier(
        n_estimators=1, max_depth=1, enable_categorical=True, feature_types=["c"], max_cat_to_onehot=1
    ).fit(codes, inside)
    sets = LevelSets(1)
    read_ensemble(stump, sets)
    [its] = sets.places
    assert its.inside in (frozenset([1, 5, 6]), frozenset([0, 2, 3, 4, 7, 8]))
    asked = np.array([*range(12), 5.5, 6.9999999, -0.3, -5, 33, 2.0**24 - 1, 2.0**24, 2.0**25, 1e30])[:, None]
    margins = stump.predict(asked, output_margin=True)
    right = margins == margins[min(its.inside)]
    assert np.array_equal(its.of_codes(asked[:, 0].astype(np.float32)) == 1, right)


@pytest.mark.parametrize(
    ("train", "rows", "said"),
    [
        (X.assign(age=X["age"].astype("category")), None, r"a category of numbers is not supported: .* make it texts"),
        (
            X,
            X.assign(city=X["city"].cat.add_categories(["Rome"])),
            r'city: the booster was not fitted on the levels \["Rome"\]: XGBoost 3.4 raises',
        ),
    ],
    ids=["numbers", "a level that is not known"],
)
def test_a_category_that_cannot_be_exact_is_refused_by_name(
    train: pd.DataFrame, rows: Any, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=said) as refused:
        export_model(native().fit(train, Y), train if rows is None else rows, None, tmp_path / "model")
    assert "/" not in str(refused.value)


def test_levels_beyond_ascii_are_exact_where_the_booster_keeps_them_whole(tmp_path: Path) -> None:
    rows = X.assign(city=X["city"].cat.rename_categories({"city 1": "Köln", "city 2": "Kölnisch"}))
    made = native().fit(rows, Y)
    if Version(xgboost.__version__).release < WHOLE_TEXTS:
        with pytest.raises(UserError, match=r"levels beyond ASCII, which XGBoost before 3\.4 truncates"):
            exported(made, rows, tmp_path / "model")
    else:
        _, model = exported(made, rows, tmp_path / "model")
        assert np.array_equal(served(model, rows), made.predict_proba(rows)[:, 1].astype(np.float64))


def test_a_level_that_the_booster_does_not_know_is_no_valid_request(tmp_path: Path) -> None:
    """XGBoost 3.2 answers for most of them, as for the level that comes next."""
    _, model = exported(native().fit(X, Y), X, tmp_path / "model")
    assert {feature.name: feature.closed for feature in model.manifest.categories} == dict.fromkeys(TEXTS, True)
    asked = json.dumps({**json.loads(TABLE.iloc[0].to_json()), "uuid": "1", "city": "Rome"})
    answer: Any = handler(tmp_path / "model")({"httpMethod": "POST", "path": "/predict", "body": asked}, None)
    assert answer["statusCode"] == 422
    assert "city" in answer["body"]


def test_texts_of_a_file_are_taken_as_the_categories_of_the_fit(tmp_path: Path) -> None:
    made = native().fit(X, Y)
    _, model = exported(made, TABLE, tmp_path / "model")
    assert np.array_equal(served(model, TABLE), made.predict_proba(X)[:, 1].astype(np.float64))
