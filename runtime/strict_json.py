"""JSON as the standard has it, in and out, with limits that are checked before anything is parsed.

Python's own parser lets repeated names, deep nesting and integers of any length in; its writer lets NaN out.
"""

import json
import re

from runtime.problem import BODY_TOO_LARGE, INVALID_JSON, NESTED_TOO_DEEP, Problem

DEPTH_LIMIT = 32

# A string, up to the end of the text if it is never closed: no text makes this pattern go back.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_TO_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}"'))


class RepeatedNames(dict[str, object]):
    """An object in which `names` occur more than once (the value is the last one)."""

    __slots__ = ("names",)

    names: list[str]


def parse(body: bytes, size_limit: int) -> object:
    """The JSON value in `body`.

    Objects with repeated names are `RepeatedNames`; NaN, Infinity and numbers beyond float64 are non-finite
    floats: who knows the fields can then name the wrong one. Raises Problem for everything else that is not
    strict JSON.
    """
    if len(body) > size_limit:
        raise Problem(BODY_TOO_LARGE, f"expected at most {size_limit} bytes, got {len(body)}")
    if not body or body.isspace():
        raise Problem(INVALID_JSON, "expected a JSON object, got an empty body")
    if _is_too_deep(body):
        raise Problem(NESTED_TOO_DEEP, f"expected at most {DEPTH_LIMIT} levels of arrays and objects")
    try:
        return _parse(body.decode())
    except UnicodeDecodeError as fault:
        raise Problem(INVALID_JSON, f"expected UTF-8, got another byte at position {fault.start}") from None
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno} column {fault.colno}"
        raise Problem(INVALID_JSON, f"expected JSON, at {where}: {fault.msg}") from None


def _parse(text: str) -> object:
    try:
        return _decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of more digits than Python converts: infinity as a float
        return _decode_integers_as_floats(text)


def _is_too_deep(body: bytes) -> bool:
    """Whether arrays and objects nest deeper than the limit; in time linear in the length of the body."""
    if b"[" not in body and body.find(b"{", body.find(b"{") + 1) < 0:
        return False  # one object at most: an applicant
    # What is left of most bodies without all but brackets and quotation marks is brackets and pairs of marks.
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


_decode = json.JSONDecoder(object_pairs_hook=_object).decode
_decode_integers_as_floats = json.JSONDecoder(object_pairs_hook=_object, parse_int=float).decode

# write(value) -> compact JSON in ASCII; raises ValueError for a number that is not finite.
write = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
