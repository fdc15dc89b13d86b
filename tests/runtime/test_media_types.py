"""Bodies that are read and bodies that are refused: content types, JSON, unknown fields."""

from typing import TYPE_CHECKING

import pytest

from tests.runtime.model_builder import reference_request

if TYPE_CHECKING:
    from runtime.dispatch import Handler
    from tests.runtime.conftest import MakeHandler
from tests.runtime.sending import problem, send

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
