"""No answer is larger than Lambda, or a load balancer, takes it once it has been encoded again."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.event import (
    ANSWER_LIMIT,
    ENVELOPE,
    EVENT_TYPES,
    LOAD_BALANCER_LIMIT,
    Direct,
    Response,
    encoded_size,
)
from runtime.other_events import Lattice

if TYPE_CHECKING:
    from runtime.dispatch import Handler

EVENTS: dict[str, Any] = {
    "http": {"rawPath": "/predict/batch", "requestContext": {"http": {"method": "POST"}}},
    "rest": {"path": "/predict/batch", "httpMethod": "POST"},
    "alb": {"path": "/predict/batch", "httpMethod": "POST", "requestContext": {"elb": {}}},
    "alb of several": {
        "path": "/predict/batch",
        "httpMethod": "POST",
        "requestContext": {"elb": {}},
        "multiValueHeaders": {},
    },
    "lattice": {"raw_path": "/predict/batch", "method": "POST"},
    "direct": {},
}


def batch(count: int, letter: str) -> dict[str, Any]:
    return {"applicants": [{letter * (90 + index): 0 for index in range(10)}] * count}


def encoded(answer: Any) -> int:
    return len(json.dumps(answer))


def ask(handler: "Handler", kind: str, content: dict[str, Any]) -> tuple[int, Any]:
    """The bytes of the answer, and its content."""
    event = content if kind == "direct" else EVENTS[kind] | {"body": json.dumps(content, ensure_ascii=False)}
    answer: Any = handler(event, None)
    return encoded(answer), answer if kind == "direct" else json.loads(answer["body"])


@pytest.mark.parametrize("letter", ["é", '"'])
@pytest.mark.parametrize("kind", EVENTS)
def test_the_largest_answer_comes_up_to_the_limit_and_not_beyond(handler: "Handler", kind: str, letter: str) -> None:
    limit = LOAD_BALANCER_LIMIT if "alb" in kind else ANSWER_LIMIT
    each = ask(handler, kind, batch(11, letter))[0] - ask(handler, kind, batch(10, letter))[0]
    count = min(1000, limit // (each + 20))  # 20: positions of three digits, in each of ten pointers
    size, content = ask(handler, kind, batch(count, letter))
    while content.get("status") != 413 and count < 1000:
        assert size <= limit
        largest, count = size, count + 1
        size, content = ask(handler, kind, batch(count, letter))
    if content.get("type", "").endswith("answer-too-large"):
        assert largest > limit - each - 20
        assert content["detail"].startswith(f"expected at most {limit} bytes as Lambda encodes it, got ")
        assert content["detail"].endswith("; send fewer applicants at once")
    else:
        assert size <= limit


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
HEADERS = st.dictionaries(st.sampled_from(["x-request-id", "x-amzn-trace-id"]), st.text('a"\\', max_size=20))


@given(TEXT, HEADERS, st.sampled_from([*EVENT_TYPES, Lattice, Direct]), st.booleans())
def test_the_size_is_that_of_the_encoded_answer(text: str, headers: dict[str, str], its: Any, several: bool) -> None:
    event: dict[str, Any] = {"multiValueHeaders": {}} if several else {}
    response = Response({"a": [text, {text: 1.5}]}, 200, headers)
    body = response.text()
    assert encoded_size(its, event, response, body) == encoded(its.answer(event, response, body))


def test_headers_with_the_longest_ids_fit_the_envelope(handler: "Handler") -> None:
    """Where twice the body and the envelope are below the limit, nothing is counted."""
    headers = {"x-request-id": '"' * 128, "x-amzn-trace-id": "\\" * 1024, "origin": "https://a.com"}
    for event in EVENTS.values():
        if event:
            answer: Any = handler(event | {"headers": headers, "body": "{"}, None)
            assert encoded(answer) - 2 * len(answer["body"]) < ENVELOPE


def test_an_ordinary_answer_is_not_measured(handler: "Handler", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(type(handler).__call__.__globals__, "encoded_size", None)
    for kind in EVENTS:
        assert "answers" in ask(handler, kind, batch(10, "q"))[1]
