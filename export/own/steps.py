"""Fitted transformers that make each column of one column alone, and where such a function may turn.

Nothing here computes what a transformer answers: the fitted object is asked (export.own.profile). What it cannot say
is which raw column stands behind an output, and between which points a function only rises or only falls; that is
written down here, type by type. Any other type is refused by name.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
)
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from export.converters.private import operator_names
from export.own.encoders import NAMES, is_level_encoder, levels_by_column
from export.own.faults import said_of
from export.own.marked import MarkedMissing
from export.refusal import ExportRefused
from table.cells import iso_of

# NumPy functions of one number, and the points at which they turn or leave the real numbers.
FUNCTIONS: dict[Any, tuple[float, ...]] = {
    np.absolute: (0.0,),
    np.arcsinh: (),
    np.arctan: (),
    np.cbrt: (),
    np.ceil: (),
    np.clip: (),
    np.exp: (),
    np.exp2: (),
    np.expm1: (),
    np.fabs: (0.0,),
    np.floor: (),
    np.isnan: (),
    np.log: (0.0,),
    np.log10: (0.0,),
    np.log1p: (-1.0,),
    np.log2: (0.0,),
    np.nan_to_num: (),
    np.negative: (),
    np.reciprocal: (0.0,),
    np.rint: (),
    np.round: (),
    np.sign: (),
    np.sinh: (),
    np.sqrt: (0.0,),
    np.square: (0.0,),
    np.tanh: (),
    np.trunc: (),
}


class Output(NamedTuple):
    """One output column of a transformer: the input column that it is made of, and its points.

    A point is a number at which the function may turn or jump aside, or a level that a category may have.
    """

    input: int
    points: tuple[float | str, ...] = ()
    unchanged: bool = False
    """True for a column that passes through as it is."""


def outputs_of(step: Any, width: int, where: str) -> list[Output]:
    """The output columns of a fitted transformer of `width` columns. Raises ExportRefused, by name, for another."""
    known = _known(type(step))
    if known is None:
        close = " or accept what is only close (--tolerance)," if type(step) in operator_names else ""
        named = sorted({*(kind.__name__ for kind in KNOWN), *NAMES, "BinningProcess"})
        raise ExportRefused(
            f"{where}: {_named(type(step))} is not supported: expected transformers that make each column of one "
            f"column alone ({', '.join(named)}); write it as one of them,{close} or train with python -m training.run"
        )
    try:
        return known(step, width, where)
    except AttributeError as fault:
        raise ExportRefused(f"{where}: {said_of(fault)}: the installed scikit-learn fits it in another way") from None


def _known(kind: type) -> Callable[[Any, int, str], list[Output]] | None:
    """Function that describes the outputs of a transformer of that class; None for an unknown class."""
    if _is_binning_process(kind):
        return _binning_process
    if kind is MarkedMissing:  # one that no user writes
        return _marked
    return _level_encoded if is_level_encoder(kind) else KNOWN.get(kind)


def _named(kind: type) -> str:
    """The name of a class, and its library where scikit-learn has one of the same name."""
    same = any(kind.__name__ == known.__name__ for known in KNOWN)
    return f"{kind.__name__} of {kind.__module__.partition('.')[0]}" if same else kind.__name__


def _one_to_one(step: Any, width: int, where: str) -> list[Output]:
    return [Output(i) for i in range(width)]


def _selected(step: Any, width: int, where: str) -> list[Output]:
    return [Output(int(i)) for i in step.get_support(indices=True)]


def _imputed(step: Any, width: int, where: str) -> list[Output]:
    points = _points([step.missing_values])
    if step.strategy == "constant":
        kept = list(range(width))
    else:
        empty = [isinstance(value, float) and np.isnan(value) for value in step.statistics_.tolist()]
        kept = [i for i in range(width) if step.keep_empty_features or not empty[i]]
    filled = _points([] if step.statistics_.dtype.kind in "fiu" else step.statistics_)
    found = [Output(i, points + filled[i : i + 1] if len(filled) == width else points) for i in kept]
    return found + (_indicated(step.indicator_, width, where) if step.add_indicator else [])


def _indicated(step: Any, width: int, where: str) -> list[Output]:
    return [Output(int(i), _points([step.missing_values])) for i in step.features_]


def _marked(step: Any, width: int, where: str) -> list[Output]:
    return [Output(i, step.points) for i in range(width)]


def _one_hot(step: Any, width: int, where: str) -> list[Output]:
    found = []
    pooled: list[Any] = step.infrequent_categories_ if _pools(step) else [None] * width
    for i, levels in enumerate(step.categories_):
        rare = 0 if pooled[i] is None else len(pooled[i])
        dropped = step.drop_idx_ is not None and step.drop_idx_[i] is not None
        found += [Output(i, _points(levels))] * (len(levels) - rare + (rare > 0) - dropped)
    return found


def _pools(step: Any) -> bool:
    return step.min_frequency is not None or step.max_categories is not None


def _encoded(step: Any, width: int, where: str) -> list[Output]:
    return [Output(i, _points(levels)) for i, levels in enumerate(step.categories_)]


def _target_encoded(step: Any, width: int, where: str) -> list[Output]:
    if step.target_type_ == "multiclass":
        raise ExportRefused(f"{where}: TargetEncoder of several classes is not supported: expected a binary target")
    return _encoded(step, width, where)


def _binned(step: Any, width: int, where: str) -> list[Output]:
    if step.encode == "ordinal":
        return [Output(i) for i in range(width)]
    return [Output(i, _points(step.bin_edges_[i])) for i in range(width) for _ in range(int(step.n_bins_[i]))]


def _function(step: Any, width: int, where: str) -> list[Output]:
    if step.func is None:
        return [Output(i) for i in range(width)]
    try:
        points = FUNCTIONS[step.func]
    except (KeyError, TypeError):
        name = getattr(step.func, "__name__", type(step.func).__name__)
        known = ", ".join(sorted(function.__name__ for function in FUNCTIONS))
        raise ExportRefused(
            f"{where}: FunctionTransformer of {name} is not supported: expected a NumPy function of one number "
            f"({known}); write it as one of them"
        ) from None
    if step.kw_args and isinstance(step.func, np.ufunc):
        raise ExportRefused(
            f"{where}: FunctionTransformer with kw_args={step.kw_args} is not supported: leave them out"
        )
    return [Output(i, points) for i in range(width)]


def _is_binning_process(kind: type) -> bool:
    """True for optbinning's, which is not imported for that: it takes a second."""
    return kind.__name__ == "BinningProcess" and kind.__module__.startswith("optbinning.")


def _binning_process(step: Any, width: int, where: str) -> list[Output]:
    """Weights of evidence: a value for each bin, between splits of a number or for a group of levels."""
    if len(step.variable_names) != width:
        raise ExportRefused(
            f"{where}: BinningProcess expected the {len(step.variable_names)} columns of its fit, got {width}"
        )
    special = step.special_codes.values() if isinstance(step.special_codes, dict) else step.special_codes
    found = []
    for place in step.get_support(indices=True).tolist():
        splits = step.get_binned_variable(step.variable_names[place]).splits
        points = [point for split in splits for point in np.ravel(np.asarray(split, dtype=object)).tolist()]
        found.append(Output(place, _points([*points, *(special if special is not None else ())])))
    return found


def _level_encoded(step: Any, width: int, where: str) -> list[Output]:
    """Weights of evidence or shares of defaults: a value for each level."""
    by_column = levels_by_column(step, width, where)
    return [Output(i, _points(levels or ()), unchanged=levels is None) for i, levels in by_column.items()]


def _points(values: Any) -> tuple[float | str, ...]:
    """The numbers, texts and ISO dates among some values, without the missing ones."""
    found: list[float | str] = []
    is_dated = isinstance(values, np.ndarray) and values.dtype.kind == "M"
    for value in values if is_dated else np.asarray(values, dtype=object).tolist():
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, date | np.datetime64):
            found += [iso_of(value)] if value == value else []  # NaT is not itself
        elif isinstance(value, int | float | np.number) and np.isfinite(value):
            found.append(float(value))
    return tuple(found)


# Exact types: a subclass may answer differently.
KNOWN: dict[type, Callable[[Any, int, str], list[Output]]] = {
    **dict.fromkeys((Binarizer, MaxAbsScaler, MinMaxScaler, PowerTransformer, QuantileTransformer), _one_to_one),
    **dict.fromkeys((RobustScaler, StandardScaler), _one_to_one),
    **dict.fromkeys((RFE, RFECV, SelectFromModel, SequentialFeatureSelector, VarianceThreshold), _selected),
    **dict.fromkeys(
        (GenericUnivariateSelect, SelectFdr, SelectFpr, SelectFwe, SelectKBest, SelectPercentile), _selected
    ),
    FunctionTransformer: _function,
    KBinsDiscretizer: _binned,
    MissingIndicator: _indicated,
    OneHotEncoder: _one_hot,
    OrdinalEncoder: _encoded,
    SimpleImputer: _imputed,
    TargetEncoder: _target_encoded,
}
