"""The reference rows as bits: how often the conditions of a path hold among them, together and separately."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trees.reasons.columns import Columns, Condition, NumberAxis, axis_values

Words = NDArray[np.uint64]


class Reference:
    """Rows of raw numbers [N, n] and categories [N, c]; 64 of them a word."""

    def __init__(self, columns: Columns, numbers: NDArray[np.float64], categories: NDArray[np.object_]) -> None:
        self.rows = len(numbers)
        self._columns = columns
        self._numbers, self._categories = numbers, categories
        self._values: dict[int, NDArray[np.float64]] = {}
        self._known: dict[Condition, Words] = {}
        self.all = _packed(np.ones(self.rows, dtype=bool))

    def unit(self, bit: int) -> int:
        """The player of a bit."""
        return self._columns.player_of[self._columns.axis_of[bit]]

    def holds(self, condition: Condition) -> Words:
        """The rows for which a condition holds."""
        if condition not in self._known:
            self._known[condition] = _packed(self.outcome(condition) == condition.right)
        return self._known[condition]

    def frequencies(self, players: Sequence[Sequence[Condition]]) -> NDArray[np.float64]:
        """[2^d]: the share of rows of each pattern, bit j set where all conditions of player j hold."""
        patterns = self.all[None, :]
        for conditions in players:
            word = self.holds(conditions[0])
            for condition in conditions[1:]:
                word = word & self.holds(condition)
            patterns = np.concatenate([patterns & ~word, patterns & word])
        return np.asarray(np.bitwise_count(patterns).sum(axis=1, dtype=np.int64) / self.rows)

    def outcome(self, condition: Condition) -> NDArray[np.bool_]:
        """For each row whether the condition's split sends it right."""
        number = self._columns.axis_of[condition.bit]
        axis = self._columns.axes[number]
        if not isinstance(axis, NumberAxis):
            column, level = self._categories[:, axis.category], axis.levels[condition.bit - axis.first]
            if level is not None:
                return np.asarray(column == level)
            return np.array([text != "" and text not in axis.own for text in column])
        if number not in self._values:
            self._values[number] = axis_values(axis, self._numbers)
        values = self._values[number]
        right = values >= axis.thresholds[condition.bit - axis.first]
        return np.asarray(right if condition.missing_left else right | np.isnan(values))


def _packed(outcome: NDArray[np.bool_]) -> Words:
    padded = np.zeros(-(-len(outcome) // 64) * 64, dtype=bool)
    padded[: len(outcome)] = outcome
    return np.packbits(padded).view(np.uint64)
