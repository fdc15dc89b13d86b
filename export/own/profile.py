"""Each column of a prepared matrix as a function of its raw column, measured on the fitted preparation.

Of a number the trees see only between which of their thresholds its prepared value is. That changes at some raw
numbers, and bisection through the pipeline's own `transform` finds each of them to the last bit, however the steps
compute. Between two neighbouring points of its steps (export.own.steps) a column only rises or only falls, so no
change is missed. Of a category the prepared value is asked for every level, for a missing one and for unseen ones.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from export.own.encoders import accepted_row, is_level_encoder
from export.own.faults import said_of
from export.own.floats import middle, numbers, positions
from export.own.prepared import MISSING, Preparation, codes
from export.own.raw import RawTable
from export.own.trace import Column, Stage
from export.refusal import ExportRefused
from table.columns import MISSING_CATEGORY

UNSEEN = ("\U0001f600 no such level", "no such level, either")
# Numbers that a step may be asked for. Where it raises beyond the last but one it is not asked there.
FARTHEST = (1.7e308, 1e300, 1e150, 1e38)
SEEDS = 101  # quantiles of the real values that bisection starts from, besides the points of the steps
AT_ONCE = 20_000
RAISED = (ValueError, TypeError, FloatingPointError)
# A call of a pipeline takes longer than some hundred rows: up to so many open intervals, halvings in one call.
HALVINGS = ((300, 3), (3_000, 2), (math.inf, 1))
UNSETTLED = 16  # float64 on both sides of a cut that are asked one by one


@dataclass(frozen=True)
class Profile:
    """A prepared column as a function of its raw column.

    For a number: `cuts`, ascending, and the code in each of the len(cuts) + 1 segments; a segment holds its lower cut.
    For a category: the `values` of its levels, of a missing one and of an unseen one.
    """

    raw: int
    cuts: NDArray[np.float64]
    codes: NDArray[np.int64]
    """[len(cuts) + 1]; MISSING where the trees get a missing value."""
    missing: int
    """The code of a missing number."""
    values: NDArray[np.float32]
    """[levels + 2], of a category."""
    thresholds: NDArray[np.float32]
    """Thresholds of the splits on it, ascending."""

    def rank(self, threshold: np.float32) -> np.float32:
        """The smallest code that is not below a threshold: what a code is compared with in its place."""
        return np.float32(np.searchsorted(self.thresholds, threshold) + 1)


Asked = Callable[[Mapping[int, NDArray[Any]]], Any]


class Prober:
    """Ask one preparation for rows that are made up column by column."""

    def __init__(self, preparation: Preparation, table: RawTable, base: Mapping[str, NDArray[Any]]) -> None:
        self.preparation, self.table, self.base = preparation, table, base
        names = [column.name for column in table.columns]
        self.input = {names.index(name): ("numbers", i) for i, name in enumerate(table.numbers)}
        self.seeds: dict[tuple[Any, ...], NDArray[np.float64]] = {}
        self.ends: dict[int, tuple[float, ...]] = {}
        """The lowest and the highest number that it takes, by raw column."""
        self.is_sparse = sparse.issparse(preparation.matrix(table.frame(base)))
        self.input |= {names.index(name): ("categories", i) for i, name in enumerate(table.vocabularies_)}

    def ask(self, values: Mapping[int, Sequence[Any] | NDArray[Any]], columns: Sequence[int]) -> NDArray[np.float32]:
        """The prepared columns, as the trees see them, of rows with these values by raw column; all else is usual."""
        count = max(map(len, values.values()))
        rows = {name: np.repeat(row, count, axis=0) for name, row in self.base.items()}
        for raw, its in values.items():
            name, place = self.input[raw]
            rows[name][: len(its), place] = its
        parts = []
        for first in range(0, count, AT_ONCE):
            part = {name: matrix[first : first + AT_ONCE] for name, matrix in rows.items()}
            with np.errstate(all="ignore"):
                parts.append(self.preparation.seen(self.preparation.matrix(self.table.frame(part)), columns))
        return np.concatenate(parts)

    def refusal(self, raw: int, value: Any, columns: Sequence[int]) -> str | None:
        """The preparation's error for a value, in one line; None if it accepts the value."""
        try:
            self.ask({raw: [value]}, columns)
        except RAISED as fault:
            return said_of(fault)
        return None


def nullable_columns(probers: Sequence[Prober], used: Sequence[Mapping[int, NDArray[np.float32]]]) -> dict[int, bool]:
    """For each raw column that is read, by position: True where every preparation takes a missing value."""
    found: dict[int, bool] = {}
    for prober, columns in zip(probers, used, strict=True):
        for raw, (kind, _) in prober.input.items():
            value = np.nan if kind == "numbers" else MISSING_CATEGORY
            found[raw] = found.get(raw, True) and prober.refusal(raw, value, list(columns)[:1]) is None
    return found


def closed_levels(
    probers: Sequence[Prober], used: Sequence[Mapping[int, NDArray[np.float32]]]
) -> dict[int, tuple[str, ...]]:
    """For each category, by position, the levels that all preparations accept.

    Only categories are listed for which some preparation raises at an unseen level.
    """
    found: dict[int, tuple[str, ...]] = {}
    for prober, columns in zip(probers, used, strict=True):
        for raw, (kind, _) in prober.input.items():
            if kind == "categories" and prober.refusal(raw, UNSEEN[0], list(columns)[:1]) is not None:
                levels = found.get(raw, tuple(prober.table.levels[raw]))
                found[raw] = _taken(prober, raw, levels, list(columns)[:1])
    return found


def _taken(prober: Prober, raw: int, levels: Sequence[str], columns: Sequence[int]) -> tuple[str, ...]:
    """Levels that the preparation accepts."""
    try:
        prober.ask({raw: list(levels)}, columns)
    except RAISED:
        if len(levels) == 1:
            return ()
        half = len(levels) // 2
        return _taken(prober, raw, levels[:half], columns) + _taken(prober, raw, levels[half:], columns)
    return tuple(levels)


def profiles_of(
    prober: Prober,
    thresholds: Mapping[int, NDArray[np.float32]],
    real: Mapping[str, NDArray[Any]],
    nullable: Mapping[int, bool],
) -> dict[int, Profile]:
    """The profile of each prepared column that splits compare with `thresholds`, by position in the matrix."""
    columns = {j: prober.preparation.columns[j] for j in thresholds}
    kinds = {j: prober.input[column.raw][0] for j, column in columns.items()}
    levelled = {j: columns[j] for j in columns if kinds[j] == "categories"}
    found = _categories(prober, levelled, thresholds, nullable)
    wanted = {j: columns[j] for j in columns if kinds[j] == "numbers"}
    return found | _numbers(prober, wanted, thresholds, real, nullable)


def _categories(
    prober: Prober,
    columns: Mapping[int, Column],
    thresholds: Mapping[int, NDArray[np.float32]],
    nullable: Mapping[int, bool],
) -> dict[int, Profile]:
    if not columns:
        return {}
    places = list(columns)
    asked: dict[int, list[str]] = {}
    for raw in {column.raw for column in columns.values()}:
        levels = list(prober.table.levels[raw])
        unseen = levels[:1] * 2 if raw in prober.table.closed else UNSEEN  # no request has a level that is refused
        asked[raw] = [*levels, MISSING_CATEGORY if nullable[raw] else unseen[0], *unseen]
    try:
        seen = prober.ask(asked, places)
    except (ValueError, TypeError) as fault:
        said = said_of(fault)
        raise ExportRefused(
            f"categories: the pipeline raises for levels of its own rows ({said}); correct that step"
        ) from None
    found = {}
    for place, j in enumerate(places):
        values = seen[: len(asked[columns[j].raw]), place]
        if not np.array_equal(values[-1:], values[-2:-1], equal_nan=True):
            name = prober.table.columns[columns[j].raw].name
            raise ExportRefused(f"{name}: {columns[j].way} answers differently for two levels that it has not seen")
        none = np.empty(0)
        found[j] = Profile(columns[j].raw, none, none.astype(np.int64), MISSING, values[:-1], thresholds[j])
    return found


def _numbers(
    prober: Prober,
    columns: Mapping[int, Column],
    thresholds: Mapping[int, NDArray[np.float32]],
    real: Mapping[str, NDArray[Any]],
    nullable: Mapping[int, bool],
) -> dict[int, Profile]:
    if not columns:
        return {}
    places = list(columns)
    at = {j: place for place, j in enumerate(places)}
    seeds = {j: _seeds(prober, j, columns[j], real, places) for j in places}

    def code_at(asked: Mapping[int, NDArray[np.float64]]) -> dict[int, NDArray[np.int64]]:
        """The code of each prepared column at its own numbers."""
        if not asked:
            return {}
        rows: dict[int, list[NDArray[np.float64]]] = {}
        start: dict[int, int] = {}
        for j, x in asked.items():
            its = rows.setdefault(columns[j].raw, [])
            start[j] = sum(map(len, its))
            its.append(x)
        try:
            seen = prober.ask({raw: np.concatenate(its) for raw, its in rows.items()}, places)
        except (ValueError, TypeError) as fault:
            raise _raises(prober, {raw: np.concatenate(its) for raw, its in rows.items()}, places, fault) from None
        return {j: codes(seen[start[j] : start[j] + len(x), at[j]], thresholds[j]) for j, x in asked.items() if len(x)}

    is_boolean = {j: prober.table.columns[columns[j].raw].type == "boolean" for j in places}
    cuts = _settled(code_at, _cuts(code_at, {j: its for j, its in seeds.items() if not is_boolean[j]}))
    cuts |= _booleans_cuts(code_at, [j for j in places if is_boolean[j]])
    missing = {j: np.full(1, np.nan if nullable[columns[j].raw] else seeds[j][0]) for j in places}
    of_missing = code_at(missing)
    # A segment's code is that at its lower cut; of the first, at the lowest seed.
    starts = {j: np.concatenate([seeds[j][:1], cuts[j]]) for j in places}
    of_segments = code_at(starts)
    return {
        j: Profile(
            columns[j].raw, cuts[j], of_segments[j], int(of_missing[j][0]), np.empty(0, np.float32), thresholds[j]
        )
        for j in places
    }


def _booleans_cuts(
    code_at: Callable[[Mapping[int, NDArray[np.float64]]], dict[int, NDArray[np.int64]]], columns: Sequence[int]
) -> dict[int, NDArray[np.float64]]:
    """The cut at 1 where the code of 0 is another; no pipeline is asked for what is between."""
    codes_ = code_at(dict.fromkeys(columns, np.array([0.0, 1.0])))
    return {j: np.array([1.0] if codes_[j][0] != codes_[j][1] else [], dtype=np.float64) for j in columns}


def _raises(
    prober: Prober, asked: Mapping[int, NDArray[np.float64]], places: Sequence[int], fault: Exception
) -> ExportRefused:
    """The refusal of a pipeline that raises for some of these numbers, naming the first."""
    for raw, its in asked.items():
        for x in np.unique(its[:SEEDS]).tolist():
            if said := prober.refusal(raw, x, places[:1]):
                return _raises_for(prober, raw, repr(x), said)
    return ExportRefused(f"the pipeline raises for numbers near those of its rows ({fault}); correct that step")


def _cuts(
    code_at: Callable[[Mapping[int, NDArray[np.float64]]], dict[int, NDArray[np.int64]]],
    seeds: Mapping[int, NDArray[np.float64]],
) -> dict[int, NDArray[np.float64]]:
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


def _settled(
    code_at: Callable[[Mapping[int, NDArray[np.float64]]], dict[int, NDArray[np.int64]]],
    cuts: Mapping[int, NDArray[np.float64]],
) -> dict[int, NDArray[np.float64]]:
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


def _seeds(
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
            raise _raises(prober, {column.raw: ends}, places, fault) from None
    return prober.seeds[key]


def _found_seeds(
    prober: Prober, column: Column, real: Mapping[str, NDArray[Any]], places: Sequence[int]
) -> NDArray[np.float64]:
    observed = real["numbers"][:, prober.input[column.raw][1]]
    observed = observed[np.isfinite(observed)]
    if column.raw not in prober.ends:
        prober.ends[column.raw] = tuple(_farthest(prober, column.raw, sign, places) for sign in (-1.0, 1.0))
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

    cuts = _cuts(code_at, {0: seeds})[0]
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


def _farthest(prober: Prober, raw: int, sign: float, places: Sequence[int]) -> float:
    """The number farthest from zero that the pipeline takes. Raises ExportRefused where that is near."""
    said = None
    for far in FARTHEST:
        said = prober.refusal(raw, sign * far, list(places)[:1])
        if said is None:
            return sign * far
    raise _raises_for(prober, raw, f"{sign * FARTHEST[-1]:g}", str(said))


def _raises_for(prober: Prober, raw: int, number: str, said: str) -> ExportRefused:
    unknown = "unknown categories" in said
    remedy = "set the encoder's handle_unknown (set_params does without a fit)" if unknown else ""
    return ExportRefused(
        f"{prober.table.columns[raw].name}: the pipeline raises for {number} ({said}), and a served model has to "
        f"answer every number; {remedy or 'clip it in front of that step and fit again'}"
    )
