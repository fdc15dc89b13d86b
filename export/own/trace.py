"""Which raw column stands behind each column of a prepared matrix, and by which steps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from export.own.steps import outputs_of
from export.refusal import ExportRefused


@dataclass(frozen=True)
class Stage:
    """One fitted transformer of `width` columns, on the way of one column through it."""

    step: Any
    width: int
    input: int
    output: int
    points: tuple[float | str, ...]


@dataclass(frozen=True)
class Column:
    """A column of the prepared matrix: the raw column behind it, and the transformers that it came through."""

    raw: int
    stages: tuple[Stage, ...] = ()
    way: str = ""
    """The names of the steps, for people."""


def trace(steps: Sequence[tuple[str, Any]], names: Sequence[str]) -> list[Column]:
    """The columns that the steps make of raw columns with these names. Raises ExportRefused, by name."""
    columns = [Column(raw) for raw in range(len(names))]
    for name, step in steps:
        columns = _through(step, columns, name)
    return columns


def _through(step: Any, columns: list[Column], where: str) -> list[Column]:
    while isinstance(step, FrozenEstimator):
        step = step.estimator
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return columns
    if type(step) is Pipeline:
        for name, part in step.steps:
            columns = _through(part, columns, f"{where} → {name}")
        return columns
    if type(step) is FeatureUnion:
        parts = [(name, part) for name, part in step.transformer_list if not _dropped(part)]
        return [column for name, part in parts for column in _through(part, columns, f"{where} → {name}")]
    if type(step) is ColumnTransformer:
        return _through_parts(step, columns, where)
    outputs = outputs_of(step, len(columns), where)
    if (expected := getattr(step, "n_features_in_", len(columns))) != len(columns):
        raise ExportRefused(f"{where}: {type(step).__name__} was fitted on {expected} columns, and {len(columns)} come")
    if type(step).__name__ == "FunctionTransformer" and step.func is None:
        return columns
    return [
        replace(
            columns[output.input],
            stages=(*columns[output.input].stages, Stage(step, len(columns), output.input, place, output.points)),
            way=f"{where} ({type(step).__name__})",
        )
        for place, output in enumerate(outputs)
    ]


def _through_parts(step: ColumnTransformer, columns: list[Column], where: str) -> list[Column]:
    found: list[Column] = []
    for name, part, chosen in step.transformers_:
        if _dropped(part):
            continue
        its = [columns[place] for place in _places(step, chosen, len(columns))]
        if its:
            found += _through(part, its, f"{where} → {name}")
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
