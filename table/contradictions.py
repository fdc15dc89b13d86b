"""Settings of a table that are right one by one and contradict each other."""

from collections.abc import Iterator
from unicodedata import is_normalized

from cli.words import shown
from table.settings import Data, Feature
from table.words import Missing, folded, number_of, plain

Problems = Iterator[tuple[str, str]]


def contradictions(data: Data, features: tuple[Feature, ...]) -> Problems:
    """The key and the problem of each."""
    yield from _outcomes(data)
    yield from _spelling(data, features)
    yield from _indicators(features)
    for feature in features:
        if feature.indicates is None:
            yield from _words(data, feature)


def _outcomes(data: Data) -> Problems:
    missing = Missing.of(data.missing)
    negative = {plain(value) for value in data.negative}
    for value in data.positive:
        if plain(value) in negative:
            yield "data.negative", f"{shown(value)} is in data.positive too; name each value in one of them"
    for key, values in (("positive", data.positive), ("negative", data.negative)):
        for value in values:
            if value in missing:
                yield f"data.{key}", f"{shown(value)} is in data.missing too; take it out of one of them"
    for column, values in data.exclude.items():
        if not values:
            yield f"data.exclude.{column}", 'expected values, got none; for example ["test"]'


def _spelling(data: Data, features: tuple[Feature, ...]) -> Problems:
    if data.thousands == data.decimal:
        other = "," if data.decimal == "." else "."
        yield "data.thousands", f"{shown(data.thousands)} is data.decimal too; set data.decimal to {shown(other)}"
    for feature in features:
        for level in feature.vocabulary:
            if level != level.strip():
                yield f"features.{feature.name}.vocabulary", f"{shown(level)} has blanks around it; leave them out"
            if data.normalization == "NFC" and not is_normalized("NFC", level):
                yield f"features.{feature.name}.vocabulary", f"{shown(level)} is not in data.normalization; write it so"


def _indicators(features: tuple[Feature, ...]) -> Problems:
    names = [feature.name for feature in features]
    for feature in features:
        if feature.indicator is None:
            continue
        key = f"features.{feature.name}.indicator"
        if not feature.special:
            yield key, "needs the codes that it indicates; set special, or leave the indicator out"
        if names.count(feature.indicator) > 1:
            yield key, f"{feature.indicator} is a feature already; give the indicator a name of its own"


def _words(data: Data, feature: Feature) -> Problems:
    key, missing = f"features.{feature.name}", Missing.of(data.missing)
    for code in feature.special:
        if feature.type == "number" and number_of(code) is None:
            yield f"{key}.special", f"expected numbers, got {shown(code)}; name words in data.missing"
        if code in missing:
            yield f"{key}.special", f"{shown(code)} is in data.missing too; take it out of one of them"
    for name in ("true", "false"):
        if getattr(feature, name) and feature.type != "boolean":
            yield f"{key}.{name}", f"needs a boolean feature, got a {feature.type}; leave it out"
    for word in feature.false:
        if folded(word) in map(folded, feature.true):
            yield f"{key}.false", f"{shown(word)} is in true as well; name each word in one of them"
