"""Whatever comes in: an answer in strict JSON with a planned status, never an exception, never a 5xx."""

import json
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.runtime.model_builder import EVENTS, SMALL_FEATURES

if TYPE_CHECKING:
    from runtime.handler import Handler

PLANNED = {200, 204, 400, 404, 405, 413, 415, 422}

# Numbers that are not finite and halves of surrogate pairs included: Python's parser lets both in.
SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.sampled_from([2**53 + 1, 10**400, -0.0, "\ud800", "north", "true", "1"])
)
NAMES = st.sampled_from(["uuid", "applicants", *(feature["name"] for feature in SMALL_FEATURES)]) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=8),
    max_leaves=12,
)
APPLICANTS = st.fixed_dictionaries(
    {"uuid": st.text(min_size=1, max_size=5)},
    optional={feature["name"]: SCALARS for feature in SMALL_FEATURES},
)
EVENT_PARTS = st.sampled_from(
    [
        "requestContext",
        "http",
        "elb",
        "httpMethod",
        "method",
        "path",
        "rawPath",
        "headers",
        "multiValueHeaders",
        "body",
        "isBase64Encoded",
        "stage",
        "requestId",
        "content-type",
    ]
)
EVENTS_OF_ANY_KIND = st.dictionaries(
    EVENT_PARTS | NAMES,
    VALUES
    | st.dictionaries(EVENT_PARTS, VALUES | st.dictionaries(EVENT_PARTS, VALUES, max_size=3), max_size=5)
    | st.sampled_from(["GET", "POST", "/predict", "/predict/batch", "/", True, "e30="]),
    max_size=8,
)
RECORDED = [json.loads(file.read_text()) for file in sorted(EVENTS.glob("*.json"))]

quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def refuse_constant(token: str) -> None:
    raise AssertionError(f"{token} in an answer")


def strict(text: str) -> Any:
    """Reads JSON as strict parsers do: ASCII, no NaN, no half of a surrogate pair."""
    assert text.isascii()
    value = json.loads(text, parse_constant=refuse_constant)
    json.dumps(value, ensure_ascii=False).encode()  # raises for a lone surrogate
    return value


def check(answer: Any) -> None:
    answer = strict(json.dumps(answer, allow_nan=False))
    if "statusCode" not in answer:
        assert answer.get("status", 200) in PLANNED
        return
    assert answer["statusCode"] in PLANNED
    content = strict(answer["body"]) if answer["body"] else None
    if answer["statusCode"] >= 400 and content is not None:
        assert content["status"] == answer["statusCode"]
        assert all(set(entry) == {"pointer", "detail"} for entry in content.get("errors", []))


def post(body: str, path: str = "/predict") -> dict[str, Any]:
    return {"requestContext": {"http": {"method": "POST"}}, "rawPath": path, "body": body}


@quick
@given(value=VALUES | APPLICANTS, path=st.sampled_from(["/predict", "/predict/batch"]))
def test_any_json_as_body(small: "Handler", value: Any, path: str) -> None:
    check(small(post(json.dumps(value), path), None))
    check(small(post(json.dumps(value, ensure_ascii=False), path), None))


@quick
@given(applicants=st.lists(APPLICANTS | VALUES, max_size=4))
def test_any_batch(small: "Handler", applicants: list[Any]) -> None:
    answer: Any = small(post(json.dumps({"applicants": applicants}), "/predict/batch"), None)
    check(answer)
    content = json.loads(answer["body"])
    assert len(content["answers"]) == len(applicants)
    assert content["scored"] + content["refused"] == len(applicants)


@quick
@given(body=st.text(st.characters(exclude_categories=()), max_size=60) | st.text('{}[]",:\\tu0eE1.- ', max_size=60))
def test_any_text_as_body(small: "Handler", body: str) -> None:
    check(small(post(body), None))
    check(small({**post(body), "isBase64Encoded": True}, None))


@quick
@given(event=VALUES | EVENTS_OF_ANY_KIND)
def test_any_event(small: "Handler", event: Any) -> None:
    check(small(event, None))


@quick
@given(data=st.data(), event=st.sampled_from(RECORDED))
def test_a_recorded_event_with_any_part_changed(small: "Handler", data: st.DataObject, event: Any) -> None:
    part = data.draw(st.sampled_from(sorted(event)))
    check(small({**event, part: data.draw(VALUES)}, None))
    if isinstance(event[part], dict) and event[part]:
        inner = data.draw(st.sampled_from(sorted(event[part])))
        check(small({**event, part: {**event[part], inner: data.draw(VALUES)}}, None))
