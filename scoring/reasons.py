"""Points and reasons of many rows: those that runtime.explain gives each row alone."""

import math
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from runtime.explain import MOST_REASONS, load_explainer, shares
from runtime.model import Model
from runtime.table_file import REASONS_FILE
from scoring.contributions import Contributions


class Reasons:
    """Explainer of the rows of one model. Raises ModelRefused if the model has no reasons or damaged ones."""

    def __init__(self, model: Model) -> None:
        load_explainer(model)  # which compares the file with the manifest, and the self-check rows with their points
        reasons, scale = model.manifest.document["reasons"], model.manifest.scale
        head, arrays = REASONS_FILE.read(model.folder, reasons["file"]["sha256"], model.manifest.sha256)
        factor = scale.points_to_double / math.log(2)
        log_odds = reasons["slope"] * head["mean"] + reasons["intercept"] - math.log(scale.odds)
        self._per_margin: float = 100 * factor * reasons["slope"]  # hundredths of a point
        self._base: int = round(100 * (scale.points + factor * log_odds))
        self._adds_up: bool = reasons["basis"]["adds_up"]
        self._limits = scale.probability_limits
        self._contributions = Contributions(head, arrays)
        players: list[dict[str, Any]] = reasons["players"]
        self.players: list[str] = [player["name"] for player in players]
        place = {feature.name: position for position, feature in enumerate(model.manifest.numbers)}
        self._maxima = {
            number: [place[name] for name in player["features"]]
            for number, player in enumerate(players)
            if player["kind"] == "maximum"
        }
        features = [name for player in players for name in player["features"]]
        self.names = list(dict.fromkeys([*self.players, *features]))
        self.texts: dict[str, Any] = reasons["texts"]
        self._code = {name: code for code, name in enumerate(self.names)}
        self._inquiries = [self.texts[name]["inquiries"] for name in self.players]
        self._features = [[self._code[name] for name in player["features"]] for player in players]
        list_ = pa.list_(pa.dictionary(pa.int16(), pa.string()))
        points = pa.struct([pa.field(name, pa.float64(), nullable=False) for name in self.players])
        self.fields = [pa.field("base_points", pa.float64()), pa.field("points", points), pa.field("reasons", list_)]

    def columns(
        self,
        numbers: NDArray[np.float64],
        categories: NDArray[np.object_],
        probability: NDArray[np.float64],
        score: NDArray[np.float64],
    ) -> list[pa.Array]:
        """`base_points`, `points` of each feature and the names of the `reasons`, the one that costs most first."""
        exact = self._per_margin * self._contributions.of(numbers, categories)
        cents = self._cents(exact, probability, score)
        base = np.full(len(exact), self._base / 100)
        members = [pa.array(cents[:, player] / 100) for player in range(len(self.players))]
        struct = pa.StructArray.from_arrays(members, fields=list(self.fields[1].type))
        return [pa.array(base), struct, self._reasons(exact, cents, numbers)]

    def _cents(
        self, exact: NDArray[np.float64], probability: NDArray[np.float64], score: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Hundredths of points, int64 [N, players], that add up as `runtime.explain.shares` makes them."""
        low, high = self._limits
        limited = ~((low < probability) & (probability < high))
        if not self._adds_up:
            limited[:] = True
        cents = np.floor(exact).astype(np.int64)
        rounded = 100 * np.fromiter(map(round, score.tolist(), repeat(2)), np.float64, len(score))
        totals = np.rint(rounded).astype(np.int64)
        rest = totals - self._base - cents.sum(axis=1)
        every, some = np.divmod(rest, max(exact.shape[1], 1))
        order = np.argsort(-(exact - cents), axis=1, kind="stable")
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(order.shape[1])[None, :], axis=1)
        cents += every[:, None] + (rank < some[:, None])
        for row in np.flatnonzero(limited).tolist():
            cents[row] = shares(exact[row].tolist(), None)
        return cents

    def _reasons(self, exact: NDArray[np.float64], cents: NDArray[np.int64], numbers: NDArray[np.float64]) -> pa.Array:
        rows, players = exact.shape
        order = np.argsort(exact, axis=1, kind="stable")
        costs = np.take_along_axis(cents, order, axis=1) < 0
        chosen = costs.copy()
        chosen[:, MOST_REASONS:] = False
        if any(self._inquiries) and players > MOST_REASONS:
            rest = costs[:, MOST_REASONS:] & np.array(self._inquiries)[order[:, MOST_REASONS:]]
            has = rest.any(axis=1)
            chosen[has, MOST_REASONS + rest[has].argmax(axis=1)] = True
        names = np.broadcast_to(np.arange(players), (rows, players)).copy()
        for player, positions in self._maxima.items():
            members = numbers[:, positions]
            largest = np.where(np.isnan(members), -np.inf, members).argmax(axis=1)
            present = ~np.isnan(members).all(axis=1)
            codes = np.array(self._features[player])
            names[present, player] = codes[largest[present]]
        named = np.take_along_axis(names, order, axis=1)[chosen]
        starts = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))]).astype(np.int32)
        coded = pa.DictionaryArray.from_arrays(pa.array(named.astype(np.int16)), pa.array(self.names, pa.string()))
        return pa.ListArray.from_arrays(pa.array(starts), coded)
