"""Types that several tables of settings share."""

from collections import Counter
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from cli.settings.declared import problem
from cli.words import shown


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


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
Numbers = Annotated[tuple[float, ...], Strict(False)]
