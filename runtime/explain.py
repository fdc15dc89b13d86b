"""The reasons of a score, which are the features that cost the most points; loaded with the first explanation.

Points have two decimals and add up exactly: `base_points`, the points of every reason and `other_points` are the
rounded score. The remainder of rounding goes where it changes least (largest remainder).
"""

import math
import operator
from typing import TYPE_CHECKING, Any

from runtime.reader import EXPORT_AGAIN, ModelRefused
from runtime.strict_json import write, write_number
from runtime.table_file import REASONS_FILE
from runtime.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.hints import Hints
    from runtime.manifest import Manifest
    from runtime.model import Model

MOST_REASONS = 4


class Explainer:
    """The reasons of one model. Safe to use from several threads."""

    __slots__ = (
        "_adds_up",
        "_base",
        "_beginnings",
        "_end",
        "_every",
        "_hints",
        "_inquiries",
        "_limited_end",
        "_limits",
        "_middle",
        "_names",
        "_per_margin",
        "_players",
        "_shows_values",
        "_tables",
        "_texts",
    )

    def __init__(self, manifest: "Manifest", tables: Tables, hints: "Hints | None" = None) -> None:
        reasons, scale = manifest.document["reasons"], manifest.scale
        factor = scale.points_to_double / math.log(2)
        log_odds = reasons["slope"] * tables.mean + reasons["intercept"] - math.log(scale.odds)
        self._tables, self._hints = tables, hints
        self._per_margin: float = 100 * factor * reasons["slope"]  # hundredths of a point
        self._base: int = round(100 * (scale.points + factor * log_odds))
        self._adds_up: bool = reasons["basis"]["adds_up"]
        limited = {"adds_up": False, "note": "the probability is at its limit; points ignore the limit"}
        before = {} if self._adds_up else {"note": "points are computed before calibration, which keeps their order"}
        self._middle = f'],"base_points":{self._base / 100!r},"other_points":'
        self._end = f',"reasons_basis":{write(reasons["basis"] | before)}'
        self._limited_end = f',"reasons_basis":{write(reasons["basis"] | limited)}'
        self._shows_values: bool = reasons["values"]
        self._texts: dict[str, dict[str, Any]] = reasons["texts"]
        self._limits = scale.probability_limits
        position = {feature.name: (i, False) for i, feature in enumerate(manifest.numbers)}
        position |= {feature.name: (i, True) for i, feature in enumerate(manifest.categories)}
        booleans = {feature.name for feature in manifest.numbers if feature.type == "boolean"}
        self._players = [
            (
                its["kind"],
                [(*position[name], name in booleans, *self._beginnings_of(name)) for name in its["features"]],
            )
            for its in reasons["players"]
        ]
        self._names: list[str] = [its["name"] for its in reasons["players"]]
        self._every = range(len(self._names))
        self._inquiries = [i for i, name in enumerate(self._names) if self._texts[name]["inquiries"]]
        self._beginnings = list(map(self._beginnings_of, self._names))

    def explain(
        self, numbers: "Sequence[float]", categories: "Sequence[str]", probability: float, score: float, *, every: bool
    ) -> str:
        """The members of an answer, as JSON without braces; with `every` the points of all features too."""
        exact: list[float] = (self._per_margin * self._tables.contributions(numbers, categories)).tolist()
        low, high = self._limits
        is_limited = not low < probability < high
        total = round(100 * round(score, 2)) - self._base if self._adds_up and not is_limited else None
        cents = shares(exact, total)
        order = sorted(self._every, key=exact.__getitem__)
        named = [player for player in order[:MOST_REASONS] if cents[player] < 0]
        if self._inquiries:
            more = [player for player in order[MOST_REASONS:] if player in self._inquiries and cents[player] < 0]
            named += more[:1]
        other = sum(cents)
        reasons = []
        for player in named:
            other -= cents[player]
            reasons.append(self._reason(player, cents[player], numbers, categories))
        content = (
            f'"reasons":[{",".join(reasons)}{self._middle}{other / 100!r}'
            f"{self._limited_end if is_limited else self._end}"
        )
        if self._hints is not None:
            content += f",{self._hints.of(numbers, categories, score)}"
        if every:
            content += f',"points":{write({name: cent / 100 for name, cent in zip(self._names, cents, strict=True)})}'
        return content

    def check(self, manifest: "Manifest") -> None:
        """Raise ModelRefused where a self-check row is explained otherwise than at export."""
        entries = manifest.document["self_check"]["rows"]
        for index, (row, entry) in enumerate(zip(manifest.self_check, entries, strict=True)):
            its = entry.get("contributions")
            if (found := self._tables.contributions(row.numbers, row.categories).tolist()) != its:
                raise ModelRefused(
                    f"{REASONS_FILE.name}: self-check row {index}: expected {its}, got {found}; {EXPORT_AGAIN}"
                )

    def _reason(self, player: int, cents: int, numbers: "Sequence[float]", categories: "Sequence[str]") -> str:
        """One reason; a row maximum is named after its largest feature, where one has a value."""
        kind, features = self._players[player]
        if kind == "maximum":
            value, chosen = math.nan, None
            for feature in features:
                if not numbers[feature[0]] <= value and numbers[feature[0]] == numbers[feature[0]]:
                    chosen, value = feature, numbers[feature[0]]
            position, is_category, is_boolean, given, missing = chosen or (*features[0][:3], *self._beginnings[player])
        else:
            position, is_category, is_boolean, given, missing = features[0]
        if kind == "group":
            return f"{self._beginnings[player][0]}{cents / 100!r}}}"
        if is_category:
            word = categories[position]
            beginning, shown = (given, write(word)) if word else (missing, "null")
        else:
            value = numbers[position]
            is_missing = value != value
            beginning = missing if is_missing else given
            shown = "null" if is_missing else write_number(value, is_boolean=is_boolean)
        if not self._shows_values:
            return f"{beginning}{cents / 100!r}}}"
        return f'{beginning}{cents / 100!r},"value":{shown}}}'

    def _beginnings_of(self, name: str) -> tuple[str, str]:
        """The JSON of a reason up to its points: where there is a value, and where it is missing."""
        texts = self._texts[name]
        reason = {"name": name} | ({"code": texts["code"]} if texts["code"] else {})
        given, missing = (
            f'{write(reason | {"text": its[""] if its.keys() == {""} else its})[:-1]},"points":'
            for its in (texts["text"], texts["missing"])
        )
        return given, missing


def shares(exact: "Sequence[float]", total: int | None) -> list[int]:
    """Hundredths as whole numbers that add up to `total`, or to their own rounded sum, each as close as possible.

    >>> shares([-100.6, -200.6, 50.0], -251)
    [-101, -200, 50]
    """
    cents = list(map(math.floor, exact))
    rest = (round(math.fsum(exact)) if total is None else total) - sum(cents)
    if rest and cents:
        remainders = list(map(operator.sub, exact, cents))
        order = sorted(range(len(exact)), key=remainders.__getitem__, reverse=True)  # the largest first
        every, some = divmod(rest, len(order))
        if every:
            cents = [cent + every for cent in cents]
        for i in order[:some]:
            cents[i] += 1
    return cents


def load_explainer(model: "Model") -> Explainer:
    """The explainer of a model with reasons, after its file was compared with the manifest and its self-check passed.

    Raises ModelRefused.
    """
    manifest = model.manifest
    digest = manifest.document["reasons"]["file"]["sha256"]
    tables = Tables.read(model.folder, digest, manifest.sha256)
    hints = None
    if manifest.document["reasons"].get("hints"):
        from runtime.hints import Hints  # most models give none

        hints = Hints(model, tables)
    explainer = Explainer(manifest, tables, hints)
    explainer.check(manifest)
    return explainer
