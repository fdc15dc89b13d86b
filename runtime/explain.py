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
        "_bases",
        "_beginnings",
        "_features",
        "_shows_values",
        "adds_up",
        "base",
        "limits",
        "per_margin",
        "players",
        "tables",
        "texts",
    )

    def __init__(self, manifest: "Manifest", tables: Tables) -> None:
        reasons, scale = manifest.document["reasons"], manifest.scale
        factor = scale.points_to_double / math.log(2)
        log_odds = reasons["slope"] * tables.mean + reasons["intercept"] - math.log(scale.odds)
        self.tables = tables
        self.per_margin: float = factor * reasons["slope"]
        self.base: int = round(100 * (scale.points + factor * log_odds))
        self.adds_up: bool = reasons["basis"]["adds_up"]
        limited = {"adds_up": False, "note": "the probability is at its limit: points are those without it"}
        before = {} if self.adds_up else {"note": "points are those before calibration, which keeps their order"}
        self._bases = {"usual": write(reasons["basis"] | before), "limited": write(reasons["basis"] | limited)}
        self._beginnings: dict[tuple[str, bool], str] = {}
        self._shows_values: bool = reasons["values"]
        self.players: list[dict[str, Any]] = reasons["players"]
        self.texts: dict[str, dict[str, Any]] = reasons["texts"]
        self.limits = scale.probability_limits
        numbers = {feature.name: (i, feature.type) for i, feature in enumerate(manifest.numbers)}
        categories = {feature.name: (i, "category") for i, feature in enumerate(manifest.categories)}
        self._features = numbers | categories

    def explain(
        self, numbers: "Sequence[float]", categories: "Sequence[str]", probability: float, score: float, *, every: bool
    ) -> str:
        """The members of an answer, as JSON without braces; with `every` the points of all features too."""
        points = (self.per_margin * self.tables.contributions(numbers, categories)).tolist()
        low, high = self.limits
        is_limited = not low < probability < high
        total = round(100 * round(score, 2)) if self.adds_up and not is_limited else None
        cents = shares(points, None if total is None else total - self.base)
        order = sorted(range(len(points)), key=points.__getitem__)
        named = [player for player in order[:MOST_REASONS] if cents[player] < 0]
        named += [
            player
            for player in order[MOST_REASONS:]
            if cents[player] < 0 and self.texts[self.players[player]["name"]]["inquiries"]
        ][:1]
        reasons = ",".join(self._reason(player, cents[player], numbers, categories) for player in named)
        other = sum(cents) - sum(cents[player] for player in named)
        basis = self._bases["limited" if is_limited else "usual"]
        content = (
            f'"reasons":[{reasons}],"base_points":{self.base / 100!r},"other_points":{other / 100!r},'
            f'"reasons_basis":{basis}'
        )
        if every:
            names = (player["name"] for player in self.players)
            content += f',"points":{write({name: cent / 100 for name, cent in zip(names, cents, strict=True)})}'
        return content

    def check(self, manifest: "Manifest") -> None:
        """Raises ModelRefused where a self-check row is explained otherwise than at export."""
        entries = manifest.document["self_check"]["rows"]
        for index, (row, entry) in enumerate(zip(manifest.self_check, entries, strict=True)):
            its = entry.get("contributions")
            if (found := self.tables.contributions(row.numbers, row.categories).tolist()) != its:
                raise ModelRefused(f"{FILE}: self-check row {index}: expected {its}, got {found}; {EXPORT_AGAIN}")

    def _reason(self, player: int, cents: int, numbers: "Sequence[float]", categories: "Sequence[str]") -> str:
        """One reason; a row maximum is named after its largest feature, where one has a value."""
        about = self.players[player]
        name, kind, value = about["name"], about["kind"], None
        if kind == "feature":
            value = self._value(name, numbers, categories)
        elif kind == "maximum":
            values = {feature: self._value(feature, numbers, categories) for feature in about["features"]}
            if present := [feature for feature, its in values.items() if its is not None]:
                name = max(present, key=values.__getitem__)
                value = values[name]
        beginning = self._beginning(name, is_missing=value is None and kind != "group")
        end = f',"value":{write(value)}}}' if self._shows_values and kind != "group" else "}"
        return f"{beginning}{cents / 100!r}{end}"

    def _beginning(self, name: str, *, is_missing: bool) -> str:
        """The JSON of a reason up to its points, written once."""
        key = (name, is_missing)
        if key not in self._beginnings:
            texts = self.texts[name]
            by_language = texts["missing" if is_missing else "text"]
            reason = {"name": name} | ({"code": texts["code"]} if texts["code"] else {})
            text = by_language[""] if by_language.keys() == {""} else by_language
            self._beginnings[key] = f'{write(reason | {"text": text})[:-1]},"points":'
        return self._beginnings[key]

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
    cents = list(map(math.floor, exact))
    rest = (round(math.fsum(exact)) if total is None else total) - sum(cents)
    if rest and cents:
        remainders = [each - cent for each, cent in zip(exact, cents, strict=True)]
        order = sorted(range(len(exact)), key=remainders.__getitem__, reverse=True)  # the largest first
        every, some = divmod(rest, len(order))
        cents = [cent + every for cent in cents]
        for i in order[:some]:
            cents[i] += 1
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
