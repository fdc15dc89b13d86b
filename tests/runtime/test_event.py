"""Every type of event is recognised, read and answered in its own shape; nothing in a request raises."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from runtime.event import EVENT_TYPES, REASONS, Direct, HttpApi, LoadBalancer, Request, RestApi, infer
from runtime.other_events import EventRefused, Lattice, classify
from runtime.problem import BODY_TOO_LARGE, PROBLEM_TYPES, UNREADABLE_BODY, Problem, ProblemType
from tests.runtime.model_builder import EVENTS, reference_request

if TYPE_CHECKING:
    from runtime.dispatch import Handler

ReadEvent = Callable[[str], Any]


class Context:
    aws_request_id = "from-the-context"


TYPE_OF = {
    "alb": LoadBalancer,
    "alb_multi_value": LoadBalancer,
    "direct": Direct,
    "direct_batch": Direct,
    "function_url": HttpApi,
    "http_api_v2": HttpApi,
    "http_api_v2_batch": HttpApi,
    "http_api_v2_gzip": HttpApi,
    "rest_api_v1": RestApi,
    "rest_api_v1_base64": RestApi,
    "rest_api_v1_test_invoke": RestApi,
    "vpc_lattice_v1": Lattice,
    "vpc_lattice_v2": Lattice,
}


def test_every_recorded_event_is_tested() -> None:
    assert {file.stem for file in EVENTS.glob("*.json")} == TYPE_OF.keys()


@pytest.mark.parametrize("name", TYPE_OF)
def test_each_recorded_event_is_of_its_type(name: str, event: ReadEvent) -> None:
    found = infer(event(name))
    assert (classify(event(name), "uuid", set()) if found is Direct else found) is TYPE_OF[name]


@pytest.mark.parametrize("name", [name for name in TYPE_OF if "batch" not in name and "invoke" not in name])
def test_the_reference_request_is_answered_alike_by_every_way(name: str, event: ReadEvent, handler: "Handler") -> None:
    expected = handler(reference_request(), None)
    answer: Any = handler(event(name), Context())
    assert isinstance(expected, dict)
    assert list(expected) == ["uuid", "default_probability", "credit_score", "score_band", "model_version"]
    if name == "direct":
        assert answer == expected
    else:
        assert json.loads(answer["body"]) == expected
        assert answer["statusCode"] == 200
        assert answer["isBase64Encoded"] is False


REQUEST_IDS = {
    "alb": "Root=1-68f0c1a4-3c4d5e6f708192a3b4c5d6e7",
    "function_url": "3e4f5061-7283-94a5-b6c7-d8e9f0a1b2c3",
    "http_api_v2": "Qx2abcEXAMPLE=",
    "rest_api_v1": "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0",
}


@pytest.mark.parametrize("name", REQUEST_IDS)
def test_the_request_id_and_the_trace_id_come_back(name: str, event: ReadEvent, handler: "Handler") -> None:
    recorded = event(name)
    trace_id = {key.lower(): value for key, value in recorded["headers"].items()}["x-amzn-trace-id"]
    expected = "from-the-context" if name == "alb" else REQUEST_IDS[name]
    answer: Any = handler(recorded, Context())
    assert answer["headers"]["x-request-id"] == expected
    assert answer["headers"]["x-amzn-trace-id"] == trace_id
    recorded["headers"]["X-Request-Id"] = "the client's own"
    answer = handler(recorded, Context())
    assert answer["headers"]["x-request-id"] == "the client's own"


def test_without_a_context_the_trace_id_is_the_request_id(event: ReadEvent, handler: "Handler") -> None:
    answer: Any = handler(event("alb"), None)
    assert answer["headers"]["x-request-id"] == REQUEST_IDS["alb"]


@pytest.mark.parametrize("unfit", ["", "a\r\nset-cookie: b", "é", "x" * 129, 7])
def test_an_unfit_request_id_is_not_echoed(unfit: object, event: ReadEvent, handler: "Handler") -> None:
    recorded = event("http_api_v2")
    recorded["headers"]["x-request-id"] = unfit
    answer: Any = handler(recorded, None)
    assert answer["headers"]["x-request-id"] == REQUEST_IDS["http_api_v2"]


def test_the_load_balancer_is_answered_as_it_asks(event: ReadEvent, handler: "Handler") -> None:
    single: Any = handler(event("alb"), None)
    several: Any = handler(event("alb_multi_value"), None)
    assert single["statusDescription"] == several["statusDescription"] == "200 OK"
    assert "multiValueHeaders" not in single
    assert "headers" not in several
    assert several["multiValueHeaders"] == {name: [value] for name, value in single["headers"].items()}
    refused: Any = handler({**event("alb"), "body": None}, None)
    assert refused["statusDescription"] == "400 Bad Request"


def test_every_problem_has_a_reason_phrase() -> None:
    assert {its.status for its in PROBLEM_TYPES} <= REASONS.keys()


def test_a_console_test_event_with_nulls_is_an_empty_body(event: ReadEvent, handler: "Handler") -> None:
    answer: Any = handler(event("rest_api_v1_test_invoke"), Context())
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["detail"] == "expected a JSON object, got an empty body"
    assert answer["headers"]["x-request-id"] == "test-invoke-request"


def test_a_direct_problem_is_the_problem(handler: "Handler") -> None:
    answer: Any = handler({"uuid": 1}, Context())
    assert answer["status"] == 422
    assert answer["errors"] == [{"pointer": "/uuid", "detail": "expected a string, got a number"}]
    assert answer["request_id"] == "from-the-context"


def test_a_direct_batch_is_answered_as_over_http(event: ReadEvent, handler: "Handler") -> None:
    answer: Any = handler(event("direct_batch"), None)
    assert answer["answers"][0] == handler(event("direct"), None)
    over_http: Any = handler(event("http_api_v2_batch"), None)
    assert json.loads(over_http["body"]) == answer


@pytest.mark.parametrize(
    "event", [{"uuid": {1, 2}}, {"uuid": float("nan")}, {"applicants": 3, "x": 1}, {"applicants": 3}]
)
def test_a_direct_event_that_is_a_wrong_applicant(event: object, handler: "Handler") -> None:
    answer: Any = handler(event, None)
    assert answer["status"] in (400, 422)


def test_a_direct_event_that_contains_itself_is_refused(handler: "Handler") -> None:
    event: dict[str, object] = {"uuid": "1"}
    event["income"] = event
    answer: Any = handler(event, None)
    assert answer["status"] == 400


def request(body: object, *, is_base64: bool = False) -> Request:
    return Request("POST", "/predict", headers={}, body=body, is_base64=is_base64)


def test_a_body_in_base64_is_decoded() -> None:
    assert request(b64encode(b"\xff\x00").decode(), is_base64=True).body(10) == b"\xff\x00"
    assert request("", is_base64=True).body(10) == b""


@pytest.mark.parametrize(
    ("wrong", "problem_type", "detail"),
    [
        ("a", UNREADABLE_BODY, "expected base64, as isBase64Encoded says: "),
        ("YQ==YQ==", UNREADABLE_BODY, "expected base64, as isBase64Encoded says: "),
        ("Y Q = =", UNREADABLE_BODY, "expected base64, as isBase64Encoded says: "),
        ("é", UNREADABLE_BODY, "expected base64, as isBase64Encoded says: "),
        ("A" * 2000, BODY_TOO_LARGE, "expected at most 1000 bytes"),
    ],
)
def test_a_body_in_wrong_base64_is_refused(wrong: str, problem_type: ProblemType, detail: str) -> None:
    with pytest.raises(Problem) as problem:
        request(wrong, is_base64=True).body(1000)
    assert problem.value.type is problem_type
    assert problem.value.detail.startswith(detail)


@pytest.mark.parametrize("wrong", [{}, [], 3, True])
def test_a_body_that_is_no_string(wrong: object) -> None:
    with pytest.raises(Problem, match="expected the event to hold the body as a string or null"):
        request(wrong).body(1000)


def test_a_body_over_the_limit_is_refused() -> None:
    assert request("x" * 1000).body(1000)
    with pytest.raises(Problem, match="expected at most 1000 bytes"):
        request("x" * 1001).body(1000)


PARTS: dict[str, Any] = {
    "requestContext": {"http": {}},
    "httpMethod": "POST",
    "headers": {},
    "multiValueHeaders": {},
    "path": "/predict",
    "rawPath": "/predict",
    "body": "{}",
    "isBase64Encoded": True,
}
ODD: list[object] = [
    None,
    3,
    "x",
    [],
    [None],
    {},
    {"elb": None},
    {"http": 3},
    {"http": {"method": 3}},
    {"a": None},
]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("base", ["requestContext", "httpMethod"])
def test_odd_parts_of_a_request_never_raise(part: str, odd: object, base: str, handler: "Handler") -> None:
    event = {base: PARTS[base], part: odd}
    if infer(event) is Direct:  # the odd part is what made it a request
        with pytest.raises(EventRefused):
            handler(event, None)
        return
    answer: Any = handler(event, None)
    assert answer.get("statusCode", answer.get("status")) in (400, 404, 405, 422)


def test_no_two_types_are_mixed_up(event: ReadEvent) -> None:
    """The order decides between a load balancer and a REST API; every other event has one type at most."""
    for name, its in TYPE_OF.items():
        matching = [event_type for event_type in (*EVENT_TYPES, Lattice) if event_type.matches(event(name))]
        assert matching[:1] == ([] if its is Direct else [its])
