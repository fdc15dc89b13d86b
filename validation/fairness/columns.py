"""The columns that divide applicants into groups: how they are read, and the checks of their settings."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from cli.words import did_you_mean
from table.settings import Data, Feature
from validation.settings import Fairness


def columns_beside(fairness: Fairness, features: Iterable[Feature]) -> tuple[Feature, ...]:
    """Reading of each column of groups: numbers if it has bins, else texts; a feature's words are kept."""
    known = {feature.column: feature for feature in features if feature.indicates is None}
    return tuple(
        replace(
            known.get(name, Feature(name, "category")),
            type="number" if name in fairness.bins else "category",
            log1p=False,
            vocabulary=(),
            rare=None,
            indicator=None,
            true=(),
            false=(),
        )
        for name in fairness.groups
    )


def contradicting_groups(fairness: Fairness, features: Collection[str], data: Data) -> Iterator[tuple[str, str]]:
    """The key and the problem of each contradiction; `features` are the columns that the model reads."""
    for name in fairness.groups:
        if name in features and not fairness.features_allowed:
            yield (
                "fairness.groups",
                f"{name} is a feature of the model; take it out of the features, or set fairness.features_allowed",
            )
        for key in ("target", "id", "weight"):
            if name == getattr(data, key):
                yield "fairness.groups", f"{name} is data.{key} too; name another column"
    for key in ("reference", "bins"):
        for name in getattr(fairness, key):
            if name not in fairness.groups:
                yield f"fairness.{key}.{name}", f"no such group; {did_you_mean(name, fairness.groups)}"
