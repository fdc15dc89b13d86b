"""Ways of writing one value: texts that are the same number, the same boolean, or missing."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

EXACT = 2**53  # whole numbers beyond it share float64s
TRUE, FALSE = ("true", "t", "yes", "y", "on", "1"), ("false", "f", "no", "n", "off", "0")


def number_of(text: str) -> float | None:
    """The finite number that a text is, with a decimal point."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def plain(text: str) -> str:
    """A value in one way of writing: `1.0` is `1`, `0.50` is `0.5`, `True` is `true`."""
    stripped = text.strip()
    number = number_of(stripped)
    if number is None or abs(number) >= EXACT:
        return stripped.lower() if stripped.lower() in ("true", "false") else stripped
    return str(int(number)) if number.is_integer() else repr(number)


def has_one_writing(text: str) -> bool:
    """False for a number and for a word of a boolean: `plain` of another text may be the same."""
    return number_of(text) is None and text.strip().lower() not in ("true", "false")


def folded(text: str) -> str:
    """A word of a boolean in lower case, because capitals do not count."""
    return plain(text).casefold()


def truths(true: Iterable[str], false: Iterable[str]) -> dict[str, float]:
    """1 and 0 by folded word, for the usual words and those of a column, which win."""
    usual = dict.fromkeys(TRUE, 1.0) | dict.fromkeys(FALSE, 0.0)
    return usual | {folded(word): 1.0 for word in true} | {folded(word): 0.0 for word in false}


@dataclass(frozen=True, slots=True)
class Missing:
    """Values that stand for missing: plain texts, and those of them that are numbers."""

    texts: frozenset[str] = frozenset()
    numbers: tuple[float, ...] = ()

    @classmethod
    def of(cls, words: Iterable[str]) -> Self:
        """Parse the words of a setting; words that are numbers also match equal numbers."""
        texts = frozenset(map(plain, words))
        numbers = (number_of(text) for text in texts)
        return cls(texts, tuple(sorted(number for number in numbers if number is not None)))

    def __or__(self, other: "Missing") -> "Missing":
        """Words of both."""
        return Missing(self.texts | other.texts, tuple(sorted({*self.numbers, *other.numbers})))

    def __contains__(self, text: str) -> bool:
        """True if the text is one of the words."""
        return text in self.texts or plain(text) in self.texts
