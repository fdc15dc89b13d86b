"""Whatever comes in: an answer in strict JSON with a planned status, never an exception, never a 5xx."""

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.event import Direct, infer
from runtime.observe import Observer
from runtime.other_events import MEMBERS, EventRefused
from runtime.strict_json import RepeatedNames, parse
from tests.runtime.model_builder import EVENTS, SMALL_FEATURES
from tests.tiers import examples

if TYPE_CHECKING:
    from runtime.dispatch import Handler

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

quick = settings(max_examples=examples(150))


def refuse_constant(token: str) -> None:
    raise AssertionError(f"{token} in an answer")


def strict(text: str) -> Any:
    """Read JSON as strict parsers do: ASCII, no NaN, no half of a surrogate pair."""
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
def test_any_json_as_body_is_answered(small: "Handler", value: Any, path: str) -> None:
    check(small(post(json.dumps(value), path), None))
    check(small(post(json.dumps(value, ensure_ascii=False), path), None))


@quick
@given(applicants=st.lists(APPLICANTS | VALUES, max_size=4))
def test_any_batch_is_answered(small: "Handler", applicants: list[Any]) -> None:
    answer: Any = small(post(json.dumps({"applicants": applicants}), "/predict/batch"), None)
    check(answer)
    content = json.loads(answer["body"])
    assert len(content["answers"]) == len(applicants)
    assert content["scored"] + content["refused"] == len(applicants)


# Mostly usual values, so that most applicants of a batch are, and each rule is met by some of them.
USUAL: dict[str, st.SearchStrategy[Any]] = {
    "uuid": st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
    "income": st.floats(0, 5000) | st.integers(-1, 5001),
    "owner": st.booleans() | st.none(),
    "age": st.floats(18, 75.5),
    "insured": st.booleans(),
    "debt": st.none() | st.none() | st.floats(-10, 10),
    "shop": st.sampled_from(["Travel", "Café", "", "travel", None]),
    "region": st.sampled_from(["north", "north", "south"]),
}


@st.composite
def almost_usual(draw: st.DrawFn) -> Any:
    applicant = draw(st.fixed_dictionaries(USUAL))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        name = draw(st.sampled_from([*USUAL, "incom"]))
        if draw(st.booleans()):
            applicant.pop(name, None)
        else:
            applicant[name] = draw(SCALARS | st.sampled_from([2**53, -(2**53), 2**53 + 1, -(2**53) - 1]))
    return applicant


@quick
@given(applicants=st.lists(almost_usual(), min_size=1, max_size=8))
def test_a_batch_answers_what_each_alone_is_answered(small: "Handler", applicants: list[Any]) -> None:
    """By columns or one by one: the same bits, the same warnings, the same errors; only the pointers differ."""
    answer: Any = small(post(json.dumps({"applicants": applicants}), "/predict/batch"), None)
    for index, (applicant, entry) in enumerate(zip(applicants, json.loads(answer["body"])["answers"], strict=True)):
        alone: Any = small(post(json.dumps(applicant)), None)
        expected = json.loads(alone["body"])
        for remark in [*expected.get("errors", ()), *expected.get("warnings", ())]:
            remark["pointer"] = f"/applicants/{index}{remark['pointer']}"
        if "status" in entry and "uuid" in entry:
            assert entry.pop("uuid") == applicant["uuid"]
        assert entry == expected
        assert {type(value) for value in entry.values()} == {type(value) for value in expected.values()}


PAIRS = st.lists(
    st.tuples(NAMES, SCALARS | st.sampled_from([":", "a:b", '":', {}, {"uuid": 1}, [{"uuid": 1}, {}, []]])), max_size=6
)


@quick
@given(pairs=PAIRS, separator=st.sampled_from([": ", ":", " :", "\n:\t"]), wrap=st.booleans())
def test_a_name_that_comes_twice_is_always_seen(pairs: Any, separator: str, wrap: bool) -> None:
    text = "{" + ",".join(f"{json.dumps(name)}{separator}{json.dumps(value)}" for name, value in pairs) + "}"
    body = f'{{"applicants"{separator}[{text}, {{"uuid": ":"}}]}}' if wrap else text
    value: Any = parse(body.encode(), 10**6)
    if wrap:
        [value, _] = value["applicants"]
    names = [name for name, _ in pairs]
    assert (type(value) is RepeatedNames) is (len(set(names)) < len(names))
    if type(value) is RepeatedNames:
        assert set(value.names) == {name for name in names if names.count(name) > 1}


@quick
@given(
    value=VALUES, request_id=st.text(max_size=140), name=st.sampled_from(["x-request-id", "x-amzn-trace-id", "origin"])
)
def test_any_request_is_observed_in_one_line(small: "Handler", value: Any, request_id: str, name: str) -> None:
    writes: list[bytes] = []
    manifest = small.service.model.manifest
    small.observe = Observer(manifest, writes.append, log=True, namespace="x", cold=True)
    try:
        for path in ("/predict", "/predict/batch", f"/{request_id}"):
            small({**post(json.dumps(value), path), "headers": {name: request_id}}, None)
    finally:
        small.observe = None
    assert len(writes) == 3
    for write in writes:
        assert write.count(b"\n") == 1
        assert set(strict(write.decode())) >= {"_aws", "request_id", "status", "route"}


@quick
@given(body=st.text(st.characters(exclude_categories=()), max_size=60) | st.text('{}[]",:\\tu0eE1.- ', max_size=60))
def test_any_text_as_body_is_answered(small: "Handler", body: str) -> None:
    check(small(post(body), None))
    check(small({**post(body), "isBase64Encoded": True}, None))


def invoke(handler: "Handler", event: Any) -> None:
    """An answer as planned; or a refusal of the event, if it was no request by any of the usual ways."""
    try:
        answer = handler(event, None)
    except EventRefused:
        assert infer(event) is Direct
        assert type(event) is not dict or "uuid" not in event or any(name in event for name in FOREIGN)
    else:
        check(answer)


FOREIGN = {"Records", "requestContext"}.union(*(members for _, members in MEMBERS))


@quick
@given(event=VALUES | EVENTS_OF_ANY_KIND)
def test_any_event_is_answered_or_refused(small: "Handler", event: Any) -> None:
    invoke(small, event)


@quick
@given(data=st.data(), event=st.sampled_from(RECORDED))
def test_a_recorded_event_with_any_part_changed_is_answered_or_refused(
    small: "Handler", data: st.DataObject, event: Any
) -> None:
    part = data.draw(st.sampled_from(sorted(event)))
    invoke(small, {**event, part: data.draw(VALUES)})
    if isinstance(event[part], dict) and event[part]:
        inner = data.draw(st.sampled_from(sorted(event[part])))
        invoke(small, {**event, part: {**event[part], inner: data.draw(VALUES)}})
