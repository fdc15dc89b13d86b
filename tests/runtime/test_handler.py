"""The resources, their answers and their refusals, through the handler."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from runtime.model import Model
from runtime.score import Scale, band
from tests.runtime.model_builder import BANDS, reference_request

if TYPE_CHECKING:
    from runtime.dispatch import Handler
    from tests.runtime.conftest import MakeHandler

SMALL = {"uuid": "é1", "income": 1200.5, "owner": True, "age": 40, "insured": False, "region": "north"}

HEADERS = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-request-id": "r-1",
}


def send(
    handler: "Handler",
    method: str,
    path: str,
    body: object = None,
    *,
    stage: str = "$default",
    **headers: str,
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and the body's JSON value (None for no body)."""
    answer: Any = handler(
        {
            "version": "2.0",
            "rawPath": path,
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {"http": {"method": method, "path": path}, "requestId": "r-1", "stage": stage},
            "body": body if body is None or type(body) is str else json.dumps(body),
            "isBase64Encoded": False,
        },
        None,
    )
    assert answer["body"].isascii()
    return answer["statusCode"], answer["headers"], json.loads(answer["body"]) if answer["body"] else None


def problem(name: str, status: int, title: str, detail: str, **more: object) -> dict[str, object]:
    return {
        "type": f"urn:lastbit:problem:{name}",
        "title": title,
        "status": status,
        "detail": detail,
        **more,
        "request_id": "r-1",
    }


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


def test_home_and_health_answer_with_the_model_version(handler: "Handler", reference_model: Path) -> None:
    manifest = json.loads((reference_model / "manifest.json").read_text())
    assert send(handler, "GET", "/") == (200, HEADERS, "Home")
    health = {"status": "ok", "model_version": manifest["model_version"]}
    assert send(handler, "GET", "/health") == (200, HEADERS, health)


def test_the_model_is_described_by_its_manifest(handler: "Handler", reference_model: Path) -> None:
    manifest = json.loads((reference_model / "manifest.json").read_text())
    for member in ("self_check", "reference"):
        manifest.pop(member)
    assert send(handler, "GET", "/model") == (200, HEADERS, manifest)


@pytest.mark.parametrize("path", ["/", "/health", "/model", "/openapi.json"])
def test_head_is_get_without_a_body(handler: "Handler", path: str) -> None:
    assert send(handler, "HEAD", path) == (200, HEADERS, None)


def test_head_of_an_unknown_path_is_404_without_a_body(handler: "Handler") -> None:
    status, _, answer = send(handler, "HEAD", "/none")
    assert (status, answer) == (404, None)


@pytest.mark.parametrize("path", ["", "/", "//"])
def test_a_path_of_slashes_alone_is_the_root(handler: "Handler", path: str) -> None:
    status, headers, answer = send(handler, "POST", path, SMALL)
    assert (status, headers["allow"], answer["title"]) == (405, "GET, HEAD", "Method not allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/none",
        "/predict/x",
        "/PREDICT",
        "predict",
        "/%2Fpredict",
        "/predict%2f",
        "/%2570redict",
        "/./predict",
        "/predict\ud800",
    ],
)
def test_a_path_that_is_no_resource_is_refused_with_all_that_are(handler: "Handler", path: str) -> None:
    status, headers, answer = send(handler, "POST", path, SMALL)
    assert (status, headers["content-type"]) == (404, "application/problem+json")
    assert answer == problem(
        "not-found",
        404,
        "Resource not found",
        "expected one of /, /health, /model, /openapi.json, /predict, /predict/batch",
    )


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/predict", "POST"),
        ("DELETE", "/predict/batch", "POST"),
        ("POST", "/", "GET, HEAD"),
        ("OPTIONS", "/predict", "POST"),
        ("post", "/predict", "POST"),
        ("", "/health", "GET, HEAD"),
    ],
)
def test_another_method_is_refused_with_those_allowed(handler: "Handler", method: str, path: str, allow: str) -> None:
    status, headers, answer = send(handler, method, path)
    assert (status, headers["allow"]) == (405, allow)
    assert answer == problem("method-not-allowed", 405, "Method not allowed", f"expected {allow}")


@pytest.mark.parametrize(
    ("path", "stage", "base_path"),
    [
        ("/predict/", "$default", ""),
        ("/prod/predict", "prod", ""),
        ("/prod/predict/", "prod", ""),
        ("/credit/predict", "$default", "/credit"),
        ("/credit/prod/predict", "prod", "/credit"),
        ("/prod/credit/predict", "prod", "/credit"),
        ("//prod//credit///predict//", "prod", "/credit"),
        ("/predict/predict", "predict", "/predict"),
        ("//predict", "$default", ""),
        ("/prod//predict", "prod", ""),
        ("/%70redict", "$default", ""),
        ("/pro%64/predic%74", "prod", ""),
        ("/cr%65dit/predict", "$default", "/credit"),
        ("/predict", "predict", ""),
        ("/predict/predict", "predict", ""),
    ],
)
def test_stage_and_base_path_are_taken_off_the_path(
    make_handler: "MakeHandler", path: str, stage: str, base_path: str
) -> None:
    handler = make_handler(BASE_PATH=base_path)
    assert send(handler, "POST", path, reference_request(), stage=stage)[0] == 200


def test_the_stage_alone_is_home(handler: "Handler") -> None:
    assert send(handler, "GET", "/prod", stage="prod")[2] == "Home"
    assert send(handler, "GET", "/production", stage="prod")[0] == 404


REPEATED = [
    "application/json, application/json",
    "application/json; charset=utf-8,application/json",
    'application/ld+json; profile="a,b"',
]


@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=utf-8", "application/ld+json", *REPEATED]
)
def test_content_types_that_are_json(handler: "Handler", media_type: str) -> None:
    assert send(handler, "POST", "/predict", reference_request(), content_type=media_type)[0] == 200


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
        "json",
        "text/a+json",
        ",",
        "application/json, text/csv",
        'text/csv; a="b, application/json',
    ],
)
def test_content_types_that_are_not(handler: "Handler", media_type: str) -> None:
    status, _, answer = send(handler, "POST", "/predict", reference_request(), content_type=media_type)
    assert status == 415
    assert answer == problem(
        "unsupported-media-type",
        415,
        "Media type or encoding is not supported",
        "expected the header content-type: application/json",
    )


@pytest.mark.parametrize(
    ("body", "name", "status", "detail"),
    [
        (None, "invalid-json", 400, "expected a JSON object, got an empty body"),
        ("{", "invalid-json", 400, "expected JSON, at line 1 column 2: "),
        ('{"uuid": "\ud800"}', "invalid-json", 400, "expected UTF-8, got another byte at position 10"),
        ("[" * 33, "nested-too-deep", 400, "expected at most 32 levels of arrays and objects"),
        (" " * 65537, "body-too-large", 413, "expected at most 65536 bytes"),
        ("é" * 40000, "body-too-large", 413, "expected at most 65536 bytes, got 80000"),
    ],
)
def test_bodies_that_are_not_json(handler: "Handler", body: str | None, name: str, status: int, detail: str) -> None:
    got, headers, answer = send(handler, "POST", "/predict", body)
    assert (got, headers["content-type"]) == (status, "application/problem+json")
    assert answer["type"] == f"urn:lastbit:problem:{name}"
    assert answer["detail"].startswith(detail)
    assert answer["request_id"] == "r-1"


def test_unknown_fields_are_refused_unless_the_setting_ignores_them(make_handler: "MakeHandler") -> None:
    request = reference_request() | {"more": 1}
    assert send(make_handler(), "POST", "/predict", request)[0] == 422
    assert send(make_handler(UNKNOWN_FIELDS="ignore"), "POST", "/predict", request)[0] == 200


def test_cors_headers_are_absent_by_default(handler: "Handler") -> None:
    _, headers, _ = send(handler, "GET", "/health", origin="https://a")
    assert not [name for name in headers if name.startswith("access-control") or name == "vary"]


def test_only_listed_origins_get_cors_headers(make_handler: "MakeHandler") -> None:
    handler = make_handler(CORS_ORIGINS="https://a,https://b")
    _, headers, _ = send(handler, "GET", "/health", origin="https://b")
    assert (headers["access-control-allow-origin"], headers["vary"]) == ("https://b", "origin")
    _, headers, _ = send(handler, "GET", "/health", origin="https://c")
    assert "access-control-allow-origin" not in headers
    status, headers, answer = send(handler, "OPTIONS", "/predict", origin="https://a")
    assert (status, answer) == (204, None)
    assert headers["access-control-allow-origin"] == "https://a"
    assert headers["access-control-allow-methods"] == headers["allow"] == "POST"
    allowed = headers["access-control-allow-headers"].split(", ")
    assert {"content-type", "x-api-key", "x-amz-date", "x-amz-security-token", "traceparent", "tracestate"} <= {
        *allowed
    }
    assert allowed == sorted(allowed)
    status, headers, _ = send(handler, "POST", "/predict", "{", origin="https://a")
    assert (status, headers["access-control-allow-origin"]) == (400, "https://a")


def test_an_asterisk_allows_every_origin(make_handler: "MakeHandler") -> None:
    _, headers, _ = send(make_handler(CORS_ORIGINS="*"), "GET", "/health", origin="https://c")
    assert headers["access-control-allow-origin"] == "*"


SECRET = "a name that no log may hold"


def test_an_unexpected_fault_is_500_without_the_applicant_s_data(
    make_handler: "MakeHandler", capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = make_handler()

    def fail(*_: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(Model, "predict", fail)
    status, headers, answer = send(handler, "POST", "/predict", reference_request() | {"uuid": SECRET})
    assert (status, headers["content-type"]) == (500, "application/problem+json")
    assert answer == problem(
        "internal-error",
        500,
        "Request could not be answered",
        "the fault is in the service; the log has it under the request id",
    )
    out, err = capsys.readouterr()
    line = json.loads(err)
    assert (out, err.count("\n")) == ("", 1)
    assert line["fault"] == "KeyError"
    assert line["request_id"] == "r-1"
    assert Path(line["place"].rpartition(":")[0]).name == "test_handler.py"
    assert SECRET not in err


def test_without_standard_error_a_fault_is_answered(
    make_handler: "MakeHandler", monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = make_handler()
    monkeypatch.setattr(Model, "predict", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert send(handler, "POST", "/predict", reference_request())[0] == 500


def test_a_fault_that_cannot_be_logged_is_answered(
    make_handler: "MakeHandler", monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = make_handler()
    monkeypatch.setattr(Model, "predict", None)
    full = open("/dev/full", "w", encoding="utf-8", buffering=1)  # noqa: SIM115, PTH123
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", full)
        assert send(handler, "POST", "/predict", reference_request())[0] == 500
    with pytest.raises(OSError, match="No space"):  # so something was written there
        full.close()


def test_the_observer_sees_request_response_and_time(
    make_handler: "MakeHandler", capsys: pytest.CaptureFixture[str]
) -> None:
    handler = make_handler()
    seen: list[Any] = []
    handler.observe = lambda request, response, seconds: seen.append((request, response, seconds))
    answer = send(handler, "POST", "/predict", reference_request() | {"has_paid": None, "time_hours": 1000})[2]
    send(handler, "POST", "/predict/batch", {"applicants": [reference_request(), 3]})
    send(handler, "GET", "/none")
    (request, response, seconds), (_, batch, _), (_, missing, _) = seen
    assert (request.path, request.method, request.request_id, response.status) == (
        "/predict",
        "POST",
        "r-1",
        200,
    )
    assert response.scored == [(answer["credit_score"], answer["score_band"], 1, 1, "")]
    assert (len(batch.scored), batch.refused) == (1, 1)
    assert [request.route for request, _, _ in seen] == ["/predict", "/predict/batch", ""]
    assert [response.problem for _, response, _ in seen] == ["", "", "not-found"]
    assert (missing.status, missing.scored) == (404, ())
    assert seconds >= 0
    handler.observe = lambda *_: json.loads("{")
    assert send(handler, "POST", "/predict", reference_request())[0] == 200
    assert json.loads(capsys.readouterr().err)["fault"] == "JSONDecodeError"


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
