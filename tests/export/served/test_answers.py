"""The reasons in an answer: of every event, in batches, switched on and off; their points add up."""

import json
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.explain import shares
from runtime.openapi import describe
from runtime.settings import SettingRefused, Settings
from tests.export.served.exported import (
    APPLICANT,
    WITH_REASONS,
    applicants,
    ask,
    handler,
    handler_of,
    handler_with,
    read,
)
from training.artifacts import Artifacts

pytestmark = pytest.mark.tier("land")

MORE = WITH_REASONS


def test_points_add_up_to_the_last_digit_shown(model: Path) -> None:
    its = handler(model)
    for applicant in applicants(300):
        status, answer = ask(its, applicant, "explain=all")
        assert status == 200
        cost = [Decimal(str(reason["points"])) for reason in answer["reasons"]]
        base, other = Decimal(str(answer["base_points"])), Decimal(str(answer["other_points"]))
        assert base + sum(cost) + other == Decimal(str(round(answer["credit_score"], 2)))
        assert base + sum(Decimal(str(p)) for p in answer["points"].values()) == base + sum(cost) + other
        assert cost == sorted(cost)
        assert all(points < 0 for points in cost)
        assert len(cost) <= 5
        assert answer["reasons_basis"]["adds_up"] is True


def test_reasons_are_the_features_that_cost_most_with_their_text_code_and_value(model: Path) -> None:
    status, answer = ask(handler(model), {**APPLICANT, "income": 1}, "explain=all")
    assert status == 200
    first = answer["reasons"][0]
    assert first == {"name": "income", "code": "R01", "text": "Income is low", "points": first["points"], "value": 1}
    lowest = sorted(answer["points"].values())[:4]
    assert [reason["points"] for reason in answer["reasons"][:4]] == [points for points in lowest if points < 0]


def test_a_missing_value_has_a_text_of_its_own_by_language(model: Path) -> None:
    found = {}
    for applicant in applicants(400):
        for reason in ask(handler_of(model), applicant, "explain=true")[1]["reasons"]:
            if reason["value"] is None:
                found[reason["name"]] = reason["text"]
    assert found["age"] == {"en": "Age was not given", "de": "Alter fehlt"}
    assert {name for name, text in found.items() if text == f"{name.capitalize()}: no value"} & {
        "income",
        "late",
        "shop",
    }


def test_a_row_maximum_is_named_after_its_largest_feature(model: Path) -> None:
    its, named = handler_of(model), set()
    for late_1, late_2 in ((4, 0), (0, 4), (None, 4), (None, None)):
        applicant = {**APPLICANT, "income": 5e5, "age": 80, "late_1": late_1, "late_2": late_2, "shop": "books"}
        for reason in ask(its, applicant, "explain=true")[1]["reasons"]:
            if reason["name"].startswith("late"):
                named.add((reason["name"], reason["value"], late_1, late_2))
    assert {("late_1", 4, 4, 0), ("late_2", 4, 0, 4), ("late_2", 4, None, 4)} <= named


def test_a_fifth_reason_is_a_number_of_inquiries_that_costs_points(artifacts: Artifacts, tmp_path: Path) -> None:
    its = handler_with(artifacts, tmp_path, "[reason_texts]\nage = { inquiries = true }\n")
    fifths = 0
    for income, age, late, shop in product((900, 2_500, 9_000), range(20, 60, 5), (2, 4), ("shoes", "garden")):
        applicant = {"uuid": "1", "income": income, "age": age, "late_1": late, "has_paid": False, "shop": shop}
        answer = ask(its, applicant, "explain=all")[1]
        cost = [name for name, points in answer["points"].items() if points < 0]
        named = [reason["name"] for reason in answer["reasons"]]
        assert len(named) == min(len(cost), 4) + ("age" in cost and "age" not in named[:4])
        fifths += named[4:] == ["age"]
    assert fifths


def test_batches_and_direct_invocations_give_the_same_reasons(model: Path) -> None:
    its, some = handler_of(model), applicants(40)
    alone = [ask(its, applicant, "explain=true")[1] for applicant in some]
    for content, query in (({"applicants": some, "explain": True}, ""), ({"applicants": some}, "explain=true")):
        assert ask(its, content, query, "/predict/batch")[1]["answers"] == alone
    direct: Any = its({"applicants": some, "explain": True}, None)
    assert direct["answers"] == alone
    assert [its({**applicant, "explain": True}, None) for applicant in some] == alone
    every: Any = its({**some[0], "explain": "all"}, None)
    assert every == ask(its, some[0], "explain=all")[1]


def test_a_refused_applicant_of_an_explained_batch_keeps_its_place(model: Path) -> None:
    some = applicants(3)
    some[1]["age"] = "old"
    status, answer = ask(handler_of(model), {"applicants": some, "explain": True}, "", "/predict/batch")
    assert status == 200
    assert ["reasons" in each for each in answer["answers"]] == [True, False, True]


@pytest.mark.parametrize(
    "event",
    [
        {"httpMethod": "POST", "path": "/predict", "queryStringParameters": {"explain": "true"}},
        {"httpMethod": "POST", "path": "/predict", "multiValueQueryStringParameters": {"explain": ["all", "true"]}},
        {
            "httpMethod": "POST",
            "path": "/predict",
            "requestContext": {"elb": {}},
            "queryStringParameters": {"explain": "true"},
        },
        {"method": "POST", "raw_path": "/predict?explain=true"},
        {
            "method": "POST",
            "path": "/predict",
            "requestContext": {"targetGroupArn": "a"},
            "queryStringParameters": {"explain": ["true"]},
        },
        {"requestContext": {"http": {"method": "POST"}}, "rawPath": "/predict", "rawQueryString": "a=b&explain=true"},
    ],
)
def test_every_event_may_ask(model: Path, event: dict[str, Any]) -> None:
    its = handler_of(model)
    answer: Any = its({**event, "body": json.dumps(APPLICANT)}, None)
    assert json.loads(answer["body"]) == ask(its, APPLICANT, "explain=true")[1]


def test_an_answer_without_reasons_is_what_it_was(model: Path, copy: Path) -> None:
    manifest = read(copy / "manifest.json")
    its, plain = handler_of(model), ask(handler_of(model), APPLICANT)[1]
    assert plain.keys() == {"uuid", "default_probability", "credit_score", "score_band", "model_version"}
    for query in ("", "explain=false", "other=true"):
        assert ask(its, APPLICANT, query) == (200, plain)
    explained = ask(its, APPLICANT, "explain=true")[1]
    assert {name: explained[name] for name in plain} == plain
    assert manifest["reasons"]["basis"]["reference_rows"] == 900


@pytest.mark.parametrize(
    ("content", "query", "status", "problem"),
    [
        (APPLICANT, "explain=yes", 400, "invalid-parameter"),
        ({"applicants": [], "explain": 1}, "", 400, "invalid-parameter"),
        ({"applicants": [], "explain": None}, "", 400, "invalid-parameter"),
        ({**APPLICANT, "explain": True}, "", 422, "invalid-applicant"),
    ],
)
def test_an_invalid_explain_is_refused(
    model: Path, content: dict[str, Any], query: str, status: int, problem: str
) -> None:
    path = "/predict/batch" if "applicants" in content else "/predict"
    found, answer = ask(handler_of(model), content, query, path)
    assert (found, answer["type"]) == (status, f"urn:lastbit:problem:{problem}")


def test_the_setting_gives_reasons_always_or_never(model: Path) -> None:
    assert "reasons" in ask(handler(model, EXPLAIN="always"), APPLICANT)[1]
    never = handler(model, EXPLAIN="never")
    assert "reasons" not in ask(never, APPLICANT)[1]
    status, answer = ask(never, APPLICANT, "explain=true")
    assert (status, answer["detail"]) == (409, "reasons are switched off (EXPLAIN=never)")
    with pytest.raises(SettingRefused, match="EXPLAIN: expected always, on-request or never, got 'yes'"):
        Settings({"EXPLAIN": "yes"})


def test_values_can_be_left_out(artifacts: Artifacts, tmp_path: Path) -> None:
    its = handler_with(artifacts, tmp_path, "[reasons]\nvalues = false\n")
    [first, *_] = ask(its, {**APPLICANT, "income": 1}, "explain=true")[1]["reasons"]
    assert first.keys() == {"name", "text", "points"}
    assert first["text"] == "Income"


def test_a_probability_at_its_limit_is_said(artifacts: Artifacts, copy: Path) -> None:
    from tests.runtime.model_builder import versioned

    manifest = read(copy / "manifest.json")
    manifest["score"]["probability_limits"] = [1e-8, 0.1]
    manifest["self_check"]["scores"] = []
    from runtime.score import Scale, band, scores_to_check

    scale = Scale(**{**manifest["score"], "probability_limits": (1e-8, 0.1)})
    manifest["self_check"]["scores"] = scores_to_check(scale, manifest["bands"])
    for row in manifest["self_check"]["rows"]:
        row["score"] = scale.score(row["probability"])
        row["band"] = band(row["score"], manifest["bands"])
    (copy / "manifest.json").write_text(json.dumps(versioned(manifest)))
    answer = ask(handler(copy), APPLICANT, "explain=true")[1]
    assert answer["default_probability"] > 0.1
    assert answer["reasons_basis"]["adds_up"] is False
    assert "limit" in answer["reasons_basis"]["note"]


def test_the_description_holds_what_is_answered(model: Path) -> None:
    its = handler_of(model)
    schemas = describe(its.service.model.manifest)["components"]["schemas"]
    for query in ("", "explain=true", "explain=all"):
        answer = ask(its, APPLICANT, query)[1]
        parts = [("Answer", answer)]
        if query:
            parts += [("ReasonsBasis", answer["reasons_basis"]), *(("Reason", each) for each in answer["reasons"])]
        for name, part in parts:
            assert {*schemas[name]["required"]} <= part.keys() <= schemas[name]["properties"].keys()
    never = describe(its.service.model.manifest, Settings({"EXPLAIN": "never"}))
    assert "Reason" not in never["components"]["schemas"]
    assert "reasons" not in never["components"]["schemas"]["Answer"]["properties"]


def test_no_line_of_the_log_holds_a_value_or_a_reason(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    its = handler(model, LOG_REQUESTS="on", METRICS="on")
    assert ask(its, {**APPLICANT, "income": 123456.75}, "explain=all")[0] == 200
    said = capfd.readouterr().out
    assert '"status":200' in said
    assert not any(word in said for word in ("123456", "income", "Income", "reasons", "points", "R01"))


def test_shares_add_up_and_are_off_by_less_than_one_cent() -> None:
    rng = np.random.default_rng(0)
    for size in range(1, 30):
        exact = (rng.normal(size=size) * 10.0 ** rng.integers(-2, 5)).tolist()
        total = round(sum(exact))
        cents = shares(exact, total)
        assert sum(cents) == total
        assert max(abs(c - e) for c, e in zip(cents, exact, strict=True)) < 1
        assert shares(exact, None) == cents
    assert shares([], 3) == []
    assert sum(shares([0.1, -0.1], 5)) == 5
    assert sum(shares([0.1, -0.1], -7)) == -7
