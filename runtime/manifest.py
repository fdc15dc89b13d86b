"""model/manifest.json: all that the runtime knows of a model besides its graph.

A manifest that is not whole or contradicts itself is refused by name before anything is scored.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from runtime.score import Scale

SCHEMA_VERSION = 1
MOST_BRANCHES = 32  # their outcomes fit a uint32
# What /model leaves out: rows that a start checks itself with, histograms that validation.run compares with.
NOT_DESCRIBED = ("self_check", "reference")
EXPORT_AGAIN = "export the model again (python -m export.to_onnx)"


class ModelRefused(Exception):  # noqa: N818  (named for what happened)
    """A model that must not serve; in one line: what, what was expected, what came, what to do."""


class Feature:
    """One raw column. `range` is what training saw of a number, None if nothing."""

    __slots__ = ("description", "name", "nullable", "range", "type", "vocabulary")

    def __init__(self, entry: "Reader") -> None:
        self.name: str = entry.take("name", str)
        self.type: str = entry.take("type", str)
        if self.type not in ("number", "boolean", "category"):
            raise entry.refusal("type", "number, boolean or category", self.type)
        self.nullable: bool = entry.take("nullable", bool)
        self.description: str = entry.take("description", str)
        self.vocabulary: tuple[str, ...] = ()
        self.range: tuple[float, float] | None = None
        if self.type == "category":
            self.vocabulary = tuple(entry.take_list("vocabulary", str))
            if len(set(self.vocabulary)) < len(self.vocabulary) or "" in self.vocabulary:
                raise entry.refusal("vocabulary", "different categories, none empty", list(self.vocabulary))
        elif self.type == "number" and entry.has("range"):
            bounds = entry.take_list("range", float)
            if len(bounds) != 2 or not bounds[0] <= bounds[1]:
                raise entry.refusal("range", "the lowest and the highest number, or null", bounds)
            self.range = (bounds[0], bounds[1])


class SelfCheckRow:
    """Raw columns with what the graph answered for them at export; None among `numbers` is missing."""

    __slots__ = ("band", "categories", "margin", "numbers", "probability", "score")

    def __init__(self, entry: "Reader", numbers: int, categories: int) -> None:
        self.numbers: list[float] = [math.nan if n is None else n for n in entry.take_list("numbers", float, None)]
        self.categories: list[str] = entry.take_list("categories", str)
        for key, got, expected in (
            ("numbers", len(self.numbers), numbers),
            ("categories", len(self.categories), categories),
        ):
            if got != expected:
                raise entry.refusal(key, f"{expected} values", got)
        self.margin: list[float] = entry.take_list("margin", float)
        self.probability: float = entry.take("probability", float)
        self.score: float = entry.take("score", float)
        self.band: str = entry.take("band", str)


class Branch:
    """The condition of a much travelled split: the largest of some `numbers` (positions) is below a threshold, or a
    `category` (a position) is one level. See runtime.branches."""

    __slots__ = ("below", "category", "level", "numbers")

    def __init__(self, numbers: Sequence[int] = (), below: float = 0.0, category: int = 0, level: str = "") -> None:
        self.numbers = list(numbers)
        self.below = below
        self.category = category
        self.level = level


class Manifest:
    """The manifest, checked. `document` is the JSON object as it was read."""

    __slots__ = (
        "bands",
        "batch_limit",
        "branches",
        "calibration",
        "categories",
        "document",
        "features",
        "identifier",
        "model_version",
        "normalization",
        "numbers",
        "probability_tolerance",
        "scale",
        "self_check",
        "sha256",
        "versions",
    )

    def __init__(self, document: Mapping[str, Any], path: str = "manifest.json") -> None:
        """Raises ModelRefused for anything but a whole manifest of this schema version."""
        top = Reader(document, path)
        version = top.take("schema_version", int)
        if version != SCHEMA_VERSION:
            advice = "deploy a newer runtime" if version > SCHEMA_VERSION else EXPORT_AGAIN
            raise ModelRefused(f"{path}: schema_version: expected {SCHEMA_VERSION}, got {version}; {advice}")
        self.document = document
        self.model_version: str = top.take("model_version", str)
        self.sha256: str = top.take("sha256", str)
        self.identifier: str = top.take("id", str)
        self.features = tuple(Feature(entry) for entry in top.readers("features"))
        inputs = top.reader("inputs")
        self.numbers = self._columns(inputs, "numbers", ("number", "boolean"))
        self.categories = self._columns(inputs, "categories", ("category",))
        self.normalization = self._normalization(inputs)
        names = [self.identifier, *(feature.name for feature in self.features)]
        if len(set(names)) < len(names):
            raise top.refusal("features", "the id and every feature named once", sorted(names))
        self.scale = _scale(top.reader("score"))
        self.bands = tuple(top.take_list("bands", float))
        if len(self.bands) < 2 or any(low >= high for low, high in zip(self.bands, self.bands[1:], strict=False)):
            raise top.refusal("bands", "two or more ascending edges", list(self.bands))
        self.calibration: dict[str, Any] = top.take("calibration", dict)
        self.versions: dict[str, Any] = top.take("versions", dict)
        limits = top.reader("limits")
        self.batch_limit: int = limits.take("batch", int)
        if self.batch_limit < 1:
            raise limits.refusal("batch", "one applicant or more", self.batch_limit)
        self.branches = self._branches(top)
        check = top.reader("self_check")
        self.probability_tolerance: float = check.take("probability_tolerance", float)
        self.self_check = tuple(
            SelfCheckRow(row, len(self.numbers), len(self.categories)) for row in check.readers("rows")
        )
        if not self.self_check:
            raise check.refusal("rows", "one row or more", "none")

    def _columns(self, inputs: "Reader", key: str, types: tuple[str, ...]) -> tuple[Feature, ...]:
        """The features of one input of the graph, in its order."""
        names = inputs.take_list(key, str)
        by_name = {feature.name: feature for feature in self.features if feature.type in types}
        if sorted(names) != sorted(by_name):
            offenders = sorted(set(names) ^ set(by_name)) or sorted(names)
            raise inputs.refusal(key, f"every feature of type {' or '.join(types)}, once", offenders)
        return tuple(by_name[name] for name in names)

    def _normalization(self, inputs: "Reader") -> str:
        """The Unicode form that categories are brought into before the graph: "NFC", or "" for as they come."""
        if "normalization" not in inputs or not inputs.has("normalization"):
            return ""
        form: str = inputs.take("normalization", str)
        if form != "NFC":
            raise inputs.refusal("normalization", "NFC or null", form)
        from unicodedata import is_normalized  # a library to load, for models with the setting only

        for feature in self.categories:
            if decomposed := [word for word in feature.vocabulary if not is_normalized("NFC", word)]:
                raise inputs.refusal("normalization", f"the vocabulary of {feature.name} in NFC", decomposed)
        return form

    def _branches(self, top: "Reader") -> tuple[Branch, ...]:
        """The most travelled splits, of which there need not be any."""
        entries = top.readers("branches")
        if len(entries) > MOST_BRANCHES:
            raise top.refusal("branches", f"at most {MOST_BRANCHES}", len(entries))
        return tuple(self._branch(entry) for entry in entries)

    def _branch(self, entry: "Reader") -> Branch:
        if "category" in entry:
            category = entry.take("category", int)
            if not 0 <= category < len(self.categories):
                raise entry.refusal("category", "a position in the inputs' categories", category)
            return Branch(category=category, level=entry.take("is", str))
        numbers = entry.take_list("numbers", int)
        if not numbers or not all(0 <= number < len(self.numbers) for number in numbers):
            raise entry.refusal("numbers", "positions in the inputs' numbers", numbers)
        return Branch(numbers, entry.take("below", float))

    @classmethod
    def read(cls, path: str) -> "Manifest":
        """Reads and checks a file; raises ModelRefused if that cannot be done."""
        return cls(_read_json(path), path)


class Reader:
    """Takes values out of one object of the manifest; refuses, with its place, what is not as expected."""

    __slots__ = ("_object", "_place")

    def __init__(self, value: object, place: str) -> None:
        self._place = place
        if not isinstance(value, dict):
            raise ModelRefused(f"{place}: expected an object, got {_shown(value)}; {EXPORT_AGAIN}")
        self._object: dict[str, Any] = value

    def refusal(self, key: str, expected: str, got: object) -> ModelRefused:
        return ModelRefused(f"{self._place}: {key}: expected {expected}, got {_shown(got)}; {EXPORT_AGAIN}")

    def has(self, key: str) -> bool:
        """Whether there is a value other than null."""
        return self._value(key) is not None

    def __contains__(self, key: str) -> bool:
        return key in self._object

    def take(self, key: str, kind: type) -> Any:
        value = self._value(key)
        if not _is(value, kind):
            raise self.refusal(key, _NAMES[kind], value)
        return value

    def take_list(self, key: str, *kinds: type | None) -> list[Any]:
        values: list[Any] = self.take(key, list)
        for index, value in enumerate(values):
            if not any(_is(value, kind) for kind in kinds):
                expected = " or ".join(_NAMES[kind] for kind in kinds)
                raise self.refusal(f"{key}[{index}]", expected, value)
        return values

    def reader(self, key: str) -> "Reader":
        return Reader(self._value(key), f"{self._place}: {key}")

    def readers(self, key: str) -> list["Reader"]:
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
        return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    return type(value) is kind


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _scale(entry: Reader) -> Scale:
    limits = entry.take_list("probability_limits", float)
    if len(limits) != 2 or not 0 < limits[0] < limits[1] < 1:
        raise entry.refusal("probability_limits", "two ascending probabilities between 0 and 1", limits)
    scale = Scale(
        points=entry.take("points", float),
        odds=entry.take("odds", float),
        points_to_double=entry.take("points_to_double", float),
        probability_limits=(limits[0], limits[1]),
    )
    for key, value in (("odds", scale.odds), ("points_to_double", scale.points_to_double)):
        if value <= 0:
            raise entry.refusal(key, "a number above 0", value)
    return scale


def _read_json(path: str) -> Any:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (pathlib: 5 ms of start-up)
            return json.loads(file.read(), parse_constant=_refuse_constant)
    except OSError as fault:
        raise ModelRefused(f"{path}: expected a manifest, got: {fault.strerror}; {EXPORT_AGAIN}") from None
    except (ValueError, RecursionError) as fault:  # cut short, not UTF-8, not JSON, NaN, nested too deep
        raise ModelRefused(f"{path}: expected JSON, got: {fault}; {EXPORT_AGAIN}") from None


def _refuse_constant(token: str) -> None:
    raise ValueError(f"{token} is not JSON")
