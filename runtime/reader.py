"""Values of a document that the runtime depends on: each has its type and its range, or is refused by its place."""

import json
from typing import Any

EXPORT_AGAIN = "export the model again (python -m export.to_onnx)"
LARGEST = 1.7976931348623157e308  # float64's


class ModelRefused(Exception):  # noqa: N818  (named for what happened)
    """A model that must not serve. One line: what, what was expected, what was found, what to do."""


class Reader:
    """Take values from one object of the manifest; refuse, with its place, a value that is not as expected."""

    __slots__ = ("_object", "_place")

    def __init__(self, value: object, place: str) -> None:
        self._place = place
        if not isinstance(value, dict):
            raise ModelRefused(f"{place}: expected an object, got {_shown(value)}; {EXPORT_AGAIN}")
        self._object: dict[str, Any] = value

    def refusal(self, key: str, expected: str, got: object) -> ModelRefused:
        """A ModelRefused that names file, key, expectation and value; the caller raises it."""
        return ModelRefused(f"{self._place}: {key}: expected {expected}, got {_shown(got)}; {EXPORT_AGAIN}")

    def has(self, key: str) -> bool:
        """True for a value other than null."""
        return self._value(key) is not None

    def __contains__(self, key: str) -> bool:
        """True if the key is present, with null too."""
        return key in self._object

    def take(self, key: str, kind: type) -> Any:
        """A value of this type; float takes whole numbers too and makes floats of them."""
        value = self._value(key)
        if not _is(value, kind):
            raise self.refusal(key, _NAMES[kind], value)
        return float(value) if kind is float else value

    def take_name(self, key: str) -> str:
        """A string with at least one character."""
        value: str = self.take(key, str)
        if not value:
            raise self.refusal(key, "a name", value)
        return value

    def take_number(self, key: str, lowest: float, highest: float) -> float:
        """A number of this closed range."""
        value: float = self.take(key, float)
        if not lowest <= value <= highest:
            raise self.refusal(key, f"a number from {lowest:g} to {highest:g}", value)
        return value

    def take_list(self, key: str, *kinds: type | None, limit: float = LARGEST) -> list[Any]:
        """A list of values of these types; numbers no further from 0 than `limit`."""
        values: list[Any] = self.take(key, list)
        for index, value in enumerate(values):
            if not any(_is(value, kind) for kind in kinds):
                expected = " or ".join(_NAMES[kind] for kind in kinds)
                raise self.refusal(f"{key}[{index}]", expected, value)
            if float in kinds and value is not None and not -limit <= value <= limit:
                raise self.refusal(f"{key}[{index}]", f"a number from {-limit:g} to {limit:g}", value)
        return [float(value) if type(value) is int else value for value in values] if float in kinds else values

    def reader(self, key: str) -> "Reader":
        """The object that is the value."""
        return Reader(self._value(key), f"{self._place}: {key}")

    def readers(self, key: str) -> list["Reader"]:
        """The objects in the list that is the value."""
        values = self.take(key, list)
        return [Reader(value, f"{self._place}: {key}[{index}]") for index, value in enumerate(values)]

    def _value(self, key: str) -> Any:
        try:
            return self._object[key]
        except KeyError:
            raise ModelRefused(f"{self._place}: {key}: expected a value, got none; {EXPORT_AGAIN}") from None


_NAMES: dict[type | None, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    list: "a list",
    dict: "an object",
    None: "null",
}


def _is(value: object, kind: type | None) -> bool:
    if kind is None:
        return value is None
    if kind is float:
        return (type(value) is float or type(value) is int) and -LARGEST <= value <= LARGEST
    if kind is str:
        return type(value) is str and (value.isascii() or _is_unicode(value))
    return type(value) is kind


def _is_unicode(text: str) -> bool:
    """False where half of a surrogate pair stands alone: nothing can be sent or looked up by such a name."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else text[:117] + "..."
