"""From the body of a request to the raw columns of an applicant, by the rules of the manifest.

All faults of an applicant are reported at once, each with a JSON pointer. Values that are only unusual (a category or a
range that training did not see) are scored and named in the warnings.
"""

import math
from collections.abc import Callable
from typing import Any

from runtime import strict_json
from runtime.manifest import Feature, Manifest
from runtime.problem import INVALID_APPLICANT, INVALID_BATCH, Problem, child, error
from runtime.strict_json import NotFinite, RepeatedNames

IDENTIFIER_LIMIT = 128
# Whole numbers beyond it have no float64 of their own.
EXACT_LIMIT = 2**53
# Names of unknown or repeated fields that an answer lists; more are counted only.
NAMES_LISTED = 10
# Levels of a closed vocabulary that an error lists.
LEVELS_LISTED = 10

_MISSING = math.nan


class Applicant:
    """One applicant as the graph takes it, in the manifest's order; NaN and "" where missing."""

    __slots__ = ("categories", "identifier", "missing", "numbers", "warnings")

    def __init__(
        self,
        identifier: str,
        numbers: list[float],
        categories: list[str],
        missing: int,
        warnings: list[dict[str, str]],
    ) -> None:
        self.identifier = identifier
        self.numbers = numbers
        self.categories = categories
        self.missing = missing
        self.warnings = warnings


class Validator:
    """The manifest's rules for applicants, arranged so that a valid field costs one dictionary lookup."""

    __slots__ = ("_batch_limit", "_categories", "_composes", "_identifier", "_ignore_unknown", "_known", "_numbers")

    def __init__(self, manifest: Manifest, *, ignore_unknown_fields: bool = False) -> None:
        self._identifier = manifest.identifier
        self._batch_limit = manifest.batch_limit
        self._composes = manifest.normalization == "NFC"
        self._ignore_unknown = ignore_unknown_fields
        self._numbers = tuple((f.name, _kind(f), *usual_range(f), f.nullable, f) for f in manifest.numbers)
        self._categories = tuple((f.name, frozenset(f.vocabulary), f.nullable, f) for f in manifest.categories)
        self._known = frozenset({manifest.identifier, *(f.name for f in manifest.features)})

    def applicant(self, value: object, pointer: str = "") -> Applicant:
        """The applicant in the JSON value at `pointer` of the request; raises Problem with all its errors."""
        if not isinstance(value, dict):
            raise _invalid([error(pointer, f"expected an object, got {_named(value)}")])
        errors: list[dict[str, str]] = []
        warnings: list[dict[str, str]] = []
        missing = 0
        get = value.get

        identifier: Any = get(self._identifier)
        if fault := _identifier_fault(identifier):
            errors.append(error(child(pointer, self._identifier), fault))

        numbers: list[float] = []
        append = numbers.append
        for name, kind, low, high, nullable, feature in self._numbers:
            number: Any = get(name)
            if number is None and nullable:
                missing += 1
                append(_MISSING)
                continue
            got = type(number)
            # False for NaN; True and False are the numbers 1 and 0 once they are in an array.
            if (got is kind or (got is int and kind is float)) and low <= number <= high:
                append(number)
            elif fault := _number_fault(feature, number):
                errors.append(error(child(pointer, name), fault))
            else:
                append(number)
                if unusual := _unseen_in_training(feature, number):
                    warnings.append(error(child(pointer, name), unusual))

        categories: list[str] = []
        for name, vocabulary, nullable, feature in self._categories:
            category: Any = get(name)
            if (category is None or category == "") and nullable:
                missing += 1
                categories.append("")
            elif type(category) is str and category in vocabulary:
                categories.append(category)
            elif fault := _category_fault(feature, category):
                errors.append(error(child(pointer, name), fault))
            elif (spelt := self._spelt(category)) in vocabulary:
                categories.append(spelt)
            elif spelt == "" and nullable:
                missing += 1
                categories.append("")
            elif feature.closed:
                errors.append(error(child(pointer, name), _outside(feature)))
            else:
                categories.append(category)
                warnings.append(error(child(pointer, name), "category not seen in training"))

        if not value.keys() <= self._known:
            errors += self._unknown_fields(value, pointer)
        if type(value) is RepeatedNames:
            errors += _repeated_fields(value, pointer)
        if errors:
            raise _invalid(errors)
        return Applicant(identifier, numbers, categories, missing, warnings)

    def _spelt(self, category: str) -> str:
        """A category as training spelt its levels: without blanks around it, and in the model's Unicode form."""
        trimmed = category.strip()
        return _composed(trimmed) if self._composes else trimmed

    def batch(self, value: object) -> list[object]:
        """The applicants, not yet looked at, in the JSON value of a batch; raises Problem."""
        if not isinstance(value, dict):
            raise _invalid_batch("", f"expected an object with a list of applicants, got {_named(value)}")
        if value.keys() != {"applicants"}:
            raise _invalid_batch("", 'expected one member, "applicants"')
        if type(value) is RepeatedNames:
            raise _invalid_batch("/applicants", "expected once, got more than once")
        applicants = value["applicants"]
        if type(applicants) is not list:
            raise _invalid_batch("/applicants", f"expected a list, got {_named(applicants)}")
        if len(applicants) > self._batch_limit:
            expected = f"expected at most {self._batch_limit} applicants, got {len(applicants)}"
            raise _invalid_batch("/applicants", expected)
        return applicants

    def identifier_of(self, value: object) -> str | None:
        """The id of a refused applicant, if the id itself is valid."""
        identifier = value.get(self._identifier) if isinstance(value, dict) else None
        return identifier if _identifier_fault(identifier) is None else None

    def _unknown_fields(self, value: dict[str, object], pointer: str) -> list[dict[str, str]]:
        unknown = [name for name in value if name not in self._known]
        if self._ignore_unknown:
            return [
                error(child(pointer, name), "expected JSON, got a number that is not finite")
                for name in unknown
                if not _is_json(value[name])
            ]
        return _listed(unknown, pointer, "unknown", self._nearest)

    def _nearest(self, name: str) -> str:
        import difflib  # a millisecond to load, for a mistake only

        close = difflib.get_close_matches(name[:100], self._known, n=1) or [
            known for known in self._known if known.casefold() == name.casefold()
        ]
        return f'unknown field; did you mean "{close[0]}"?' if close else "unknown field"


def _kind(feature: Feature) -> type:
    return bool if feature.type == "boolean" else float


def usual_range(feature: Feature) -> tuple[float, float]:
    """Lowest and highest of the numbers that need no second look."""
    if feature.type == "boolean":
        return 0, 1
    if feature.range is None:
        return math.inf, -math.inf
    low, high = feature.range
    return max(low, -EXACT_LIMIT), min(high, EXACT_LIMIT)


def _identifier_fault(value: object) -> str | None:
    if type(value) is not str:
        return f"expected a string, got {_named(value)}"
    if not 0 < len(value) <= IDENTIFIER_LIMIT:
        return f"expected a string of 1 to {IDENTIFIER_LIMIT} characters, got {len(value)}"
    return _text_fault(value)


def _number_fault(feature: Feature, value: object) -> str | None:
    or_null = " or null" if feature.nullable else ""
    if feature.type == "boolean":
        return f"expected a boolean{or_null}, got {_named(value)}"
    if isinstance(value, float):
        if math.isfinite(value):
            return None
        return f"expected a finite number{or_null}, got {'NaN' if math.isnan(value) else 'an infinite one'}"
    if type(value) is not int:
        return f"expected a number{or_null}, got {_named(value)}"
    if not -EXACT_LIMIT <= value <= EXACT_LIMIT:
        limits = f"from {-EXACT_LIMIT} to {EXACT_LIMIT}"
        return f"expected a whole number that float64 holds exactly ({limits}){or_null}, got one beyond"
    return None


def _category_fault(feature: Feature, value: object) -> str | None:
    if type(value) is str and value != "":
        return _text_fault(value)
    got = "an empty string" if value == "" else _named(value)
    return f"expected a string{' or null' if feature.nullable else ''}, got {got}"


def _outside(feature: Feature) -> str:
    """Expectation of a category with a closed vocabulary: its levels, if they are few."""
    levels = feature.vocabulary
    listed = ", ".join(f'"{level}"' for level in levels[:LEVELS_LISTED])
    more = f" and {len(levels) - LEVELS_LISTED} more (GET /model)" if len(levels) > LEVELS_LISTED else ""
    return f"expected a category that the model knows, {listed}{more}; got another"


def _text_fault(value: str) -> str | None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return "expected Unicode text, got half of a surrogate pair"
    return None


def _composed(text: str) -> str:
    """The text in Unicode's normalization form C, in which a letter and its accent are one character."""
    from unicodedata import normalize  # a library to load, for unseen categories only

    return normalize("NFC", text)


def _unseen_in_training(feature: Feature, value: float) -> str | None:
    if feature.range is None:
        return "no value of this field was seen in training"
    low, high = feature.range
    if low <= value <= high:
        return None
    return f"outside the training range, {_plain(low)} to {_plain(high)}"


def _plain(number: float) -> str:
    """The shortest text that is exactly this number.

    >>> _plain(10.0), _plain(0.1)
    ('10', '0.1')
    """
    return repr(number).removesuffix(".0")


def _repeated_fields(value: RepeatedNames, pointer: str) -> list[dict[str, str]]:
    return _listed(value.names, pointer, "repeated", lambda name: "expected once, got more than once")


def _listed(names: list[str], pointer: str, what: str, say: Callable[[str], str]) -> list[dict[str, str]]:
    errors = [error(child(pointer, name), say(name)) for name in names[:NAMES_LISTED]]
    if len(names) > NAMES_LISTED:
        errors.append(error(pointer, f"and {len(names) - NAMES_LISTED} more {what} fields"))
    return errors


def _is_json(value: object) -> bool:
    try:
        strict_json.write(value)
    except ValueError:
        return False
    return True


def _named(value: object) -> str:
    """Kind of a JSON value, never the value itself."""
    return {
        type(None): "null or nothing",
        bool: "a boolean",
        str: "a string",
        int: "a number",
        float: "a number",
        NotFinite: "a number",
        list: "an array",
    }.get(type(value), "an object")


def _invalid(errors: list[dict[str, str]]) -> Problem:
    return Problem(
        INVALID_APPLICANT, "1 validation error" if len(errors) == 1 else f"{len(errors)} validation errors", errors
    )


def _invalid_batch(pointer: str, detail: str) -> Problem:
    return Problem(INVALID_BATCH, detail, [error(pointer, detail)])
