"""JSON as the standard defines it, for reading and writing, with limits on size and depth.

Python's own parser lets repeated names, deep nesting and integers of any length in; its writer lets NaN out.
"""

import json
import math
import re
from collections.abc import Callable
from functools import partial
from typing import NoReturn

from runtime.problem import BODY_TOO_LARGE, INVALID_JSON, NESTED_TOO_DEEP, Problem

DEPTH_LIMIT = 32
LARGE = 2**14  # bytes

# A string, up to the end of the text if it is never closed; the pattern cannot backtrack.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TO_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}"'))


class NotStrict(ValueError):  # noqa: N818  (named for what is there)
    """A file that is not strict JSON, in one line."""


class Written(str):
    """A JSON value that is text already."""

    __slots__ = ()


class NotFinite(float):
    """NaN, Infinity or -Infinity: no JSON, but known to many parsers and writers, and to Python's."""

    __slots__ = ()


class RepeatedNames(dict[str, object]):
    """An object in which `names` occur more than once (the value is the last one)."""

    __slots__ = ("names",)

    names: list[str]


def parse(body: bytes, size_limit: int) -> object:
    """The JSON value in `body`.

    Objects with repeated names are `RepeatedNames`; NaN and Infinity are `NotFinite`, numbers beyond float64
    infinite: who knows the fields can then name the wrong one. Raises Problem for everything else that is not
    strict JSON.
    """
    if len(body) > size_limit:
        raise Problem(BODY_TOO_LARGE, f"expected at most {size_limit} bytes, got {len(body)}")
    if body.startswith(_BYTE_ORDER_MARK):  # which a parser may ignore: RFC 8259, 8.1
        body = body[len(_BYTE_ORDER_MARK) :]
    if not body or body.isspace():
        raise Problem(INVALID_JSON, "expected a JSON object, got an empty body")
    try:
        text = body.decode()
        value = _decode(text)
    except (ValueError, RecursionError) as fault:
        if _is_too_deep(body):
            raise _nested_too_deep() from None
        if isinstance(fault, UnicodeDecodeError):
            raise Problem(INVALID_JSON, f"expected UTF-8, got another byte at position {fault.start}") from None
        return _decode_odd(text)
    members, containers = _sizes(value)
    count: Callable[[bytes], int] = partial(_count_in_large, body) if len(body) > LARGE else body.count
    if containers != count(b"{") + count(b"[") and _is_too_deep(body):
        raise _nested_too_deep()
    # Every pair of name and value has a colon: where there are as many as members, no pair was lost.
    if members == count(b":") or members == _STRING.sub(b"", body).count(b":"):
        return value
    return _decode_pairs(text)


def parse_file(content: bytes, size_limit: int) -> object:
    """The JSON value of a file of the project: no repeated name, no number beyond float64.

    Raises NotStrict for all that is not strict JSON in UTF-8, nests deeper than a request may, or is too large.
    """
    if len(content) > size_limit:
        raise NotStrict(f"more than {size_limit:,} bytes")
    if _is_too_deep(content):
        raise NotStrict(f"more than {DEPTH_LIMIT} levels of arrays and objects")
    try:
        return _decode_file(content.decode())
    except NotStrict:
        raise
    except ValueError as fault:  # cut short, not UTF-8, not JSON
        raise NotStrict(str(fault)) from None


def separators(text: str) -> int:
    """Number of commas and colons between the values of compact JSON in ASCII."""
    outside = _STRING.sub(b"", text.encode())
    return outside.count(b",") + outside.count(b":")


def _decode_odd(text: str) -> object:
    """The value of text that is not JSON, or has an integer of more digits than Python converts: then as a float."""
    try:
        return _decode_integers_as_floats(text)
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno} column {fault.colno}"
        raise Problem(INVALID_JSON, f"expected JSON, at {where}: {fault.msg}") from None


def _nested_too_deep() -> Problem:
    return Problem(NESTED_TOO_DEEP, f"expected at most {DEPTH_LIMIT} levels of arrays and objects")


def _sizes(value: object) -> tuple[int, int]:
    """The members, and the number, of an object, of its lists and of the objects in these.

    In a valid request these are all members, and all arrays and objects.
    """
    if type(value) is not dict:
        return 0, 0
    lists = [inner for inner in value.values() if type(inner) is list]
    sizes = [len(entry) for inner in lists for entry in inner if type(entry) is dict]
    return len(value) + sum(sizes), 1 + len(lists) + len(sizes)


def _count_in_large(body: bytes, sign: bytes) -> int:
    """`body.count(sign)`, several times as fast."""
    from numpy import count_nonzero, frombuffer, uint8  # loaded with the model; a tool that reads files does without

    return int(count_nonzero(frombuffer(body, uint8) == sign[0]))


def _is_too_deep(body: bytes) -> bool:
    """True if arrays and objects nest deeper than the limit; linear in the length of the body."""
    if b"[" not in body and body.find(b"{", body.find(b"{") + 1) < 0:
        return False  # one object at most: an applicant
    # Reduced to brackets and quotation marks, most bodies are brackets and pairs of marks.
    brackets = body.translate(_TO_SQUARE, _NOT_STRUCTURE).replace(b'""', b"")
    if b"\\" in body or b'"' in brackets:
        brackets = _STRING.sub(b"", body).translate(_TO_SQUARE, _NOT_STRUCTURE)
    for _ in range(DEPTH_LIMIT):
        brackets = brackets.replace(b"[]", b"")  # takes the innermost level of everything away
    return b"[]" in brackets or brackets.count(b"[") > DEPTH_LIMIT


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeated = RepeatedNames(members)
    once = set(members)
    again: dict[str, None] = {}
    for name, _ in pairs:
        if name in once:
            once.remove(name)
        else:
            again[name] = None
    repeated.names = list(again)
    return repeated


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = _object(pairs)
    if isinstance(found, RepeatedNames):
        raise NotStrict(f"{json.dumps(found.names[0])} more than once in an object")
    return found


def _finite(token: str) -> float:
    if (value := float(token)) in (math.inf, -math.inf):
        raise NotStrict(f"a number beyond float64, {token[:20]}")
    return value


def _whole(token: str) -> int:
    if len(token) > 300:  # float64 ends at 309 digits, and Python converts no more than 4,300
        _finite(token)
    return int(token)


def _no_constant(token: str) -> NoReturn:
    raise NotStrict(f"{token}, which is not JSON")


_decode = json.JSONDecoder(parse_constant=NotFinite).decode
_decode_pairs = json.JSONDecoder(parse_constant=NotFinite, object_pairs_hook=_object).decode
_decode_integers_as_floats = json.JSONDecoder(
    parse_constant=NotFinite, object_pairs_hook=_object, parse_int=float
).decode

_decode_file = json.JSONDecoder(
    parse_constant=_no_constant, object_pairs_hook=_unique, parse_float=_finite, parse_int=_whole
).decode

# write(value) -> compact JSON in ASCII; raises ValueError for a number that is not finite.
write = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode

# write_text(value) -> what `write` makes of a str, in a third of the time.
write_text = json.encoder.encode_basestring_ascii


def write_number(value: float, *, is_boolean: bool) -> str:
    """A number as JSON, in the form that a request has."""
    if is_boolean:
        return "true" if value == 1 else "false"
    if type(value) is not int:
        value = float(value)
        if value.is_integer() and -(2**53) < value < 2**53:
            value = int(value)
        elif not -math.inf < value < math.inf:
            return write(value)
    return repr(value)
