"""Types that several tables of settings share."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from cli.settings.declared import problem
from cli.words import shown


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _word(value: object) -> object:
    """A cell of a table as a CSV writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value).removesuffix(".0")
    return value


def _words(value: object) -> object:
    """A list of cells; one alone may stand without brackets."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(map(_word, values))


def _words_by_name(value: object) -> object:
    return {name: _words(words) for name, words in value.items()} if isinstance(value, Mapping) else value


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if "" in names:
        raise problem('expected texts that are not empty, got ""; leave it out')
    for name, times in Counter(names).most_common(1):
        if times > 1:
            raise problem(f"{shown(name)} is listed {times} times; list it once")
    return names


Text = Annotated[str, Field(min_length=1)]
# "" stands for None, since TOML has no word for it.
OptionalText = Annotated[str | None, BeforeValidator(_none_if_empty)]
# Texts that are not empty, each once. TOML's lists are no tuples, so not strictly.
Names = Annotated[tuple[str, ...], Strict(False), AfterValidator(_distinct)]
# Values of cells: texts, numbers, true and false, kept as texts.
Words = Annotated[tuple[str, ...], Strict(False), BeforeValidator(_words), AfterValidator(_distinct)]
# Those of several columns; the empty text stands for a missing value.
WordsByName = Annotated[Mapping[str, tuple[str, ...]], Strict(False), BeforeValidator(_words_by_name)]
WORDS = "text, a number, true or false, or a list of them"
Numbers = Annotated[tuple[float, ...], Strict(False)]
TextByName = Annotated[Mapping[str, Text], Strict(False)]
NumbersByName = Annotated[Mapping[str, Annotated[tuple[float, ...], Strict(False), Field(min_length=1)]], Strict(False)]
