"""Reasons of an own pipeline: exact in raw columns, whatever its steps, and served with its answers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, TargetEncoder

from cli.errors import UserError
from export.model_folder import files_of
from export.own.settings import OwnSettings, own_settings
from runtime.explain import load_explainer
from runtime.model import Model
from tests.export.own.pipelines import TEXTS, booster, exported, rows_of, usual
from tests.export.own.preparations import CASES, Case, ordinal
from tests.export.served.exported import handler
from training.estimator.boosting import MarginXGBClassifier

pytestmark = pytest.mark.tier("land")
X, Y = rows_of(400)
SMALL: dict[str, Any] = {"n_estimators": 6, "max_depth": 3}
CITIES = ["city 7", "city 3"]
TAKEN = [case for case in CASES if not case.refused]


@pytest.fixture(autouse=True)
def fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.own.proof.RANDOM_AND_REAL_ROWS", 400)
    monkeypatch.setattr("export.certificate.certify.SINGLE_ROWS", 20)
    monkeypatch.setattr("export.reasons.build.COMPARED", 60)


def explained(fitted: Any, out: Path, settings: OwnSettings | None = None) -> tuple[Any, Model]:
    certificate, model = exported(fitted, X, out, Y, settings or own_settings(None))
    assert "why" not in model.manifest.document["reasons"], model.manifest.document["reasons"]
    return certificate, model


def refuse_any_difference(certificate: Any) -> None:
    compared = certificate["reasons"]
    assert compared["largest_difference"] <= 2e-7
    assert compared["same_top_four"] + compared["tied_top_four"] >= compared["rows"]
    assert compared["largest_gap"] < 1e-5


@pytest.mark.sample(2)
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("case", TAKEN, ids=[case.name for case in TAKEN])
def test_every_preparation_has_exact_reasons(case: Case, sparse: bool, tmp_path: Path) -> None:
    fitted = make_pipeline(case.preparation(sparse=sparse), booster(**SMALL)).fit(X, Y)
    refuse_any_difference(explained(fitted, tmp_path / "model")[0])


def test_one_column_behind_many_prepared_ones_is_one_player(tmp_path: Path) -> None:
    twice = FeatureUnion([("there and back", FunctionTransformer(np.square)), ("as it is", "passthrough")])
    texts = FeatureUnion(
        [("hot", OneHotEncoder(handle_unknown="ignore")), ("order", ordinal()), ("woe", TargetEncoder(cv=2))]
    )
    columns = ColumnTransformer([("n", twice, ["debt", "age"]), ("t", texts, TEXTS)], sparse_threshold=0)
    certificate, model = explained(make_pipeline(columns, booster(**SMALL)).fit(X, Y), tmp_path / "model")
    refuse_any_difference(certificate)
    players = model.manifest.document["reasons"]["players"]
    assert [player["name"] for player in players] == ["age", "debt", *TEXTS]


def answer_of(model: Model, row: int) -> dict[str, Any]:
    """Reasons and the points of all players of a row, with its score."""
    names = [feature.name for feature in model.manifest.numbers]
    numbers = [float(x) for x in X[names].to_numpy(dtype=float, na_value=np.nan)[row]]
    words = ["" if x is None else str(x) for x in X[[f.name for f in model.manifest.categories]].iloc[row]]
    [probability] = model.predict([numbers], [words])[0]
    score = model.manifest.scale.score(float(probability))
    found: dict[str, Any] = json.loads(
        "{" + load_explainer(model).explain(numbers, words, float(probability), score, every=True) + "}"
    )
    return found | {"score": score}


FORMS: dict[str, Any] = {
    "plain": lambda: make_pipeline(usual(), booster(**SMALL)),
    "sigmoid on the margin": lambda: make_pipeline(
        usual(), CalibratedClassifierCV(MarginXGBClassifier(**SMALL), cv=2, ensemble=False)
    ),
    "over the pipeline": lambda: CalibratedClassifierCV(
        make_pipeline(usual(sparse=True), booster(**SMALL)), method="isotonic", cv=2
    ),
}


@pytest.mark.parametrize(
    ("form", "positive"), [("plain", 1), ("sigmoid on the margin", 0), ("over the pipeline", 1)], ids=str
)
def test_points_add_up_to_the_score_and_point_the_right_way(form: str, positive: int, tmp_path: Path) -> None:
    settings = own_settings({"target": {"positive": positive}})
    certificate, model = explained(FORMS[form]().fit(X, Y), tmp_path / "model", settings)
    refuse_any_difference(certificate)
    answers = [answer_of(model, row) for row in range(40)]
    for answer in answers:
        total = round(answer["base_points"] + sum(answer["points"].values()), 2)
        if answer["reasons_basis"]["adds_up"]:
            assert total == round(answer["score"], 2)
        assert answer["reasons_basis"]["adds_up"] == (form != "over the pipeline")
        assert answer["reasons_basis"]["reference_total"] == len(X)
    points = [sum(answer["points"].values()) for answer in answers]
    assert np.corrcoef(points, [answer["score"] for answer in answers])[0, 1] > 0.4  # isotonic calibrators bend it


def test_groups_texts_and_reference_rows_are_the_user_s(tmp_path: Path) -> None:
    rows = tmp_path / "rows.parquet"
    X.head(150).to_parquet(rows)
    config = {"reasons": {"reference": "none"}}
    reasons = {
        "reasons": {"reference": str(rows), "values": False, "hints": True},
        "reason_groups": {"place": ["city", "owner"]},
        "reason_texts": {"place": {"text": "Where you live", "code": "R1"}, "late": {"text": "Late"}}
        | {"income": {"actionable": True, "direction": "up"}, "city": {"actionable": True, "levels": CITIES}},
    }
    fitted = make_pipeline(usual(), booster(**SMALL)).fit(X, Y)
    certificate, model = explained(fitted, tmp_path / "model", own_settings(config, reasons=reasons))
    hints = certificate["hints"]
    assert hints["hints"] == hints["reached"] == hints["nearest"] > 20
    record = model.manifest.document["reasons"]
    assert record["basis"]["reference"] == "own"
    assert record["basis"]["reference_rows"] == 150
    assert {"name": "place", "kind": "group", "features": ["owner", "city"]} in record["players"]
    assert record["texts"]["place"]["code"] == "R1"
    [income, city] = record["hints"]
    assert income == {"name": "income", "direction": "up", "monotone": False, "whole": False}
    assert city == {"name": "city", "levels": CITIES}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"reason_groups": {"g": ["incom"]}}, "reason_groups.g: expected features, got incom.*income"),
        ({"reason_texts": {"incme": {"text": "a"}}}, "reason_texts.incme: no such feature or group.*income"),
        ({"reasons": {"reference": "at-cutoff"}}, "reasons.cutoff: .* needs the lowest approved score"),
        ({"reasons": {"reference": "at-cutoff", "cutoff": 900.0}}, "expected 100 rows or more, found 0"),
    ],
)
def test_wrong_settings_of_reasons_are_refused_by_key(config: Any, said: str, tmp_path: Path) -> None:
    fitted = make_pipeline(usual(), booster(**SMALL)).fit(X, Y)
    with pytest.raises(UserError, match=said):
        exported(fitted, X, tmp_path / "model", Y, own_settings(config))
    assert not (tmp_path / "model").exists()


def test_a_pipeline_without_reasons_says_nothing_of_them(tmp_path: Path) -> None:
    _, model = exported(make_pipeline(usual(), booster(**SMALL)).fit(X, Y), X, tmp_path / "model")
    assert "reasons" not in model.manifest.document
    assert not (tmp_path / "model" / "reasons.bin").exists()


def test_reasons_of_an_own_pipeline_are_in_its_description_and_its_package(tmp_path: Path) -> None:
    explained(make_pipeline(usual(), booster(**SMALL)).fit(X, Y), tmp_path / "model")
    assert "reasons.bin" in files_of(tmp_path / "model")
    answer: Any = handler(tmp_path / "model")({"httpMethod": "GET", "path": "/openapi.json"}, None)
    described = json.loads(answer["body"])
    assert [one["name"] for one in described["paths"]["/predict"]["post"]["parameters"]] == ["explain"]
    assert {"Reason", "ReasonsBasis"} <= set(described["components"]["schemas"])
    assert described["components"]["schemas"]["Applicant"]["properties"]["city"]["type"] in (
        "string",
        ["string", "null"],
    )
