"""Splits of XGBoost on categories as ordinary splits: a column for each set of levels, 1 inside it and 0 outside.

A split on a category sends the levels of its set right, all others left and a missing one in its default direction. So
does a split at 0.5 on a column of 0, 1 and NaN. Such columns follow those of the matrix that the booster reads.

Since XGBoost 3.1 a booster fitted on a DataFrame's categories keeps their texts, and recodes whatever order the
categories come in. Fitted on numbers (`feature_types="c"`), it takes a number without its fraction as the level.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xgboost import XGBClassifier

from trees.dropout import without_weights
from trees.refusal import BoosterRefused

HALF = np.float32(0.5)  # the threshold of such a split
WHOLE_TEXTS = (3, 4, 0)  # the first XGBoost whose file counts the bytes of a level, not its characters
MOST_LEVELS = 2**24  # XGBoost takes a number from there on for no level, as one below 0


@dataclass(frozen=True)
class LevelSet:
    """The levels of a category, a column of the booster's matrix, that splits send right."""

    column: int
    inside: frozenset[str] | frozenset[int]
    """Texts where the booster knows them, otherwise codes."""

    @property
    def codes(self) -> list[int]:
        """The levels where they are codes, ascending."""
        return sorted(level for level in self.inside if isinstance(level, int))

    def of_codes(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """1 where a number is a level of the set, else 0; NaN stays."""
        is_level = (values >= 0) & (values < MOST_LEVELS)
        codes = np.where(is_level, values, np.float32(-1)).astype(np.int64)
        return np.where(np.isnan(values), values, np.isin(codes, self.codes)).astype(np.float32)


@dataclass
class LevelSets:
    """The sets of one booster or of several that read the same matrix, numbered from behind its last column."""

    columns: int
    """Of the matrix."""
    places: dict[LevelSet, int] = field(default_factory=dict)
    known: dict[int, frozenset[str]] = field(default_factory=dict)
    """By column, the texts that all boosters know; XGBoost raises for any other."""

    def place(self, found: LevelSet) -> int:
        """The number of a set's column."""
        return self.places.setdefault(found, self.columns + len(self.places))

    def know(self, content: Mapping[str, Any]) -> None:
        """Note the levels of one more booster, also those of columns that no split reads."""
        for column in range(self.columns):
            if (texts := texts_of(content, column)) is not None:
                self.known[column] = self.known.get(column, frozenset(texts)) & frozenset(texts)


def texts_of(content: Mapping[str, Any], feature: int) -> list[str] | None:
    """The levels of a category in the order of their codes, by the file of a booster; None where it has no texts.

    Raises BoosterRefused for categories of numbers, and for texts that XGBoost has damaged.
    """
    encoded = (content["learner"]["gradient_booster"]["model"].get("cats") or {}).get("enc") or []
    if feature >= len(encoded):
        return None
    values = encoded[feature]
    if "offsets" not in values:
        raise BoosterRefused(
            "a category of numbers is not supported: a request cannot say which numbers are levels; make it texts "
            "(astype(str).astype('category')) and fit again"
        )
    text = np.asarray(values["values"], dtype=np.int64).astype(np.uint8).tobytes()
    if not text.isascii() and tuple(content["version"]) < WHOLE_TEXTS:
        raise BoosterRefused(
            "a category has levels beyond ASCII, which XGBoost before 3.4 truncates, so that its answers depend on "
            "the order of the categories; fit with XGBoost 3.4, or write the levels in ASCII"
        )
    return [text[first:last].decode(errors="replace") for first, last in pairwise(values["offsets"])] or None


def texts_of_booster(booster: XGBClassifier) -> dict[int, list[str]]:
    """The levels of each category that a booster was given as a column of a DataFrame, by column."""
    content = without_weights(json.loads(booster.get_booster().save_raw("json")))
    found = {column: texts_of(content, column) for column in range(booster.n_features_in_)}
    return {column: texts for column, texts in found.items() if texts is not None}


def sets_of(tree: Mapping[str, Any]) -> dict[int, frozenset[int]]:
    """By node of a tree in the booster's file: the codes that go right."""
    parts = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
    return {int(node): frozenset(map(int, tree["categories"][first : first + size])) for node, first, size in parts}
