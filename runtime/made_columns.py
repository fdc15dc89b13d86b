"""Columns that steps of your own pipeline make from several raw ones, for the tables of reasons; most models have none.

One row is computed at a time, because sums of several rows at once may differ in the last bit from those of one row.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.session import open_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class MadeColumns:
    """The part of the graph that makes them. Safe to use from several threads."""

    __slots__ = ("_inputs", "_run")

    def __init__(self, graph: bytes) -> None:
        session = open_session(graph)
        self._run = session.run
        self._inputs = {its.name for its in session.get_inputs()}

    def of(self, numbers: "Sequence[float]", categories: "Sequence[str]") -> list[float]:
        """The columns of one row of raw numbers and categories."""
        feed: dict[str, Any] = {}
        if "numbers" in self._inputs:
            feed["numbers"] = np.asarray([numbers], dtype=np.float64)
        if "categories" in self._inputs:
            feed["categories"] = np.asarray([categories], dtype=object)
        [made] = self._run(None, feed)
        found: list[float] = made[0].tolist()
        return found

    def behind(self, numbers: "NDArray[np.float64]", categories: "NDArray[np.object_]") -> "NDArray[np.float64]":
        """Raw numbers [N, n] with the columns of each row behind them, [N, n + k]."""
        made = [self.of(*row) for row in zip(numbers, categories, strict=True)]
        return np.column_stack([numbers, np.array(made, dtype=np.float64).reshape(len(numbers), -1)])
