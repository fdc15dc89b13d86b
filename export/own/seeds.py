"""Numbers that the search for cuts starts from: between two neighbours a prepared column only rises or only falls."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from export.own.cuts import cuts_of
from export.own.encoders import accepted_row, is_level_encoder
from export.own.prepared import MISSING
from export.own.prober import Prober, farthest, refused_among
from export.own.trace import Column, Stage

SEEDS = 101  # quantiles of the real values that bisection starts from, besides the points of the steps


def seeds_of(
    prober: Prober, j: int, column: Column, real: Mapping[str, NDArray[Any]], places: Sequence[int]
) -> NDArray[np.float64]:
    """Numbers, ascending, between any two neighbours of which the prepared column only rises or only falls."""
    if prober.table.columns[column.raw].type == "boolean":
        return np.array([0.0, 1.0])
    # The outputs of one encoder have the same points; where zeros count, each has its own.
    own = j if prober.is_sparse or column.levels is not None else -1
    key = column.raw, tuple((id(s.step), s.input, s.points) for s in column.stages), own
    if key not in prober.seeds:
        try:
            prober.seeds[key] = _found_seeds(prober, column, real, places)
        except (ValueError, TypeError) as fault:
            ends = np.array([0.0, *prober.ends[column.raw]])
            raise refused_among(prober, {column.raw: ends}, places, fault) from None
    return prober.seeds[key]


def _found_seeds(
    prober: Prober, column: Column, real: Mapping[str, NDArray[Any]], places: Sequence[int]
) -> NDArray[np.float64]:
    observed = real["numbers"][:, prober.input[column.raw][1]]
    observed = observed[np.isfinite(observed)]
    if column.raw not in prober.ends:
        prober.ends[column.raw] = tuple(farthest(prober, column.raw, sign, places) for sign in (-1.0, 1.0))
    low, high = prober.ends[column.raw]
    seeds = np.array([low, -0.0, 0.0, high])
    if len(observed):
        seeds = np.concatenate([seeds, np.quantile(observed, np.linspace(0, 1, SEEDS), method="nearest")])
    seeds = np.unique(seeds[(seeds >= low) & (seeds <= high)])
    for before, stage in enumerate(column.stages):
        points = sorted({point for point in stage.points if not isinstance(point, str)})
        seeds = _with_points(seeds, column.stages[:before], points)
    # A sparse matrix has no entry for a last value of zero. A code is a number without its fraction.
    ends = {0.0} if prober.is_sparse else set()
    if column.levels is not None:
        ends |= {code + more for code in column.levels.codes for more in (0.0, 1.0)}
    return _with_points(seeds, column.stages, sorted(ends))


def _with_points(seeds: NDArray[np.float64], stages: Sequence[Stage], points: Sequence[float]) -> NDArray[np.float64]:
    """The seeds, and the numbers at which the value after some stages reaches a point, and leaves it."""
    if not points:
        return seeds

    def code_at(asked: Mapping[int, NDArray[np.float64]]) -> dict[int, NDArray[np.int64]]:
        return {i: _side(_after(stages, x), np.array(points)) for i, x in asked.items()}

    cuts = cuts_of(code_at, {0: seeds})[0]
    return np.unique(np.concatenate([seeds, cuts, np.nextafter(cuts, -np.inf)]))


def _side(values: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Place of each value among the points: twice the number below it, plus 1 if it is one of them."""
    below, upto = (np.searchsorted(points, values, side=side) for side in ("left", "right"))
    return np.where(np.isnan(values), MISSING, below + upto)


def _after(stages: Sequence[Stage], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """A number after some stages, each asked by itself with its other columns at the same number."""
    for stage in stages:
        with np.errstate(all="ignore"):
            made = stage.step.transform(_like_fitted(stage, x))
        dense = made.toarray() if hasattr(made, "toarray") else np.asarray(made)
        x = np.asarray(dense[:, stage.output], dtype=np.float64)
    return x


def _like_fitted(stage: Stage, x: NDArray[np.float64]) -> Any:
    """Rows for a stage by itself: `x` in its column, and in the others values that the stage takes."""
    known = getattr(stage.step, "categories_", None)
    filled = [1.0 if known is None else known[i][0] for i in range(stage.width)]
    if is_level_encoder(type(stage.step)):
        filled = accepted_row(stage.step)
    elif known is None and hasattr(stage.step, "statistics_") and len(stage.step.statistics_) == stage.width:
        filled = stage.step.statistics_.tolist()
    plain = all(isinstance(value, int | float | np.number) for value in filled)
    matrix = np.empty((len(x), stage.width), dtype=np.float64 if plain else object)
    matrix[:] = np.array(filled, dtype=matrix.dtype)
    matrix[:, stage.input] = x
    names = getattr(stage.step, "feature_names_in_", None)
    return matrix if names is None else pd.DataFrame(matrix, columns=names)
