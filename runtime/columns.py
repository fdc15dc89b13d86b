"""A first check of the applicants of a batch, by whole columns: a quarter of the work of checking each applicant.

It only separates usual applicants from all others. An applicant unlike those of training, wrong or merely unusual, is
checked by runtime.validate, which alone knows the rules.
"""

import math
import struct
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.manifest import Feature, Manifest
from runtime.validate import EXACT_LIMIT, IDENTIFIER_LIMIT, Applicant, usual_range

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Batch:
    """Applicants as the graph takes them: float64 [N, n] and objects [N, c], NaN and "" where missing.

    Applicants at the positions in `second_look` are not in it yet.
    """

    __slots__ = ("categories", "identifiers", "missing", "numbers", "second_look", "warnings")

    def __init__(
        self,
        identifiers: list[str],
        numbers: "NDArray[np.float64]",
        categories: "NDArray[np.object_]",
        missing: list[int],
        second_look: Sequence[int],
    ) -> None:
        self.identifiers = identifiers
        self.numbers = numbers
        self.categories = categories
        self.missing = missing
        self.warnings: list[list[dict[str, str]]] = [[]] * len(identifiers)
        self.second_look = second_look

    def put(self, position: int, applicant: Applicant) -> None:
        """Add an applicant who got a second look."""
        self.identifiers[position] = applicant.identifier
        self.numbers[position] = applicant.numbers
        self.categories[position] = applicant.categories
        self.missing[position] = applicant.missing
        self.warnings[position] = applicant.warnings

    def leave_out(self, positions: Sequence[int]) -> None:
        """Leave out refused applicants, if any; `positions` ascend."""
        if positions:
            self.numbers = np.delete(self.numbers, positions, axis=0)
            self.categories = np.delete(self.categories, positions, axis=0)
            for position in reversed(positions):
                del self.identifiers[position], self.missing[position], self.warnings[position]


class Columns:
    """Columns of usual applicants by the manifest."""

    __slots__ = ("_categories", "_every", "_high", "_low", "_names", "_numbers", "_types")

    def __init__(self, manifest: Manifest) -> None:
        features = (*manifest.numbers, *manifest.categories)
        self._numbers = len(manifest.numbers)
        self._names = (manifest.identifier, *(feature.name for feature in features))
        self._every = itemgetter(*self._names)
        self._types: list[set[type]] = [{str}, *map(_types, features)]
        # Within a column 2**53 + 1 has become 2**53: for the exact rule, a second look.
        ranges = [usual_range(feature) for feature in manifest.numbers]
        self._low = np.array([max(low, 1 - EXACT_LIMIT) for low, _ in ranges]).reshape(-1, 1)
        self._high = np.array([min(high, EXACT_LIMIT - 1) for _, high in ranges]).reshape(-1, 1)
        self._categories = [
            {*feature.vocabulary, *(("", None) if feature.nullable else ())} for feature in manifest.categories
        ]

    def look(self, values: list[Any]) -> Batch:
        """The batch of the JSON values; applicants that are not usual still have to be put in, or left out."""
        try:
            rows = list(map(self._every, values))
        except (KeyError, TypeError):  # a field left out, or something that is no object
            rows = [tuple(map(value.get, self._names)) for value in values if type(value) is dict]
        if len(rows) < len(values) or not rows:
            return self._all_again(values)
        identifiers, *columns = zip(*rows, strict=True)
        types = [set(map(type, column)) for column in (identifiers, *columns)]
        if not all(map(set.issuperset, self._types, types)):
            return self._all_again(values)
        try:
            numbers = _matrix(columns[: self._numbers], types[1:], len(rows))
        except struct.error:  # an integer beyond float64
            return self._all_again(values)
        categories = columns[self._numbers :]

        # Each has all known names: with as many members it has no other. A repeated name makes another type.
        known = len(self._names)
        again = {i for i, value in enumerate(values) if len(value) != known or type(value) is not dict}
        again.update(
            position
            for position, text in enumerate(identifiers)
            if not (0 < len(text) <= IDENTIFIER_LIMIT and text.isascii())
        )
        again.update(np.flatnonzero(((numbers < self._low) | (numbers > self._high)).any(axis=0)).tolist())
        for column, usual in zip(categories, self._categories, strict=True):
            if not set(column) <= usual:
                again.update(position for position, category in enumerate(column) if category not in usual)

        missing = np.isnan(numbers).sum(axis=0)
        words = np.empty((len(values), len(categories)), dtype=object)
        for index, column in enumerate(categories):
            words[:, index] = [category or "" for category in column]
            missing += words[:, index] == ""
        return Batch(list(identifiers), np.array(numbers.T, order="C"), words, missing.tolist(), sorted(again))

    def _all_again(self, values: list[Any]) -> Batch:
        """Return a batch in which every applicant is checked again one by one."""
        count = len(values)
        numbers = np.empty((count, self._numbers))
        words = np.empty((count, len(self._categories)), dtype=object)
        return Batch(list(repeat("", count)), numbers, words, list(repeat(0, count)), range(count))


def _matrix(columns: Sequence[tuple[Any, ...]], types: Iterable[set[type]], rows: int) -> "NDArray[np.float64]":
    """The numbers of columns [n, N], NaN for None: in half the time of np.array, which asks each cell what it is."""
    pack = struct.Struct(f"{rows}d").pack
    packed = [
        pack(*([math.nan if cell is None else cell for cell in column] if type(None) in its else column))
        for column, its in zip(columns, types, strict=False)
    ]
    return np.frombuffer(b"".join(packed)).reshape(len(columns), rows)


def _types(feature: Feature) -> set[type]:
    kinds: dict[str, tuple[type, ...]] = {"number": (float, int), "boolean": (bool,), "category": (str,)}
    return {*kinds[feature.type], *((type(None),) if feature.nullable else ())}
