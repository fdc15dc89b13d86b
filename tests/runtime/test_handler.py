"""Predictions and batches through the handler."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from runtime.model import Model
from runtime.score import Scale, band
from tests.runtime.model_builder import BANDS, reference_request

if TYPE_CHECKING:
    from runtime.dispatch import Handler
from tests.runtime.sending import HEADERS, SMALL, problem, send


def test_a_prediction_is_the_models(small: "Handler", small_model: Path) -> None:
    status, headers, answer = send(small, "POST", "/predict", SMALL)
    assert (status, headers) == (200, HEADERS)
    model = Model.load(str(small_model))
    numbers = np.array([[1200.5, 1.0, 40.0, 0.0, np.nan]])
    probability, _ = model.predict(numbers, np.array([["", "north"]], dtype=object))
    score = Scale().score(float(probability[0]))
    assert answer == {
        "uuid": "é1",
        "default_probability": float(probability[0]),
        "credit_score": score,
        "score_band": band(score, BANDS),
        "model_version": model.manifest.model_version,
    }


def test_warnings_come_with_the_answer(small: "Handler") -> None:
    status, _, answer = send(small, "POST", "/predict", {**SMALL, "age": 90, "shop": "Nowhere"})
    assert status == 200
    assert answer["warnings"] == [
        {"pointer": "/age", "detail": "outside the training range, 18 to 75.5"},
        {"pointer": "/shop", "detail": "category not seen in training"},
    ]


def test_a_batch_answers_each_in_order(small: "Handler") -> None:
    applicants = [SMALL, {"uuid": "2"}, 3, {**SMALL, "uuid": 5, "age": 18}, {**SMALL, "uuid": "3", "age": 90}]
    status, headers, answer = send(small, "POST", "/predict/batch", {"applicants": applicants})
    assert (status, headers) == (200, HEADERS)
    assert (answer["scored"], answer["refused"]) == (2, 3)
    entries = answer["answers"]
    for index in (0, 4):
        assert entries[index] == send(small, "POST", "/predict", applicants[index])[2] | (
            {"warnings": [{"pointer": "/applicants/4/age", "detail": "outside the training range, 18 to 75.5"}]}
            if index == 4
            else {}
        )
    title = "Applicant failed validation"
    kind = "urn:lastbit:problem:invalid-applicant"
    assert entries[1] == {
        "uuid": "2",
        "type": kind,
        "title": title,
        "status": 422,
        "detail": "3 validation errors",
        "errors": [
            {"pointer": "/applicants/1/age", "detail": "expected a number, got null or nothing"},
            {"pointer": "/applicants/1/insured", "detail": "expected a boolean, got null or nothing"},
            {"pointer": "/applicants/1/region", "detail": "expected a string, got null or nothing"},
        ],
    }
    assert entries[2]["errors"] == [{"pointer": "/applicants/2", "detail": "expected an object, got a number"}]
    assert "uuid" not in entries[2]
    assert "uuid" not in entries[3]


def test_a_batch_of_many_equals_one_at_a_time(handler: "Handler") -> None:
    random = np.random.default_rng(3)
    applicants = []
    for index in range(1000):
        applicant = reference_request() | {"uuid": str(index)}
        for name, value in applicant.items():
            if isinstance(value, float):
                applicant[name] = None if random.random() < 0.2 else round(random.uniform(0, 20), 3)
        applicants.append(applicant)
    status, _, answer = send(handler, "POST", "/predict/batch", {"applicants": applicants})
    assert (status, answer["scored"], answer["refused"]) == (200, 1000, 0)
    singly = [send(handler, "POST", "/predict", applicant)[2] for applicant in applicants]
    assert answer["answers"] == singly
    assert len({entry["default_probability"] for entry in singly}) > 500


ODD_AGES = (None, True, 30, 30.5, 2**53 + 1, 10**400, -5, 90, "30", float("nan"), float("inf"), [30], {"a": 30})


@pytest.mark.parametrize("neighbour", [30, 30.5])
def test_an_odd_value_in_a_batch_is_answered_as_alone(small: "Handler", neighbour: float) -> None:
    for age in ODD_AGES:
        applicants = [{**SMALL, "age": neighbour}, {**SMALL, "age": age}, {**SMALL, "age": 18}]
        entries = send(small, "POST", "/predict/batch", {"applicants": applicants})[2]["answers"]
        for index, (entry, applicant) in enumerate(zip(entries, applicants, strict=True)):
            _, _, alone = send(small, "POST", "/predict", applicant)
            text = json.dumps(entry).replace(f"/applicants/{index}", "")
            entry = json.loads(text)
            members = ("default_probability", "credit_score", "warnings", "errors")
            assert [entry.get(name) for name in members] == [alone.get(name) for name in members], age


def test_a_repeated_field_in_a_batch_is_refused_as_alone(small: "Handler") -> None:
    text = json.dumps({"applicants": [SMALL, SMALL]})
    start, name, rest = text.rpartition('"age"')
    _, _, answer = send(small, "POST", "/predict/batch", f'{start}"age": 20, {name}{rest}')
    assert (answer["scored"], answer["refused"]) == (1, 1)
    expected = {"pointer": "/applicants/1/age", "detail": "expected once, got more than once"}
    assert answer["answers"][1]["errors"] == [expected]


def test_an_empty_batch_is_answered(handler: "Handler") -> None:
    _, _, answer = send(handler, "POST", "/predict/batch", {"applicants": []})
    assert answer == {"scored": 0, "refused": 0, "answers": []}


def test_a_batch_over_the_limit_is_refused(handler: "Handler") -> None:
    status, _, answer = send(handler, "POST", "/predict/batch", {"applicants": [0] * 1001})
    detail = "expected at most 1000 applicants, got 1001"
    assert status == 422
    assert answer == problem(
        "invalid-batch",
        422,
        "Batch failed validation",
        detail,
        errors=[{"pointer": "/applicants", "detail": detail}],
    )


@pytest.mark.parametrize(
    ("probability", "is_warned"),
    [(0.0, True), (1e-8, True), (np.nextafter(1e-8, 1), False), (np.nextafter(0.99999999, 0), False), (1.0, True)],
)
def test_a_probability_at_its_limit_is_warned_of(
    small: "Handler", monkeypatch: pytest.MonkeyPatch, probability: float, is_warned: bool
) -> None:
    def answers(_: Model, numbers: Any, categories: Any) -> tuple[Any, Any]:
        return np.array([0.25] * (len(numbers) - 1) + [probability]), None

    monkeypatch.setattr(Model, "predict", answers)
    _, _, alone = send(small, "POST", "/predict", SMALL)
    _, _, batch = send(small, "POST", "/predict/batch", {"applicants": [SMALL, {"uuid": 1}, SMALL]})
    for answer, pointer in ((alone, ""), (batch["answers"][2], "/applicants/2")):
        warned = [remark for remark in answer.get("warnings", []) if "limit" in remark["detail"]]
        assert [remark["pointer"] for remark in warned] == ([pointer] if is_warned else [])
    assert "warnings" not in batch["answers"][0]
