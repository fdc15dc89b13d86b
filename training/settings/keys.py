"""Reading the keys of one settings table, each with its type and range; a mistake names its key."""

import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeGuard, TypeVar

from cli.errors import WRONG_USAGE, UserError
from cli.words import did_you_mean, shown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where settings come from: the TOML file, if any, and the dotted keys that the command line sets."""

    file: str | None = None
    flagged: frozenset[str] = frozenset()

    def of(self, key: str) -> str:
        """The file, or `command line`, that a dotted key, or a part of what it holds, was read from."""
        on_command_line = any(f"{key}.".startswith(f"{flag}.") for flag in self.flagged)
        return self.file if self.file is not None and not on_command_line else "command line"

    def refuse(self, key: str, problem: str) -> NoReturn:
        raise UserError(f"{self.of(key)}: {key}: {problem}", WRONG_USAGE)


def is_number(value: object) -> TypeGuard[int | float]:
    """A finite int or float; true and false are no numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


class Section:
    """One table of the settings.

    Each reading method takes a key, its default and its range, and returns the value in its canonical type;
    `finish` refuses the keys that nothing has read. All raise UserError with exit status 2.
    """

    def __init__(self, name: str, values: Mapping[str, object], origin: Origin) -> None:
        self.name = name
        self.values = values
        self.origin = origin
        self._read: set[str] = set()

    def finish(self) -> None:
        for key in self.values:
            if key not in self._read:
                self.refuse(key, f"unknown key; {did_you_mean(key, self._read)}")

    def refuse(self, key: str, problem: str) -> NoReturn:
        self.origin.refuse(f"{self.name}.{key}", problem)

    def text(self, key: str, default: str, *, empty: bool = False) -> str:
        def is_text(value: object) -> str | None:
            return value if isinstance(value, str) and (value or empty) else None

        return self._value(key, default, is_text, "text" if empty else "text that is not empty")

    def optional_text(self, key: str, default: str | None, *, empty: bool = True) -> str | None:
        """Text; the null of JSON and, with `empty`, `""` stand for None, since TOML has no word for it."""
        if self.values.get(key, default) is None:
            self._read.add(key)
            return None
        return self.text(key, default or "", empty=empty) or None

    def flag(self, key: str, default: bool) -> bool:
        def is_bool(value: object) -> bool | None:
            return value if isinstance(value, bool) else None

        return self._value(key, default, is_bool, "true or false")

    def choice(self, key: str, default: T, choices: Collection[T]) -> T:
        def chosen(value: object) -> T | None:
            return next((choice for choice in choices if choice == value), None)

        expected = " or ".join(shown(choice) for choice in choices)
        return self._value(key, default, chosen, expected)

    def integer(self, key: str, default: int, *, at_least: int, at_most: int | None = None) -> int:
        def within(value: object) -> int | None:
            if not isinstance(value, int) or isinstance(value, bool):
                return None
            return value if at_least <= value and (at_most is None or value <= at_most) else None

        bounds = f"of at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
        return self._value(key, default, within, f"a whole number {bounds}")

    def number(
        self,
        key: str,
        default: float,
        *,
        above: float | None = None,
        at_least: float | None = None,
        below: float | None = None,
        at_most: float | None = None,
    ) -> float:
        """A finite float64, whole numbers included."""

        def within(value: object) -> float | None:
            if not is_number(value):
                return None
            inside = (
                (above is None or value > above)
                and (at_least is None or value >= at_least)
                and (below is None or value < below)
                and (at_most is None or value <= at_most)
            )
            return float(value) if inside else None

        words = {"above": above, "of at least": at_least, "below": below, "of at most": at_most}
        bounds = " and ".join(f"{word} {bound:g}" for word, bound in words.items() if bound is not None)
        return self._value(key, default, within, f"a number {bounds}".rstrip())

    def names(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts that are not empty, each once."""

        def texts(value: object) -> tuple[str, ...] | None:
            if not isinstance(value, list | tuple):
                return None
            return tuple(value) if all(isinstance(name, str) for name in value) else None

        names = self._value(key, default, texts, "a list of texts", example=["a", "b"])
        if "" in names:
            self.refuse(key, 'expected texts that are not empty, got ""; leave it out')
        for name, times in Counter(names).most_common(1):
            if times > 1:
                self.refuse(key, f"{shown(name)} is listed {times} times; list it once")
        return names

    def converted(
        self, key: str, default: T, convert: Callable[[object], T | None], expected: str, example: object
    ) -> T:
        """A value of a kind of its own: `convert` gives None for what is not `expected`."""
        return self._value(key, default, convert, expected, example)

    def _value(
        self,
        key: str,
        default: T,
        convert: Callable[[object], T | None],
        expected: str,
        example: object = None,
    ) -> T:
        self._read.add(key)
        if self.values.get(key) is None and (default is None or key not in self.values):
            return default  # the null of JSON stands for None, since TOML has no word for it
        value = convert(self.values[key])
        if value is None:
            example = default if example is None else example
            remedy = f"; for example {key} = {shown(example)}" if example not in ("", (), None) else ""
            self.refuse(key, f"expected {expected}, got {shown(self.values[key])}{remedy}")
        return value
