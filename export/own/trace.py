"""Which raw column stands behind each column of a prepared matrix, and by which steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from export.own.marked import MarkedMissing
from export.own.steps import outputs_of
from export.refusal import ExportRefused
from trees.levels import LevelSet


@dataclass(frozen=True)
class Stage:
    """One fitted transformer of `width` columns, on the way of one column through it."""

    step: Any
    width: int
    input: int
    output: int
    points: tuple[float | str, ...]


@dataclass(frozen=True, eq=False)
class Mixed:
    """Fitted steps that make columns of several: a graph computes them too, and is only close (export.own.mixed)."""

    step: Any
    raws: tuple[int, ...]
    """The raw columns that come in, in order."""
    where: str


@dataclass(frozen=True)
class Column:
    """A column of the prepared matrix: the raw column behind it, and the transformers that it came through."""

    raw: int
    """The first one, of steps that mix columns."""
    stages: tuple[Stage, ...] = ()
    way: str = ""
    """The names of the steps, for people."""
    mixed: Mixed | None = None
    place: int = 0
    """Which of the columns of `mixed` it is."""
    levels: LevelSet | None = None
    """Levels of a 0/1 column that stands for splits on a category of the matrix."""

    @property
    def raws(self) -> tuple[int, ...]:
        """All raw columns behind it."""
        return (self.raw,) if self.mixed is None else self.mixed.raws


class StepRefused(ExportRefused):
    """A step that is not supported, by its place, and the raw columns that it reads."""

    def __init__(self, message: str, where: str, raws: tuple[int, ...]) -> None:
        super().__init__(message)
        self.where, self.raws = where, raws


Width = Callable[[Any, Sequence[int]], int]


def trace(steps: Sequence[tuple[str, Any]], names: Sequence[str], width_of: Width | None = None) -> list[Column]:
    """The columns that the steps make of raw columns with these names. Raises ExportRefused, by name.

    Where `width_of` is given, steps that mix columns are taken as they are; it says how many columns fitted steps
    make of raw columns at some positions.
    """
    columns = [Column(raw) for raw in range(len(names))]
    taken: list[tuple[str, Any]] = []
    try:
        for name, step in steps:
            columns = _through(step, columns, name, width_of)
            taken.append((name, step))
    except ExportRefused:
        if width_of is None or not taken:
            raise
        if isinstance(steps[-1][1], MarkedMissing):
            raise _behind_mixed(steps[-1][1], "") from None
        return _mixed(
            Pipeline(list(steps)), [Column(raw) for raw in range(len(names))], " → ".join(n for n, _ in steps), width_of
        )
    return columns


def _through(step: Any, columns: list[Column], where: str, width_of: Width | None = None) -> list[Column]:
    """Through one step; where it mixes columns that no other step has changed before, as one that is only close."""
    try:
        return _apart(step, columns, where, width_of)
    except ExportRefused:
        if width_of is None or any(column.stages or column.mixed for column in columns):
            raise
        return _mixed(step, columns, where, width_of)


def _mixed(step: Any, columns: list[Column], where: str, width_of: Width) -> list[Column]:
    raws = tuple(column.raw for column in columns)
    mixed = Mixed(step, raws, where)
    last = step.steps[-1][1] if isinstance(step, Pipeline) else step
    way = f"{where} ({type(last).__name__})"
    return [Column(raws[0], (), way, mixed, place) for place in range(width_of(step, raws))]


def _apart(step: Any, columns: list[Column], where: str, width_of: Width | None) -> list[Column]:
    while isinstance(step, FrozenEstimator):
        step = step.estimator
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return columns
    if type(step) is Pipeline:
        for name, part in step.steps:
            columns = _through(part, columns, f"{where} → {name}", width_of)
        return columns
    if type(step) is FeatureUnion:
        parts = [(name, part) for name, part in step.transformer_list if not _dropped(part)]
        return [column for name, part in parts for column in _through(part, columns, f"{where} → {name}", width_of)]
    if type(step) is ColumnTransformer:
        return _through_parts(step, columns, where, width_of)
    try:
        outputs = outputs_of(step, len(columns), where)
    except ExportRefused as refusal:
        raws = tuple(raw for column in columns for raw in column.raws)
        raise StepRefused(str(refusal), f"{where} ({type(step).__name__})", raws) from None
    if any(column.mixed for column in columns):
        raise _behind_mixed(step, where)
    if (expected := getattr(step, "n_features_in_", len(columns))) != len(columns):
        raise ExportRefused(
            f"{where}: {type(step).__name__} expected the {expected} columns of its fit, got {len(columns)}"
        )
    if type(step).__name__ == "FunctionTransformer" and step.func is None:
        return columns
    return [
        columns[output.input]
        if output.unchanged
        else replace(
            columns[output.input],
            stages=(*columns[output.input].stages, Stage(step, len(columns), output.input, place, output.points)),
            way=f"{where} ({type(step).__name__})",
        )
        for place, output in enumerate(outputs)
    ]


def _behind_mixed(step: Any, where: str) -> ExportRefused:
    if isinstance(step, MarkedMissing):
        return ExportRefused(
            f"missing={step.number:g} of XGBClassifier behind steps that mix columns is not supported: replace the "
            "number by NaN in the data and fit again"
        )
    return ExportRefused(f"{where}: {type(step).__name__} behind steps that mix columns is not supported")


def _through_parts(step: ColumnTransformer, columns: list[Column], where: str, width_of: Width | None) -> list[Column]:
    found: list[Column] = []
    for name, part, chosen in step.transformers_:
        if _dropped(part):
            continue
        its = [columns[place] for place in _places(step, chosen, len(columns))]
        if its:
            found += _through(part, its, f"{where} → {name}", width_of)
    return found


def _dropped(part: Any) -> bool:
    return isinstance(part, str) and part == "drop"


def _places(step: ColumnTransformer, chosen: Any, width: int) -> list[int]:
    """The positions of columns that are named, numbered, sliced or masked."""
    positions = list(range(width))
    names = list(getattr(step, "feature_names_in_", ()))
    if isinstance(chosen, slice) and any(isinstance(end, str) for end in (chosen.start, chosen.stop)):
        first = names.index(chosen.start) if chosen.start is not None else 0
        last = names.index(chosen.stop) + 1 if chosen.stop is not None else width  # names include their end
        return positions[slice(first, last, chosen.step)]
    if isinstance(chosen, slice):
        return positions[chosen]
    listed = [chosen] if isinstance(chosen, str | int | np.integer) else list(chosen)
    if any(isinstance(name, str) for name in listed):
        return [names.index(name) for name in listed]
    if listed and isinstance(listed[0], bool | np.bool_):
        return [place for place, taken in zip(positions, listed, strict=True) if taken]
    return [positions[int(place)] for place in listed]
