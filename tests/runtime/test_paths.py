"""Whatever is in front of a path, and however it is written: one resource, or none."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.paths import normal
from tests.runtime.model_builder import EVENTS, reference_request
from tests.runtime.sending import send

if TYPE_CHECKING:
    from runtime.dispatch import Handler
    from tests.runtime.conftest import MakeHandler

ROUTES = ["/", "/health", "/model", "/openapi.json", "/predict", "/predict/batch"]
UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"


@st.composite
def spelled(draw: st.DrawFn, path: str) -> str:
    """The path with slashes doubled and characters percent-encoded here and there."""
    text = ""
    for character in path:
        if character == "/":
            text += "/" * draw(st.integers(1, 3))
        else:
            encoded = f"%{ord(character):02x}"
            text += draw(st.sampled_from([character, character, encoded, encoded.upper()]))
    return text + "/" * draw(st.integers(0, 2))


@given(data=st.data(), route=st.sampled_from(ROUTES), stage=st.sampled_from(["", "prod", "v1-a_b", "predict"]))
def test_a_route_is_found_however_it_is_written(
    handler: "Handler", data: st.DataObject, route: str, stage: str
) -> None:
    path = data.draw(spelled(f"/{stage}{route}" if stage else route))
    observed: list[str] = []
    handler.observe = lambda request, response, seconds: observed.append(request.route)
    try:
        send(handler, "GET", path, stage=stage or "$default")
    finally:
        handler.observe = None
    # A stage that is named as a resource is: its own path says which, and the longer one counts.
    assert observed == [
        "/predict/batch"
        if (stage, route) == ("predict", "/batch")
        else route
        if route != "/" or stage != "predict"
        else "/predict"
    ]


@pytest.fixture(scope="module")
def credit(make_handler: "MakeHandler") -> "Handler":
    return make_handler(BASE_PATH="/credit")


@given(
    data=st.data(), route=st.sampled_from(ROUTES), order=st.sampled_from(["/prod/credit", "/credit/prod", "/credit"])
)
def test_base_path_and_stage_come_in_either_order(
    credit: "Handler", data: st.DataObject, route: str, order: str
) -> None:
    path = data.draw(spelled(order + route))
    assert send(credit, "GET", path, stage="prod")[0] == (405 if route.startswith("/predict") else 200)


@given(st.text(st.characters(codec="utf-8"), max_size=30) | st.text("/%2fF41aZz", max_size=30))
def test_a_normal_path_is_normal_and_means_the_same(text: str) -> None:
    path = normal(text)
    assert "//" not in path
    assert path == "/" or not path.endswith("/")
    assert "%2f" not in text.lower() or path.lower().count("%2f") == text.lower().count("%2f")
    once = unquote(path)
    assert [part for part in once.split("/") if part] == [part for part in unquote(text).split("/") if part]


def test_all_unreserved_characters_are_decoded_and_no_others() -> None:
    for code in range(256):
        for encoded in (f"/%{code:02x}", f"/%{code:02X}"):
            expected = f"/{chr(code)}" if chr(code) in UNRESERVED else encoded
            assert normal(encoded) == expected


REST: dict[str, Any] = {"httpMethod": "POST", "body": None, "requestContext": {"stage": "prod"}}
HTTP: dict[str, Any] = {"requestContext": {"http": {"method": "POST"}, "stage": "$default"}}


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (REST | {"path": "/credit/predict", "resource": "/predict"}, 200),
        (REST | {"path": "/credit/predict", "resource": "/{proxy+}", "pathParameters": {"proxy": "predict"}}, 200),
        (REST | {"path": "/a/b/predict", "resource": "/a/{rest+}", "pathParameters": {"rest": "/predict/"}}, 200),
        (HTTP | {"rawPath": "/credit/predict", "routeKey": "POST /predict"}, 200),
        (HTTP | {"rawPath": "/x/predict", "routeKey": "ANY /{all+}", "pathParameters": {"all": "predict"}}, 200),
        (HTTP | {"rawPath": "/credit/predict", "routeKey": "$default"}, 404),
        (HTTP | {"rawPath": "/credit/predict", "routeKey": None}, 404),
        (HTTP | {"rawPath": "/credit/predict", "routeKey": "ANY /{all+}", "pathParameters": None}, 404),
        (
            REST | {"path": "/credit/predict", "resource": "/{proxy+}", "pathParameters": {"proxy": "credit/predict"}},
            404,
        ),
        (REST | {"path": "/credit/predict", "resource": 3}, 404),
        (REST | {"path": "//predict", "requestContext": {"elb": {}}}, 200),
        (REST | {"path": "/%70redict", "requestContext": {"elb": {}}}, 200),
        ({"method": "POST", "raw_path": "//predict"}, 200),
    ],
)
def test_what_the_gateway_matched_counts(handler: "Handler", event: dict[str, Any], status: int) -> None:

    answer: Any = handler(event | {"body": json.dumps(reference_request())}, None)
    assert answer["statusCode"] == status


def test_slashes_are_doubled_in_every_kind_of_event(handler: "Handler") -> None:

    seen = 0
    for file in EVENTS.glob("*.json"):
        event = json.loads(file.read_text())
        for key in {"rawPath", "path", "raw_path"} & event.keys():
            if event[key].startswith("/") and "invoke" not in file.name:
                answer: Any = handler(event | {key: event[key].replace("/", "//")}, None)
                assert answer["statusCode"] == 200, file.name
                seen += 1
    assert seen >= 9
