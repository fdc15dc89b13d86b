"""The splits of your own pipeline's trees as conditions on raw values, for reasons.

A split compares a prepared column, which is a function of one raw column that is known piece by piece
(export.own.profile). So a split sends some intervals of a raw number one way and some the other, and likewise some
levels of a category. Such a split becomes one or several splits on raw thresholds, each of which takes the outcomes of
those above into account. Shapley values depend only on the function, not on the tree that computes it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.own.cut_out import mixed_places
from export.own.fitted import Fitted
from export.own.graph import Place
from export.own.prepared import MISSING
from trees.ensemble import Ensemble, Tree
from trees.reasons.columns import Columns, NumberAxis, Order, Split, raw_thresholds
from trees.refusal import BoosterRefused

MOST_GROWTH = 40  # a tree whose conditions are not intervals grows, and this much is too much

Sides = tuple[NDArray[np.bool_], bool]
"""Pieces of a raw column that go left, and whether a missing value does."""
Known = Mapping[int, tuple[int, int, bool]]
"""Range of a raw column: first possible piece, the one after the last, and whether it may be missing."""


@dataclass(frozen=True)
class _Raw:
    """A raw column in pieces: of a number those from one cut to the next, of a category its places."""

    cuts: NDArray[np.float64]
    nullable: bool
    order: Order | None = None


def own_columns(fitted: Fitted, player_of: Mapping[int, int]) -> Columns:
    """Conditions of the trees on raw values, and on columns that steps make of several.

    The latter stand behind the raw numbers (export.own.cut_out). `player_of` knows the player of each raw column by its
    position.

    Raises BoosterRefused for trees that would grow too large.
    """
    splits = _Splits(fitted)
    order = sorted(splits.raws, key=lambda raw: (splits.raws[raw].order is not None, raw))
    axes: list[NumberAxis] = []
    orders: dict[int, Order] = {}
    first = 0
    firsts: dict[int, int] = {}
    for raw in order:
        its = splits.raws[raw]
        position = splits.position(raw)
        if its.order is not None:
            position = len(fitted.oracle.table.numbers) + len(splits.mixed) + len(orders)
            orders[len(axes)] = its.order
        axes.append(NumberAxis((position,), its.cuts, first))
        firsts[raw] = first
        first += len(its.cuts)
    boosters = tuple(
        tuple(_Reader(splits, firsts, booster, tree).read(0, splits.everything()) for tree in ensemble.trees)
        for booster, ensemble in enumerate(fitted.built.contract.ensembles)
    )
    return Columns(
        tuple(axes),
        tuple(player_of[splits.first_raw(raw)] for raw in order),
        boosters,
        tuple(float(ensemble.base_margin) for ensemble in fitted.built.contract.ensembles),
        orders,
    )


def with_places(columns: Columns, numbers: NDArray[np.float64], words: NDArray[Any]) -> NDArray[np.float64]:
    """Raw numbers [N, n] with the places of the ordered categories as columns behind them."""
    found = [numbers]
    for _, order in sorted(columns.orders.items()):
        its = [order.places.get(word, order.unseen) for word in words[:, order.category]]
        found.append(np.array(its, dtype=np.float64)[:, None])
    return np.concatenate(found, axis=1)


class _Splits:
    """Each split of the boosters by its column and threshold, as sides of the pieces of its raw column."""

    def __init__(self, fitted: Fitted) -> None:
        self._fitted = fitted
        self.mixed = mixed_places(fitted.built)
        oracle = fitted.oracle
        preparation_of = {b: p for p, its in enumerate(oracle.preparations) for b in its.boosters}
        places = {(place.preparation, place.column): place for place in fitted.built.places}
        self.place_of = [
            {column: places[preparation_of[b], column] for column in ensemble.thresholds()}
            for b, ensemble in enumerate(fitted.built.contract.ensembles)
        ]
        asked: dict[int, dict[tuple[int, int, float, bool], int]] = {}
        for b, ensemble in enumerate(fitted.built.contract.ensembles):
            for key in _conditions(ensemble):
                place = self.place_of[b][key[0]]
                its = asked.setdefault(self._raw(place), {})
                own = (place.preparation, *key)
                its[own] = its.get(own, 0) + 1
        self.raws: dict[int, _Raw] = {}
        self._sides: dict[tuple[int, int, float, bool], Sides] = {}
        for raw, its in asked.items():
            category = not self._is_mixed(raw) and oracle.table.columns[raw].type == "category"
            self.raws[raw] = self._category(raw, its) if category else self._number(raw, its)

    def position(self, raw: int) -> int:
        """Position of a raw number among the graph's; those of several columns follow."""
        table = self._fitted.oracle.table
        if self._is_mixed(raw):
            return len(table.numbers) + raw - len(table.columns)
        name = table.columns[raw].name
        return table.numbers.index(name) if name in table.numbers else list(table.vocabularies_).index(name)

    def everything(self) -> Known:
        """All pieces but that of numbers below minus infinity."""
        return {
            raw: (0 if its.order is not None else 1, len(its.cuts) + 1, its.nullable) for raw, its in self.raws.items()
        }

    def of(self, booster: int, tree: Tree, node: int) -> tuple[int, Sides]:
        """The raw column of a split, and its sides."""
        column = int(tree.feature[node])
        place = self.place_of[booster][column]
        key = (place.preparation, column, float(tree.threshold[node]), bool(tree.missing_left[node]))
        return self._raw(place), self._sides[key]

    def first_raw(self, raw: int) -> int:
        """The raw column itself, or the first of those that a column is made of."""
        if self._is_mixed(raw):
            place = self.mixed[raw - len(self._fitted.oracle.table.columns)]
            return self._fitted.oracle.preparations[place.preparation].columns[place.column].raw
        return raw

    def _is_mixed(self, raw: int) -> bool:
        return raw >= len(self._fitted.oracle.table.columns)

    def _raw(self, place: Place) -> int:
        """The raw column of a place; a column that is made of several counts as one more."""
        if place.mixed is not None:
            return len(self._fitted.oracle.table.columns) + self.mixed.index(place)
        return self._fitted.oracle.preparations[place.preparation].columns[place.column].raw

    def _place(self, key: tuple[int, int, float, bool]) -> Place:
        preparation, column, _, _ = key
        return next(p for p in self._fitted.built.places if (p.preparation, p.column) == (preparation, column))

    def _number(self, raw: int, asked: Mapping[tuple[int, int, float, bool], int]) -> _Raw:
        found: list[NDArray[np.float64]] = [np.array([-np.inf])]  # what separates a missing value from all others
        for key in asked:
            profile = self._place(key).profile
            if profile is not None:
                goes_left = _left_of_codes(profile.codes, key)
                found.append(profile.cuts[goes_left[1:] != goes_left[:-1]])
            else:
                found.append(raw_thresholds(np.array([key[2]], dtype=np.float32)))
        cuts = np.unique(np.concatenate(found))
        at = np.concatenate([[-np.inf], cuts])  # a number in each piece but the first
        for key in asked:
            profile = self._place(key).profile
            if profile is not None:
                goes_left = _left_of_codes(profile.codes, key)
                sides = goes_left[np.searchsorted(profile.cuts, at, side="right")]
                missing = bool(_left_of_codes(np.array([profile.missing]), key)[0])
            else:
                sides = at < raw_thresholds(np.array([key[2]], dtype=np.float32))[0]
                missing = key[3]
            self._sides[key] = sides, missing
        return _Raw(cuts, self._is_mixed(raw) or self._fitted.oracle.nullable[raw])

    def _category(self, raw: int, asked: Mapping[tuple[int, int, float, bool], int]) -> _Raw:
        """Levels that all splits treat alike have one place; what most splits separate comes first."""
        columns: dict[tuple[int, int], int] = {}
        for key, count in asked.items():
            columns[key[:2]] = columns.get(key[:2], 0) + count
        keys = sorted(asked, key=lambda key: (-columns[key[:2]], key))
        sides = []
        for key in keys:
            profile = self._place(key).profile
            assert profile is not None
            values = profile.values
            sides.append(np.where(np.isnan(values), key[3], values < np.float32(key[2])))
        unique, place = np.unique(np.column_stack(sides), axis=0, return_inverse=True)
        for i, key in enumerate(keys):
            self._sides[key] = unique[:, i], False
        levels = self._fitted.oracle.table.levels[raw]
        places = dict(zip([*levels, ""], place.tolist(), strict=False))
        order = Order(self.position(raw), places, int(place[-1]))
        return _Raw(np.arange(1, len(unique), dtype=np.float64), nullable=False, order=order)


def _conditions(ensemble: Ensemble) -> Sequence[tuple[int, float, bool]]:
    return [
        (int(tree.feature[node]), float(tree.threshold[node]), bool(tree.missing_left[node]))
        for tree in ensemble.trees
        for node in np.flatnonzero(tree.conditions)
    ]


def _left_of_codes(codes: NDArray[np.int64], key: tuple[int, int, float, bool]) -> NDArray[np.bool_]:
    return np.where(codes == MISSING, key[3], codes < key[2])


class _Reader:
    """One tree, with splits on raw thresholds."""

    def __init__(self, splits: _Splits, firsts: Mapping[int, int], booster: int, tree: Tree) -> None:
        self._splits, self._firsts, self._booster, self._tree = splits, firsts, booster, tree
        self._left = MOST_GROWTH * len(tree.left)

    def read(self, node: int, known: Known) -> Split | float:
        """The part of the tree below a node, for raw values that are `known` to be somewhere."""
        tree = self._tree
        self._left -= 1
        if self._left < 0:
            raise BoosterRefused(
                f"a tree would grow more than {MOST_GROWTH} times, since its steps do not keep intervals"
            )
        if tree.left[node] < 0:
            return float(tree.leaf[node])
        raw, (sides, missing) = self._splits.of(self._booster, tree, node)
        low, high, may_be_missing = known[raw]
        its = sides[low:high]
        changes = np.flatnonzero(its[1:] != its[:-1])
        if not len(changes):
            present = bool(its[0]) if len(its) else missing
            if not may_be_missing or present == missing:
                return self.read(self._child(node, left=present), known)
            # Only a missing value goes the other way: none is below minus infinity.
            gone = self.read(self._child(node, left=missing), {**known, raw: (low, low, True)})
            stays = self.read(self._child(node, left=present), {**known, raw: (low, high, False)})
            return Split(self._firsts[raw], missing_left=True, left=gone, right=stays, left_share=math.nan)
        at = low + int(changes[0]) + 1
        missing_left = may_be_missing and bool(its[0]) == missing
        below = {**known, raw: (low, at, missing_left)}
        above = {**known, raw: (at, high, may_be_missing and not missing_left)}
        return Split(
            self._firsts[raw] + at - 1,
            missing_left=missing_left,
            left=self.read(self._child(node, left=bool(its[0])), below),
            right=self.read(node, above),
            left_share=math.nan,
        )

    def _child(self, node: int, *, left: bool) -> int:
        return int((self._tree.left if left else self._tree.right)[node])
