"""The reasons of a score: the features that cost the most points; loaded when the first explanation is asked for.

Points are shown with two decimals and add up exactly: `base_points`, the points of every reason and `other_points` to
the score rounded likewise. What rounding leaves over goes where it changes least (largest remainder).
"""

import math
from typing import TYPE_CHECKING, Any

from runtime.reader import EXPORT_AGAIN, ModelRefused
from runtime.strict_json import write
from runtime.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.manifest import Manifest
    from runtime.model import Model

MOST_REASONS = 4
FILE = "reasons.bin"


class Explainer:
    """The reasons of one model. Safe to use from several threads."""

    __slots__ = (
        "_adds_up",
        "_base",
        "_basis",
        "_features",
        "_limits",
        "_per_margin",
        "_players",
        "_shows_values",
        "_tables",
        "_texts",
    )

    def __init__(self, manifest: "Manifest", tables: Tables) -> None:
        reasons, scale = manifest.document["reasons"], manifest.scale
        factor = scale.points_to_double / math.log(2)
        log_odds = reasons["slope"] * tables.mean + reasons["intercept"] - math.log(scale.odds)
        self._tables = tables
        self._per_margin: float = factor * reasons["slope"]
        self._base: int = round(100 * (scale.points + factor * log_odds))
        self._basis: dict[str, Any] = reasons["basis"]
        self._adds_up: bool = reasons["basis"]["adds_up"]
        self._shows_values: bool = reasons["values"]
        self._players: list[dict[str, Any]] = reasons["players"]
        self._texts: dict[str, dict[str, Any]] = reasons["texts"]
        self._limits = scale.probability_limits
        numbers = {feature.name: (i, feature.type) for i, feature in enumerate(manifest.numbers)}
        categories = {feature.name: (i, "category") for i, feature in enumerate(manifest.categories)}
        self._features = numbers | categories

    def explain(
        self, numbers: "Sequence[float]", categories: "Sequence[str]", probability: float, score: float, *, every: bool
    ) -> str:
        """The members of an answer, as JSON without braces; with `every` the points of all features too."""
        points = (self._per_margin * self._tables.contributions(numbers, categories)).tolist()
        low, high = self._limits
        is_limited = not low < probability < high
        total = round(100 * round(score, 2)) if self._adds_up and not is_limited else None
        cents = shares(points, None if total is None else total - self._base)
        order = sorted(range(len(points)), key=points.__getitem__)
        named = [player for player in order[:MOST_REASONS] if cents[player] < 0]
        named += [
            player
            for player in order[MOST_REASONS:]
            if cents[player] < 0 and self._texts[self._players[player]["name"]]["inquiries"]
        ][:1]
        content: dict[str, Any] = {
            "reasons": [self._reason(player, cents[player], numbers, categories) for player in named],
            "base_points": self._base / 100,
            "other_points": (sum(cents) - sum(cents[player] for player in named)) / 100,
            "reasons_basis": self._basis | {"adds_up": self._adds_up and not is_limited},
        }
        if is_limited:
            content["reasons_basis"]["note"] = "the probability is at its limit: points are those without it"
        elif not self._adds_up:
            content["reasons_basis"]["note"] = "points are those before calibration, which keeps their order"
        if every:
            names = (player["name"] for player in self._players)
            content["points"] = {name: cent / 100 for name, cent in zip(names, cents, strict=True)}
        return write(content)[1:-1]

    def check(self, manifest: "Manifest") -> None:
        """Raises ModelRefused where a self-check row is explained otherwise than at export."""
        entries = manifest.document["self_check"]["rows"]
        for index, (row, entry) in enumerate(zip(manifest.self_check, entries, strict=True)):
            its = entry.get("contributions")
            if (found := self._tables.contributions(row.numbers, row.categories).tolist()) != its:
                raise ModelRefused(f"{FILE}: self-check row {index}: expected {its}, got {found}; {EXPORT_AGAIN}")

    def _reason(
        self, player: int, cents: int, numbers: "Sequence[float]", categories: "Sequence[str]"
    ) -> dict[str, Any]:
        """One reason; a row maximum is named after its largest feature, where one has a value."""
        about = self._players[player]
        name, value = about["name"], None
        if about["kind"] == "feature":
            value = self._value(name, numbers, categories)
        elif about["kind"] == "maximum":
            values = {feature: self._value(feature, numbers, categories) for feature in about["features"]}
            if present := [feature for feature, its in values.items() if its is not None]:
                name = max(present, key=values.__getitem__)
                value = values[name]
        texts = self._texts[name]
        is_missing = value is None and about["kind"] != "group"
        by_language = texts["missing" if is_missing else "text"]
        reason: dict[str, Any] = {"name": name}
        if texts["code"]:
            reason["code"] = texts["code"]
        reason["text"] = by_language[""] if by_language.keys() == {""} else by_language
        reason["points"] = cents / 100
        if self._shows_values and about["kind"] != "group":
            reason["value"] = value
        return reason

    def _value(self, name: str, numbers: "Sequence[float]", categories: "Sequence[str]") -> Any:
        """A feature's value as a request has it; None where it is missing."""
        position, kind = self._features[name]
        if kind == "category":
            return categories[position] or None
        number = float(numbers[position])
        if math.isnan(number):
            return None
        if kind == "boolean":
            return number == 1
        return int(number) if number.is_integer() and abs(number) < 2**53 else number


def shares(points: "Sequence[float]", total: int | None) -> list[int]:
    """Points as hundredths that add up to `total`, or to their own rounded sum; each off by as little as can be.

    >>> shares([-1.006, -2.006, 0.5], -251)
    [-101, -200, 50]
    """
    exact = [100 * point for point in points]
    cents = [math.floor(each) for each in exact]
    rest = (round(math.fsum(exact)) if total is None else total) - sum(cents)
    order = sorted(range(len(exact)), key=lambda i: (cents[i] - exact[i], i))  # the largest remainder first
    for turn in range(abs(rest) if order else 0):
        cents[order[turn % len(order)] if rest > 0 else order[-1 - turn % len(order)]] += 1 if rest > 0 else -1
    return cents


def load_explainer(model: "Model") -> Explainer:
    """The explainer of a model with reasons, once its file has been compared with the manifest and has shown itself.

    Raises ModelRefused.
    """
    manifest = model.manifest
    file = manifest.document["reasons"]["file"]
    explainer = Explainer(manifest, Tables.read(f"{model.folder}/{FILE}", file["sha256"], manifest.sha256))
    explainer.check(manifest)
    return explainer
