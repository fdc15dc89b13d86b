"""Where the code of a column changes, found to the last bit by halving, many columns in one call."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.own.floats import middle, numbers, positions

CodeAt = Callable[[Mapping[int, NDArray[np.float64]]], dict[int, NDArray[np.int64]]]
"""Gives the code of each column at its own numbers."""

# A call of a pipeline takes longer than some hundred rows: up to so many open intervals, halvings in one call.
HALVINGS = ((300, 3), (3_000, 2), (math.inf, 1))
UNSETTLED = 16  # float64 on both sides of a cut that are asked one by one


def cuts_of(code_at: CodeAt, seeds: Mapping[int, NDArray[np.float64]]) -> dict[int, NDArray[np.float64]]:
    """The numbers at which the code of each column changes: the first with the new one."""
    at_seeds = code_at(seeds)
    open_: dict[int, tuple[NDArray[Any], ...]] = {}
    found: dict[int, list[NDArray[np.float64]]] = {j: [] for j in seeds}
    for j, x in seeds.items():
        place = positions(x)
        open_[j] = place[:-1], place[1:], at_seeds[j][:-1], at_seeds[j][1:]
    while True:
        for j, (low, high, below, above) in open_.items():
            differs = below != above
            next_to = differs & (high - low == 1)
            found[j].append(numbers(high[next_to]))
            kept = differs & ~next_to
            open_[j] = low[kept], high[kept], below[kept], above[kept]
        if not (left := sum(len(parts[0]) for parts in open_.values())):
            break
        halvings = next(number for most, number in HALVINGS if left <= most)
        edges = {j: _edges(low, high, halvings) for j, (low, high, _, _) in open_.items()}
        asked = {j: numbers(edge[1:-1].ravel()) for j, edge in edges.items() if edge.size}
        for j, code in code_at(asked).items():
            edge, (_, _, below, above) = edges[j], open_[j]
            of_edges = np.concatenate([below[None], code.reshape(len(edge) - 2, -1), above[None]])
            open_[j] = edge[:-1].ravel(), edge[1:].ravel(), of_edges[:-1].ravel(), of_edges[1:].ravel()
    return {j: np.unique(np.concatenate(its)) for j, its in found.items()}


def _edges(low: NDArray[np.int64], high: NDArray[np.int64], halvings: int) -> NDArray[np.int64]:
    """Positions [2**halvings + 1, N] that part each interval into equal pieces, ends included."""
    edges = np.stack([low, high])
    for _ in range(halvings):
        parted = np.empty((2 * len(edges) - 1, len(low)), dtype=np.int64)
        parted[::2], parted[1::2] = edges, middle(edges[:-1], edges[1:])
        edges = parted
    return edges


def settled(code_at: CodeAt, cuts: Mapping[int, NDArray[np.float64]]) -> dict[int, NDArray[np.float64]]:
    """The cuts with those that rounding adds: near a cut a step may go to and fro for a few float64.

    Of QuantileTransformer's normal quantiles one threshold in 1,000 does, over up to 5 of them.
    """
    around = {j: _around(its, UNSETTLED) for j, its in cuts.items()}
    codes_ = code_at({j: numbers(its) for j, its in around.items() if len(its)})
    found = {}
    for j, place in around.items():
        changes = (np.diff(codes_[j]) != 0) & (np.diff(place) == 1) if len(place) else np.empty(0, dtype=bool)
        found[j] = numbers(place[1:][changes])
    return found


def _around(x: NDArray[np.float64], reach: int) -> NDArray[np.int64]:
    """The positions of each number and of so many below and above it, ascending."""
    return np.unique(positions(x)[:, None] + np.arange(-reach, reach + 1))
