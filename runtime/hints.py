"""Hints: for the next band up, the smallest change of each actionable feature that reaches it, all else as sent.

Loaded with the explainer of a model that has `reasons.hints`. A score changes at the model's own conditions only, so
their thresholds are all the values to try, within the range of training and in the feature's direction; each is scored
by the model as any applicant is. Along a monotone feature they are bisected, along another all are scored.
"""

import math
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from runtime.score import Bands
from runtime.strict_json import write, write_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.model import Model
    from runtime.tables import Tables

HIGHEST = "the score is already in the highest band or above it"
NONE = "no change of a single feature, within the values seen in training, reaches the band"
EACH = "each hint changes one feature, keeps the others as sent, and was scored by the model; it is not a promise"


class Change(NamedTuple):
    """A value of one feature, and the answer for an applicant with it."""

    name: str
    value: Any
    given: Any
    score: float
    band: str
    text: str
    """Members of the answer."""


class _Feature(NamedTuple):
    name: str
    position: int
    is_category: bool
    is_boolean: bool
    is_monotone: bool
    rises: bool
    values: tuple[Any, ...]
    """All to try: of a number in ascending order, of a category in the order in which they are tried."""

    def beyond(self, given: Any) -> "Sequence[Any]":
        """The values to try for an applicant, nearest first; none where the value is missing."""
        if self.is_category:
            return [level for level in self.values if level != given] if given != "" else ()
        if given != given:
            return ()
        if self.rises:
            return self.values[bisect_right(self.values, given) :]
        return self.values[: bisect_left(self.values, given)][::-1]


class Hints:
    """The hints of one model. Safe to use from several threads."""

    __slots__ = ("_bands", "_end", "_features", "_predict", "_scale", "_shows_values", "_starts")

    def __init__(self, model: "Model", tables: "Tables") -> None:
        manifest = model.manifest
        self._predict, self._scale = model.predict, manifest.scale
        self._bands = Bands(manifest.bands)
        self._starts = list(manifest.bands[:-1])
        reasons = manifest.document["reasons"]
        self._shows_values: bool = reasons["values"]
        places = {feature.name: (i, feature) for i, feature in enumerate(manifest.numbers)}
        places |= {feature.name: (i, feature) for i, feature in enumerate(manifest.categories)}
        self._features = []
        for entry in reasons["hints"]:
            position, feature = places[entry["name"]]
            values: Sequence[Any] = entry.get("levels", (0, 1))
            if feature.type == "number":
                values = _values(tables.thresholds(position), feature.range, entry["direction"], whole=entry["whole"])
            self._features.append(
                _Feature(
                    entry["name"],
                    position,
                    feature.type == "category",
                    feature.type == "boolean",
                    entry.get("monotone", False),
                    entry.get("direction") == "up",
                    tuple(values),
                )
            )
        self._end = f',"features":{write([feature.name for feature in self._features])}'

    def of(self, numbers: "Sequence[float]", categories: "Sequence[str]", score: float) -> str:
        """The members of an answer, as JSON without braces."""
        band = bisect_right(self._starts, score)
        if band == len(self._starts):
            return f'"hints":[],"hints_basis":{{"note":{write(HIGHEST)}{self._end}}}'
        found = self.changes(numbers, categories, self._starts[band])
        reach = f'"score_band":{write(self._bands.names[band])},"credit_score":{self._starts[band]!r}'
        note = write(EACH if found else NONE)
        return (
            f'"hints":[{",".join([change.text for change in found])}],'
            f'"hints_basis":{{{reach},"note":{note}{self._end}}}'
        )

    def changes(self, numbers: "Sequence[float]", categories: "Sequence[str]", reach: float) -> list[Change]:
        """Find the nearest value of each feature with which the score is at least `reach`."""
        given = [(categories if its.is_category else numbers)[its.position] for its in self._features]
        tried = [its.beyond(value) for its, value in zip(self._features, given, strict=True)]
        scored: dict[tuple[int, int], float] = {}

        def ask(wanted: list[tuple[int, int]]) -> None:
            rows, words = [], []
            for i, at in wanted:
                its, row, word = self._features[i], list(numbers), list(categories)
                (word if its.is_category else row)[its.position] = tried[i][at]
                rows.append(row)
                words.append(word)
            if wanted:
                probability = self._predict(np.array(rows, dtype=np.float64), words)[0].tolist()
                scored.update(zip(wanted, self._scale.scores(probability), strict=True))

        whole = [i for i, its in enumerate(self._features) if its.is_monotone and tried[i]]
        ask(
            [(i, len(tried[i]) - 1) for i in whole]
            + [(i, at) for i, its in enumerate(self._features) if not its.is_monotone for at in range(len(tried[i]))]
        )
        # The nearest that reaches is behind `low` and not behind `high`.
        low, high = dict.fromkeys(whole, -1), {i: len(tried[i]) - 1 for i in whole}
        left = [i for i in whole if scored[i, high[i]] >= reach]
        first = {i: high[i] for i in left}
        while left := [i for i in left if high[i] - low[i] > 1]:
            middle = {i: (low[i] + high[i]) // 2 for i in left}
            ask(list(middle.items()))
            for i, at in middle.items():
                (high if scored[i, at] >= reach else low)[i] = at
                first[i] = high[i]
        for i, its in enumerate(self._features):
            if not its.is_monotone:
                first |= dict([(i, at) for at in range(len(tried[i])) if scored[i, at] >= reach][:1])
        return [self._change(i, given[i], tried[i][at], scored[i, at]) for i, at in sorted(first.items())]

    def _change(self, i: int, given: Any, value: Any, score: float) -> Change:
        its, band = self._features[i], self._bands.name(score)
        start, end = (
            write(each) if its.is_category else write_number(each, is_boolean=its.is_boolean) for each in (given, value)
        )
        before = f'"from":{start},' if self._shows_values else ""
        text = f'{{"name":{write(its.name)},{before}"to":{end},"credit_score":{score!r},"score_band":{write(band)}}}'
        return Change(its.name, value, given, score, band, text)


def _values(
    thresholds: "Sequence[float]", seen: tuple[float, float] | None, direction: str, *, whole: bool
) -> list[float]:
    """The nearest number beyond each threshold, ascending, none outside of what training saw.

    >>> _values([15.0, 18.25, 40.0, 95.0], (18.0, 90.0), "up", whole=True)
    [18.0, 19.0, 40.0]
    >>> _values([0.5], (0.0, 1.0), "down", whole=False)
    [0.49999997]
    """
    if seen is None:
        return []
    low, high = seen
    if direction == "up":
        return sorted({min(max(_above(t, whole=whole), low), high) for t in thresholds if -math.inf < t <= high})
    return sorted({max(min(_below(t, whole=whole), high), low) for t in thresholds if low < t < math.inf})


def _above(threshold: float, *, whole: bool) -> float:
    """The least whole number that is not below it, or the shortest number with float32's digits that is not."""
    if whole:
        return float(math.ceil(threshold))
    short = _short(np.float32(threshold))
    return short if short >= threshold else threshold


def _below(threshold: float, *, whole: bool) -> float:
    """The largest whole number below it, or the shortest of the next float32's digits."""
    if whole:
        return float(math.ceil(threshold) - 1)
    short = _short(np.nextafter(np.float32(threshold), np.float32(-np.inf)))
    return short if short < threshold else math.nextafter(threshold, -math.inf)


def _short(value: "np.float32") -> float:
    return float(str(value))
