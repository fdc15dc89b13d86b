"""Seeded ways to damage a JSON document: in its values, its structure and its bytes."""

import copy
import json
import math
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

Place = tuple[Any, Any]  # a container, and the key or index of one of its values
MANY_DIGITS = 10**400


def damaged(document: dict[str, Any], seed: int, sign: Callable[[dict[str, Any]], object] | None = None) -> bytes:
    """The document's text after one damage that the seed chooses; `sign` makes the document's own digest fit again.

    Without `sign` the bytes may be damaged too.
    """
    chance = random.Random(seed)
    if sign is None and chance.random() < 0.3:
        return chance.choice(BYTES)(json.dumps(document).encode(), chance)
    changed = copy.deepcopy(document)
    container, key = chance.choice(list(places(changed)))
    container[key] = _other(container[key], chance)
    if container[key] is ...:
        del container[key]
    if sign is not None:
        sign(changed)
    return json.dumps(changed).encode()


def places(value: Any) -> Iterator[Place]:
    """Every value in a document, with what holds it."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(entries):
        yield value, key
        yield from places(inner)


def _other(value: Any, chance: random.Random) -> Any:
    """Another value for this one; Ellipsis to leave it out."""
    anything = [None, True, "", "x", 0, -1, 1.5, [], {}, [value], {"x": value}, MANY_DIGITS, -1e308, "\ud800", ...]
    if isinstance(value, bool) or value is None:
        return chance.choice([not value, *anything])
    if isinstance(value, int | float):
        near = [value + 1, value - 1, value + 14, -value, value * 2, value / 3, 10**9, 10**18, 1e-6, 0.999999]
        steps = [math.nextafter(value, math.inf), math.nextafter(value, -math.inf)]
        return chance.choice([*near, *steps, *anything])
    if isinstance(value, str):
        return chance.choice([value + " ", value[1:], value[::-1], value.upper(), value + "\0", *anything])
    if isinstance(value, list):
        shuffled, swapped = chance.sample(value, len(value)), list(value)
        if len(value) > 1:
            one, two = chance.sample(range(len(value)), 2)
            swapped[one], swapped[two] = swapped[two], swapped[one]
        return chance.choice([value[:1], value[1:], value[:-1], value * 2, value[::-1], shuffled, swapped, *anything])
    keys = list(value)
    gone = {key: inner for key, inner in value.items() if key != (chance.choice(keys) if keys else "")}
    return chance.choice([gone, {**value, "more": 1}, *anything])


def _flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _leave_out(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randint(1, 20) :]


def _put_in(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    more = chance.choice([b" ", b"0", b"9", b"[", b'"', b",", b"NaN", b"\xff", data[at : at + 9]])
    return data[:at] + more + data[at:]


def _repeat_a_name(data: bytes, chance: random.Random) -> bytes:
    name = chance.choice(list(re.finditer(rb'"\w+": ', data)))
    return data[: name.start()] + name[0] + b"7, " + data[name.start() :]


def _other_number(data: bytes, chance: random.Random) -> bytes:
    number = chance.choice(list(re.finditer(rb"-?\d+(?:\.\d+)?(?:e-?\d+)?", data)))
    other = chance.choice([b"1e999", b"9" * 400, b"9" * 5_000, b"-0", b"1e-400", b"0x10", b"01", number[0] + b"0"])
    return data[: number.start()] + other + data[number.end() :]


def _nest(data: bytes, chance: random.Random) -> bytes:
    depth = chance.choice([33, 1_000, 100_000])
    return data[:-1] + b', "more": ' + b"[" * depth + b"]" * depth + b"}"


BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip,
    _cut,
    _leave_out,
    _put_in,
    _repeat_a_name,
    _other_number,
    _nest,
)
