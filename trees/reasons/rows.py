"""Contributions of some applicants leaf by leaf, without tables: a report asks for a few hundred.

The values are those of the tables, in float64, and reference rows may change from one call to the next. All leaves
whose paths have the same number of players are computed at once.
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

Step = tuple[int, bool, float, int]
"""Step to a leaf: number of its split, whether right, share of the cover that went this way, bit of the split."""
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
        self._splits: dict[tuple[int, bool], int] = {}  # by bit and whether missing values go left
        alike: dict[int, list[tuple[float, list[Step], list[int]]]] = defaultdict(list)
        for booster in columns.boosters:
            for tree in booster:
                for path, value in self._paths(tree):
                    owners = [self._unit(bit) for _, _, _, bit in path]
                    alike[len(set(owners))].append((value * share, path, owners))
        self._mean += sum(weight for weight, _, _ in alike.pop(0, ()))
        if alike and max(alike) > LARGEST_CACHED:
            raise BoosterRefused(
                f"paths of {max(alike)} features are not explained row by row: expected {LARGEST_CACHED} or fewer"
            )
        self._conditions = [Condition(bit, True, missing_left) for bit, missing_left in self._splits]
        self._leaves = [self._arrays(its) for _, its in sorted(alike.items())]

    def _unit(self, bit: int) -> int:
        axis = self._columns.axis_of[bit]
        return unit_of(self._columns, bit) if self._by_covers else self._columns.player_of[axis]

    def _paths(self, tree: Split | float) -> Iterator[tuple[list[Step], float]]:
        """The steps to each leaf, from left to right, and its value."""
        stack: list[tuple[Split | float, list[Step]]] = [(tree, [])]
        while stack:
            node, path = stack.pop()
            if not isinstance(node, Split):
                yield path, node
                continue
            split = self._splits.setdefault((node.bit, node.missing_left), len(self._splits))
            stack.append((node.right, [*path, (split, True, 1 - node.left_share, node.bit)]))
            stack.append((node.left, [*path, (split, False, node.left_share, node.bit)]))

    def contributions(self, applicants: Raw, reference: Raw) -> tuple[NDArray[np.float64], float]:
        """[N, players] of margin, against reference rows, and the mean margin of these rows."""
        asked, compared = (Reference(self._columns, *raw) for raw in (applicants, reference))
        outcomes = np.array([*map(asked.outcome, self._conditions), np.ones(asked.rows, dtype=bool)])
        words = np.array([*map(compared.holds, self._conditions), compared.all])
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

    def _arrays(self, its: list[tuple[float, list[Step], list[int]]]) -> Leaves:
        longest = max(len(path) for _, path, _ in its)
        always: Step = (len(self._splits), True, 1.0, 0)
        steps = [path + [always] * (longest - len(path)) for _, path, _ in its]
        slots, players = [], []
        for _, path, owners in its:
            place = {unit: slot for slot, unit in enumerate(sorted(set(owners)))}
            slots.append([place[unit] for unit in owners] + [0] * (longest - len(owners)))
            bits = {place[unit]: bit for unit, (_, _, _, bit) in zip(owners, path, strict=True)}
            players.append([self._columns.player_of[self._columns.axis_of[bits[slot]]] for slot in range(len(place))])
        return Leaves(
            weight=np.array([weight for weight, _, _ in its]),
            condition=np.array([[split for split, _, _, _ in path] for path in steps], dtype=np.intp),
            right=np.array([[right for _, right, _, _ in path] for path in steps]),
            slot=np.array(slots, dtype=np.intp),
            player=np.array(players, dtype=np.intp),
            share=np.array([[share for _, _, share, _ in path] for path in steps]),
        )


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
