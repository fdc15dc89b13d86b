"""Settings declared once: the annotations of a class say type, bounds, meaning and example of each key of a table.

    @dataclass(frozen=True)
    class Split:
        seed: Annotated[int, Field(ge=0, description="of the random numbers"), Usage(flag="--seed")] = 99

Pydantic checks a value, strictly: `1` is no text and `true` is no number. Messages, flags (cli.settings.flags) and the
reference page (cli.settings.page) are made of the same annotation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from cli.settings.origin import Origin
from cli.words import did_you_mean, shown

STRICT = ConfigDict(strict=True, allow_inf_nan=False)
WHOLE_PROBLEM = "problem"  # the type of an error whose text is the whole problem
BOUNDS = {"gt": "above", "ge": "of at least", "lt": "below", "le": "of at most"}
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True)
class Usage:
    """Documentation of a setting beyond its type and bounds."""

    flag: str | None = None
    """Its flag, where that is not its name with dashes."""
    metavar: str | None = None
    parse: Callable[[str], Any] | None = None
    """From the command line's text, where the type does not say how."""
    unset: str | None = None
    """The meaning of no value, or of an empty list."""
    expected: str | None = None
    """`expected ...`, in a message, where the type and bounds do not say it."""
    remedy: str | None = None
    """Remedy in the error message, where it differs from the example."""


class Setting:
    """One key of a table: `kind` is its type without None, `default` None for a key without one."""

    def __init__(self, name: str, hint: Any, default: object) -> None:
        self.name, self.default = name, default
        self._hint, self._info = hint, FieldInfo.from_annotation(hint)
        types = [each for each in get_args(self._info.annotation) if each is not NoneType]
        optional = NoneType in get_args(self._info.annotation)
        self.kind: Any = types[0] if optional else self._info.annotation
        self.choices: tuple[Any, ...] = get_args(self.kind) if get_origin(self.kind) is Literal else ()
        self.usage = next((each for each in self._info.metadata if isinstance(each, Usage)), Usage())
        self.description = self._info.description or ""

    @property
    def flag(self) -> str:
        """The command-line flag, such as `--max-rounds`."""
        return self.usage.flag or "--" + self.name.replace("_", "-")

    @property
    def example(self) -> Any:
        """The declared example, else the default."""
        return self._info.examples[0] if self._info.examples else self.default

    @cached_property
    def expected(self) -> str:
        """The type and bounds in words."""
        if self.usage.expected is not None:
            return self.usage.expected
        if self.choices:
            return " or ".join(map(shown, self.choices))
        if get_origin(self.kind) is tuple:
            return "a list of texts"
        bounds = {name: getattr(each, name) for each in self._info.metadata for name in BOUNDS if hasattr(each, name)}
        if self.kind is int and bounds.keys() == {"ge", "le"}:
            return f"a whole number from {bounds['ge']} to {bounds['le']}"
        if any(hasattr(each, "min_length") for each in self._info.metadata):
            return "text that is not empty"
        within = " and ".join(f"{word} {bounds[name]:g}" for name, word in BOUNDS.items() if name in bounds)
        return f"{KINDS[self.kind]} {within}".rstrip()

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self._hint, config=STRICT)

    def named(self, name: str) -> "Setting":
        """The same setting under a name that the user gives."""
        return Setting(name, self._hint, self.default)

    def read(self, value: object, table: str, origin: Origin) -> Any:
        """The value in its canonical type. Raises UserError, exit status 2, for one that is not as declared."""
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            [first, *_] = error.errors(include_url=False)
        problem = first["msg"]
        if first["type"] != WHOLE_PROBLEM:
            remedy = self.usage.remedy or (
                f"for example {self.name} = {shown(self.example)}" if self.example is not None else "or leave it out"
            )
            problem = f"expected {self.expected}, got {shown(value)}; {remedy}"
        return origin.refuse(f"{table}.{self.name}", problem)


@lru_cache
def settings_of(declared: type) -> Mapping[str, Setting]:
    """The keys of a table's class by name, in its order."""
    hints = get_type_hints(declared, include_extras=True)
    # Not those that the user's own key gives, as the name of a feature.
    said = {name: hint for name, hint in hints.items() if get_origin(hint) is Annotated}
    return {name: Setting(name, hint, getattr(declared, name, None)) for name, hint in said.items()}


def read_values(declared: type, table: str, values: Mapping[str, object], origin: Origin) -> dict[str, Any]:
    """The values of a TOML table in their canonical types. Raises UserError, exit status 2, for the first mistake."""
    known = settings_of(declared)
    for key in values:
        if key not in known:
            origin.refuse(f"{table}.{key}", f"unknown key; {did_you_mean(key, known.keys())}")
    return {key: known[key].read(value, table, origin) for key, value in values.items()}


def problem(text: str) -> PydanticCustomError:
    """Error of a validator that words the whole problem itself."""
    return PydanticCustomError(WHOLE_PROBLEM, "{text}", {"text": text})
