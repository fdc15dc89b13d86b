"""Exact calibrators and trees for a pipeline of your own: call `register()`, then `skl2onnx.to_onnx` as always.

A model of any other kind goes to the earlier converter, as if nothing had been registered: the parser of a class looks
at the model, and so does the converter under the former name of the class, which other converters (of stacking, voting,
searches) call without a parser.

>>> from export.converters.registration import register
>>> register()
>>> # onnx_model = skl2onnx.to_onnx(pipeline, initial_types=[("x", DoubleTensorType([None, n]))])
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from xgboost import XGBClassifier

from export.converters import operators
from export.converters.private import (
    converters,
    operator_names,
    parse_simple,
    parse_sklearn,
    parsers,
    register_converter,
    register_shape_calculator,
    shape_calculators,
)
from export.refusal import ExportRefused
from training.estimator.crossfit import CrossFittedClassifier

SEARCHES = (GridSearchCV, RandomizedSearchCV)
OPTIONS = {"zipmap": [True, False], "nocl": [True, False], "output_class_labels": [False]}


@dataclass(frozen=True)
class _Before:
    """skl2onnx's earlier converter of a class; None if it had none."""

    name: str | None
    parser: Any
    converter: Any


_BEFORE: dict[type, _Before] = {}


def register(*subclasses: type[XGBClassifier]) -> None:
    """Make skl2onnx use this project's exact converters for the rest of this process.

    It covers XGBClassifier and its subclasses, CalibratedClassifierCV over it (sigmoid or isotonic, ensemble or not,
    FrozenEstimator, a Pipeline as its base) and CrossFittedClassifier, each with two classes; and SimpleImputer of
    float64 numbers. Other models of these classes are converted as before.

    The graph's outputs are `label` [N] and `probabilities` [N, 2] (float64 where a calibrator made them), always as
    plain tensors: no ZipMap. Declare number inputs as DoubleTensorType: scikit-learn prepares in float64, and the
    trees round to float32 by themselves, as XGBoost does.

    What cannot be exported exactly raises ExportRefused during `to_onnx`.
    """
    for kind in (CalibratedClassifierCV, CrossFittedClassifier, FrozenEstimator, *_tree(XGBClassifier), *subclasses):
        before = _remember(kind)
        alias = operators.alias_of(kind)
        register_converter(alias, operators.convert, overwrite=True, options=OPTIONS)
        register_shape_calculator(alias, operators.set_shapes, overwrite=True)
        parsers[kind] = _parse
        if before.name is None:
            operator_names[kind] = alias
        else:
            options = before.converter.get_allowed_options()
            register_converter(before.name, _either(before.converter), overwrite=True, options=options)
    for kind in SEARCHES:
        _remember(kind)
        parsers[kind] = _parse
    _remember(SimpleImputer)
    alias = operators.alias_of(SimpleImputer)
    register_converter(alias, operators.convert_imputer, overwrite=True)
    register_shape_calculator(alias, operators.set_imputed_shape, overwrite=True)
    parsers[SimpleImputer] = _parse_imputer


def unregister() -> None:
    """Give skl2onnx back the converters that it had before `register`, in this process."""
    for kind, before in _BEFORE.items():
        _put_back(operator_names, kind, before.name)
        _put_back(parsers, kind, before.parser)
        if before.name is not None:
            converters[before.name] = before.converter
        converters.pop(operators.alias_of(kind), None)
        shape_calculators.pop(operators.alias_of(kind), None)
    _BEFORE.clear()


def _put_back(registered: dict[type, Any], kind: type, former: Any) -> None:
    if former is None:
        registered.pop(kind, None)
    else:
        registered[kind] = former


def _tree(kind: type) -> Iterator[type]:
    """A class and all that are derived from it at this moment."""
    yield kind
    subclasses: list[type] = kind.__subclasses__()
    for derived in subclasses:
        yield from _tree(derived)


def _remember(kind: type) -> _Before:
    """Converter of a class before `register`; a later registration by others counts anew."""
    if kind not in _BEFORE or parsers.get(kind) not in (_parse, _parse_imputer):
        name = operator_names.get(kind)
        _BEFORE[kind] = _Before(name, parsers.get(kind), None if name is None else converters.get(name))
    return _BEFORE[kind]


def _parse(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> Any:
    """Declare the exact operator of a model of ours; all else is parsed as it was before."""
    if operators.is_ours(model):
        if isinstance(model, SEARCHES):
            if options := scope.get_options(model):
                scope.add_options(id(model.best_estimator_), options)
            return parse_sklearn(scope, model.best_estimator_, inputs, custom_parsers=custom_parsers)
        return operators.parse(scope, model, inputs, custom_parsers)
    if isinstance(model, FrozenEstimator):
        return parse_sklearn(scope, model.estimator, inputs, custom_parsers=custom_parsers)
    return _parse_as_before(scope, model, inputs, custom_parsers)


def _parse_imputer(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> Any:
    if operators.is_our_imputer(model, inputs):
        alias = operators.alias_of(SimpleImputer)
        return parse_simple(scope, model, inputs, custom_parsers=custom_parsers, alias=alias)
    return _parse_as_before(scope, model, inputs, custom_parsers)


def _parse_as_before(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any) -> Any:
    before = _BEFORE[type(model)]
    if before.parser is not None:
        return before.parser(scope, model, inputs, custom_parsers=custom_parsers)
    if before.name is None:
        raise ExportRefused(
            f"{type(model).__name__} of this kind is not supported: expected two classes, over XGBClassifier"
        )
    return parse_simple(scope, model, inputs, custom_parsers=custom_parsers)


def _either(stock: Callable[[Any, Any, Any], None]) -> Callable[[Any, Any, Any], None]:
    """The exact converter for a model of ours, and the stock one for any other."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        (operators.convert if operators.is_ours(operator.raw_operator) else stock)(scope, operator, container)

    return convert
