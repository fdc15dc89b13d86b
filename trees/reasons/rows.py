"""Contributions of some applicants leaf by leaf, without tables: a report asks for a few hundred.

The values are those of the tables, in float64, and reference rows may change from one question to the next. All leaves
whose paths have as many players are computed at once.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trees.reasons.columns import Columns, Condition, Split
from trees.reasons.covers import unit_of
from trees.reasons.reference import Reference, Words
from trees.reasons.shapley import LARGEST_CACHED, values_of
from trees.refusal import BoosterRefused

AT_ONCE = 4_000_000  # numbers that are held for some of the leaves

Raw = tuple[NDArray[np.float64], NDArray[np.object_]]  # numbers [N, n], categories [N, c]


@dataclass(frozen=True)
class Leaves:
    """L leaves whose paths have d players; shorter paths repeat a condition that always holds."""

    weight: NDArray[np.float64]  # [L]
    condition: NDArray[np.intp]  # [L, k] of each step its split, and last the one that always holds
    right: NDArray[np.bool_]  # [L, k] the outcome that leads to the leaf
    slot: NDArray[np.intp]  # [L, k] among the players of the path
    player: NDArray[np.intp]  # [L, d]
    share: NDArray[np.float64]  # [L, k] of the covers, that went the way of each step


class Rows:
    """The leaves of boosters, to be asked for contributions. Raises BoosterRefused for paths of too many players."""

    def __init__(self, columns: Columns, players: int, *, by_covers: bool = False) -> None:
        """`by_covers`: tree-path values, which no reference rows change."""
        self._columns, self._players, self._by_covers = columns, players, by_covers
        share = 1 / len(columns.boosters)
        self._mean = sum(columns.base_margins) * share
        self._splits: dict[Condition, int] = {}  # by the outcome "right"
        alike: dict[int, list[tuple[float, list[Condition], list[int]]]] = defaultdict(list)
        for booster in columns.boosters:
            for tree in booster:
                for path, value in _leaves(tree, ()):
                    owners = [self._unit(condition.bit) for condition in path]
                    alike[len(set(owners))].append((value * share, list(path), owners))
        self._mean += sum(weight for weight, _, _ in alike.pop(0, ()))
        if alike and max(alike) > LARGEST_CACHED:
            raise BoosterRefused(
                f"paths of {max(alike)} features are not explained row by row: expected {LARGEST_CACHED} or fewer"
            )
        for condition in dict.fromkeys(one for its in alike.values() for _, path, _ in its for one in path):
            self._splits.setdefault(_right(condition), len(self._splits))
        self._leaves = [self._arrays(its) for _, its in sorted(alike.items())]

    def _unit(self, bit: int) -> int:
        axis = self._columns.axis_of[bit]
        return unit_of(self._columns, bit) if self._by_covers else self._columns.player_of[axis]

    def contributions(self, applicants: Raw, reference: Raw) -> tuple[NDArray[np.float64], float]:
        """[N, players] of margin, against reference rows, and the mean margin of these rows."""
        asked, compared = (Reference(self._columns, *raw) for raw in (applicants, reference))
        outcomes = np.array([*map(asked.outcome, self._splits), np.ones(asked.rows, dtype=bool)])
        words = np.array([*map(compared.holds, self._splits), compared.all])
        found, mean = np.zeros((self._players, asked.rows)), self._mean
        for leaves in self._leaves:
            width = leaves.player.shape[1]
            step = max(1, AT_ONCE // (width * asked.rows + (words.shape[1] + width << width)))
            for first in range(0, len(leaves.weight), step):
                its = Leaves(*(values[first : first + step] for values in vars(leaves).values()))
                frequencies = _shares(its) if self._by_covers else _frequencies(its, words, compared.rows)
                mean += float(its.weight @ frequencies[:, -1])
                _add(found, its, values_of(frequencies), _patterns(its, outcomes))
        return found.T, mean

    def _arrays(self, its: list[tuple[float, list[Condition], list[int]]]) -> Leaves:
        longest = max(len(path) for _, path, _ in its)
        condition = np.full((len(its), longest), len(self._splits))
        right, slot = np.ones(condition.shape, dtype=bool), np.zeros(condition.shape, dtype=np.intp)
        share = np.ones(condition.shape)
        units = [sorted(set(owners)) for _, _, owners in its]
        player = np.empty((len(its), len(units[0])), dtype=np.intp)
        for row, (_, path, owners) in enumerate(its):
            condition[row, : len(path)] = [self._splits[_right(one)] for one in path]
            right[row, : len(path)] = [one.right for one in path]
            share[row, : len(path)] = [one.share for one in path]
            slot[row, : len(path)] = np.searchsorted(units[row], owners)
            player[row, slot[row, : len(path)]] = [
                self._columns.player_of[self._columns.axis_of[one.bit]] for one in path
            ]
        return Leaves(np.array([weight for weight, _, _ in its]), condition, right, slot, player, share)


def _leaves(tree: Split | float, path: tuple[Condition, ...]) -> Iterator[tuple[tuple[Condition, ...], float]]:
    if not isinstance(tree, Split):
        yield path, tree
        return
    left, right = tree.left_share, 1 - tree.left_share
    yield from _leaves(tree.left, (*path, Condition(tree.bit, False, tree.missing_left, left)))
    yield from _leaves(tree.right, (*path, Condition(tree.bit, True, tree.missing_left, right)))


def _right(condition: Condition) -> Condition:
    return Condition(condition.bit, True, condition.missing_left)


def _frequencies(leaves: Leaves, words: Words, rows: int) -> NDArray[np.float64]:
    """[L, 2^d]: the share of reference rows of each pattern, bit j set where all conditions of player j hold."""
    count, players = leaves.player.shape
    every = np.arange(count)
    met = np.broadcast_to(words[-1], (count, players, words.shape[1])).copy()
    for step in range(leaves.condition.shape[1]):
        word = words[leaves.condition[:, step]]
        met[every, leaves.slot[:, step]] &= np.where(leaves.right[:, step, None], word, ~word)
    patterns = np.broadcast_to(words[-1], (count, 1, words.shape[1]))
    for player in range(players):
        word = met[:, player, None]
        patterns = np.concatenate([patterns & ~word, patterns & word], axis=1)
    return np.asarray(np.bitwise_count(patterns).sum(axis=2, dtype=np.int64) / rows)


def _shares(leaves: Leaves) -> NDArray[np.float64]:
    """[L, 2^d]: the same of covers, each column's outcome independent of the others'."""
    count, units = leaves.player.shape
    every, each = np.arange(count), np.ones((count, units))
    for step in range(leaves.condition.shape[1]):
        each[every, leaves.slot[:, step]] *= leaves.share[:, step]
    patterns = np.ones((count, 1))
    for unit in range(units):
        share = each[:, unit, None]
        patterns = np.concatenate([patterns * (1 - share), patterns * share], axis=1)
    return patterns


def _patterns(leaves: Leaves, outcomes: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """[L, N]: the pattern of each applicant's outcomes."""
    count, players = leaves.player.shape
    failed: NDArray[np.uint16] = np.zeros((count, outcomes.shape[1]), dtype=np.uint16)
    for step in range(leaves.condition.shape[1]):
        missed = outcomes[leaves.condition[:, step]] != leaves.right[:, step, None]
        failed |= missed.astype(np.uint16) << leaves.slot[:, step, None].astype(np.uint16)
    return np.asarray(failed ^ np.uint16((1 << players) - 1))


def _add(found: NDArray[np.float64], leaves: Leaves, values: NDArray[np.float64], patterns: NDArray[np.uint16]) -> None:
    """Add to `found` [players, N] the values [L, 2^d, d] of the applicants' patterns."""
    values = values * leaves.weight[:, None, None]
    count, width = patterns.shape[0], values.shape[1]
    place = np.arange(0, count * width, width)[:, None] + patterns  # among the values of a slot
    for slot, owners in enumerate(leaves.player.T):
        its = values[:, :, slot].ravel()
        for player in np.unique(owners):
            found[player] += its.take(place[owners == player]).sum(axis=0)
