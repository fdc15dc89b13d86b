"""The event for a request, against a recorded one of the kind."""

import json
from typing import Any

import pytest

from local.event import HttpRequest, http_api_event
from tests.runtime.model_builder import EVENTS


def test_every_member_is_one_of_the_recorded_event() -> None:
    [recorded] = [
        event
        for path in sorted(EVENTS.glob("*.json"))
        if (event := json.loads(path.read_text())) and path.stem == "http_api_v2"
    ]
    event = http_api_event(HttpRequest("POST", "/predict?a=1", (("host", "x"), ("cookie", "a=1; b=2")), b"{}"))
    assert event.keys() <= {*recorded, "cookies"}
    assert event["requestContext"].keys() <= recorded["requestContext"].keys()
    assert event["requestContext"]["http"].keys() <= recorded["requestContext"]["http"].keys()


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a?b?c", "/a", "b?c"),
        ("//predict", "//predict", ""),
        ("/a%2Fb", "/a%2Fb", ""),
        ("http://x", "/", ""),
        ("HTTPS://x:1/a//b?c=http://d", "/a//b", "c=http://d"),
        ("/a://b", "/a://b", ""),
        ("*", "*", ""),
    ],
)
def test_path_and_query_are_as_sent(target: str, path: str, query: str) -> None:
    event = http_api_event(HttpRequest("GET", target))
    assert (event["rawPath"], event["rawQueryString"]) == (path, query)


def test_repeated_headers_are_joined_and_cookies_stand_apart() -> None:
    headers = (("a", "1"), ("cookie", "c=1; d=2"), ("a", "2"), ("cookie", "e=3"))
    event = http_api_event(HttpRequest("GET", "/", headers))
    assert event["headers"] == {"a": "1,2"}
    assert event["cookies"] == ["c=1", "d=2", "e=3"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"", (None, False)), ("é".encode(), ("é", False)), (b"\xff", ("/w==", True))],
)
def test_a_body_is_text_or_base64(body: bytes, expected: tuple[Any, bool]) -> None:
    event = http_api_event(HttpRequest("POST", "/", body=body))
    assert (event.get("body"), event["isBase64Encoded"]) == expected
