"""Strict JSON in and out, and its limits."""

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.problem import BODY_TOO_LARGE, INVALID_JSON, NESTED_TOO_DEEP, Problem, ProblemType
from runtime.strict_json import DEPTH_LIMIT, RepeatedNames, parse, separators, write

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.booleans())
def test_reads_what_the_standard_library_writes(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert parse(text.encode("utf-8", "replace"), 10**6) == json.loads(text.encode("utf-8", "replace").decode())


@given(JSON)
def test_writes_what_the_standard_library_reads(value: Any) -> None:
    assert json.loads(write(value)) == value
    assert write(value).isascii()


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_never_writes_a_number_that_is_not_finite(number: float) -> None:
    with pytest.raises(ValueError, match="Out of range float values"):
        write({"a": [number]})


def refused(body: bytes, problem_type: ProblemType, limit: int = 10**7) -> str:
    with pytest.raises(Problem) as problem:
        parse(body, limit)
    assert problem.value.type is problem_type
    return problem.value.detail


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "expected a JSON object, got an empty body"),
        (b" \n", "expected a JSON object, got an empty body"),
        (b"{", "expected JSON, at line 1 column 2: Expecting property name enclosed in double quotes"),
        (b'{"a": 1}\n}', "expected JSON, at line 2 column 1: Extra data"),
        (b"{'a': 1}", "expected JSON, at line 1 column 2: Expecting property name enclosed in double quotes"),
        (b'{"a": 01}', "expected JSON, at line 1 column 8: Expecting ',' delimiter"),
        (b'{"a": .5}', "expected JSON, at line 1 column 7: Expecting value"),
        (b'{"a": "\x01"}', "expected JSON, at line 1 column 8: Invalid control character at"),
        (b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}', "expected JSON, at line 1 column 1: Expecting value"),
        (b"\xef\xbb\xbf", "expected a JSON object, got an empty body"),
        (b'{"a": "\xff"}', "expected UTF-8, got another byte at position 7"),
        (b'{"a": "\xed\xa0\x80"}', "expected UTF-8, got another byte at position 7"),
    ],
)
def test_what_is_not_json(body: bytes, detail: str) -> None:
    assert refused(body, INVALID_JSON) == detail


def test_the_size_limit_holds_first() -> None:
    assert parse(b"[1]", 3) == [1]
    assert refused(b"[1] ", BODY_TOO_LARGE, 3) == "expected at most 3 bytes, got 4"
    assert refused(b"\xff" * 9, BODY_TOO_LARGE, 3) == "expected at most 3 bytes, got 9"


def nested(levels: int, inside: str = "") -> bytes:
    """`levels` of objects and lists in turn, one in the other."""
    opening = '{"a":[' * (levels // 2) + "[" * (levels % 2)
    closing = "]" * (levels % 2) + "]}" * (levels // 2)
    return f"[1,{opening}{inside}{closing}]".encode()


@pytest.mark.parametrize("inside", ["", '"["', r'"\"[{"', r'"\\"', '"]]]]"'])
def test_the_depth_limit_is_exact(inside: str) -> None:
    assert parse(nested(DEPTH_LIMIT - 1, inside), 10**6)
    assert refused(nested(DEPTH_LIMIT, inside), NESTED_TOO_DEEP) == "expected at most 32 levels of arrays and objects"


def test_brackets_in_strings_and_beside_each_other_do_not_nest() -> None:
    assert parse(b'["' + b"[" * 1000 + b'"]', 10**6)
    assert parse(b'["\\"' + b"[{" * 1000 + b'", {}]', 10**6)
    assert parse(b"[" + b"[],{}," * 1000 + b"1]", 10**6)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 5_000_000,
        b"]" * 5_000_000,
        b"[]" * 2_500_000,
        b'{"a":' * 1_000_000,
        b'"' + b'\\"' * 2_000_000,
        b'["' + b'\\"[' * 1_500_000,
        b'"[' * 2_000_000,
        b"9" * 5_000_000,
        b"[" + b'"\\u00' * 500_000,
    ],
)
def test_no_body_takes_long(body: bytes) -> None:
    """Linear time: well under a second each, where quadratic time would take hours."""
    with contextlib.suppress(Problem):
        parse(body, 10**7)


def test_repeated_names_are_kept_beside_the_last_values() -> None:
    value = parse(b'{"a": 1, "b": 2, "a": 3, "c": {"x": 1, "x": 2}, "a": 4}', 100)
    assert isinstance(value, RepeatedNames)
    assert (value, value.names) == ({"a": 4, "b": 2, "c": {"x": 2}}, ["a"])


def test_numbers_beyond_float64_are_infinite() -> None:
    assert parse(b'{"a": 1e999, "b": -1e999, "c": Infinity}', 100) == {
        "a": math.inf,
        "b": -math.inf,
        "c": math.inf,
    }
    assert parse(b'{"a": ' + b"9" * 5000 + b', "b": 1}', 10**4) == {"a": math.inf, "b": 1}


def test_an_integer_of_any_length_before_broken_json_is_broken_json() -> None:
    assert refused(b"[" + b"9" * 5000 + b", }", INVALID_JSON) == "expected JSON, at line 1 column 5004: Expecting value"


@pytest.mark.parametrize("entries", [3, 3_000])
def test_names_and_depth_of_a_batch_are_looked_at_whatever_its_size(entries: int) -> None:
    usual = [{"a": i, "b": "x"} for i in range(entries)]
    body = json.dumps({"rows": usual}).encode()
    assert parse(body, 10**7) == {"rows": usual}
    twice = parse(body.replace(b'"a": 1,', b'"a": 1, "a": 7,', 1), 10**7)
    assert isinstance(twice, dict)
    assert [type(row) is RepeatedNames for row in twice["rows"]] == [i == 1 for i in range(entries)]
    in_text = body.replace(b'"x"', b'"{[:"', 1)
    assert parse(in_text, 10**7) == json.loads(in_text)
    for levels in (DEPTH_LIMIT - 3, DEPTH_LIMIT - 2):
        deep = body.replace(b'"x"', b"[" * levels + b"]" * levels, 1)
        if levels == DEPTH_LIMIT - 3:
            assert parse(deep, 10**7) == json.loads(deep)
        else:
            refused(deep, NESTED_TOO_DEEP)


def test_a_byte_order_mark_is_ignored() -> None:
    assert parse(b'\xef\xbb\xbf{"a": "\xef\xbb\xbf"}', 100) == {"a": "\ufeff"}


@given(JSON)
def test_separators_are_those_outside_of_strings(value: Any) -> None:
    spaced = json.dumps(value)
    compact = write(value)
    assert len(compact) + separators(compact) == len(spaced)
