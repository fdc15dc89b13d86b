"""Exact calibrators and trees for a pipeline of your own: call `register()`, then `skl2onnx.to_onnx` as always.

>>> from export.converters.registration import register
>>> register()
>>> # onnx_model = skl2onnx.to_onnx(pipeline, initial_types=[("x", DoubleTensorType([None, n]))])
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from export.converters.classifier import boosters_of, convert_classifier
from export.converters.graph import Graph, SklearnGraph
from export.converters.private import operator_names, parse_sklearn, parsers
from export.converters.trees import convert_margins, with_copies
from export.refusal import ExportRefused
from training.estimator.boosting import MarginXGBClassifier
from training.estimator.crossfit import CrossFittedClassifier
from trees.ensemble import read_ensemble

# What skl2onnx had for each class before: the name of its converter, and its parser; None where it had none.
_BEFORE: dict[type, tuple[Any, Any]] = {}
CLASSIFIERS = (
    CalibratedClassifierCV,
    CrossFittedClassifier,
    FrozenEstimator,
    MarginXGBClassifier,
    XGBClassifier,
)


def register(*subclasses: type[XGBClassifier]) -> None:
    """Makes skl2onnx use this project's exact converters, in this process, for all that follows.

    It covers XGBClassifier, CalibratedClassifierCV over it (sigmoid or isotonic, ensemble or not, FrozenEstimator, a
    Pipeline as its base), CrossFittedClassifier, and the subclasses of XGBClassifier that are named.

    The graph's outputs are `label` [N] and `probabilities` [N, 2] (float64 where a calibrator made them), always as
    plain tensors: no ZipMap. Declare number inputs as DoubleTensorType: scikit-learn prepares in float64, and the
    trees round to float32 by themselves, as XGBoost does.

    What cannot be exported exactly raises ExportRefused during `to_onnx`.
    """
    for kind in (*CLASSIFIERS, *subclasses, SimpleImputer):
        _BEFORE.setdefault(kind, (operator_names.get(kind), parsers.get(kind)))
    for classifier in (*CLASSIFIERS, *subclasses):
        update_registered_converter(
            classifier,
            f"Exact{classifier.__name__}",
            _set_shapes,
            _convert,
            parser=_parse,
            options={"zipmap": [True, False], "nocl": [True, False], "output_class_labels": [False]},
        )
    update_registered_converter(SimpleImputer, "ExactSimpleImputer", _set_imputed_shape, _convert_imputer)


def unregister() -> None:
    """Gives skl2onnx back the converters that it had before `register`, in this process."""
    for kind, before in _BEFORE.items():
        for registered, former in zip((operator_names, parsers), before, strict=True):
            if former is None:
                registered.pop(kind, None)
            else:
                registered[kind] = former
    _BEFORE.clear()


def _parse(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:
    """Declares the operator. A base estimator that is a Pipeline brings its own preparation for each booster."""
    operator = scope.declare_local_operator(f"Exact{type(model).__name__}", model)
    operator.matrices = []
    for steps in _preparations(model):
        prepared = inputs
        if steps:
            prepared = parse_sklearn(scope, Pipeline(steps), inputs, custom_parsers=custom_parsers)
        operator.matrices.append([variable.full_name for variable in prepared])
        known = {variable.full_name for variable in operator.inputs}
        for variable in prepared:
            if variable.full_name not in known:
                operator.inputs.append(variable)
    kind = DoubleTensorType if _is_calibrated(model) else FloatTensorType
    label = Int64TensorType() if _integer_classes(model) else StringTensorType()
    operator.outputs.append(scope.declare_local_variable("label", label))
    operator.outputs.append(scope.declare_local_variable("probabilities", kind()))
    return list(operator.outputs)


def _set_shapes(operator: Any) -> None:
    rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type.shape = [rows]
    operator.outputs[1].type.shape = [rows, 2]


def _convert(scope: Any, operator: Any, container: Any) -> None:
    graph = SklearnGraph(scope, container)
    model = operator.raw_operator
    shared: dict[tuple[str, ...], str] = {}
    for names in operator.matrices:
        key = tuple(names)
        if key not in shared:
            shared[key] = _as_matrix(graph, names)
    matrices = [shared[tuple(names)] for names in operator.matrices]
    ensembles = [read_ensemble(booster) for booster in boosters_of(model)]
    if len(shared) == 1:
        margins = convert_margins(graph, with_copies(graph, matrices[0], ensembles), ensembles)
    else:
        margins = [
            margin
            for matrix, ensemble in zip(matrices, ensembles, strict=True)
            for margin in convert_margins(graph, with_copies(graph, matrix, [ensemble]), [ensemble])
        ]
    answers = convert_classifier(graph, model, margins, both_classes=True)
    label, probabilities = operator.outputs
    both = graph.node("Concat", answers.first, answers.second, axis=1)
    container.add_node("Identity", [both], [probabilities.full_name], name=scope.get_unique_operator_name("Identity"))
    likelier = graph.node("ArgMax", both, axis=1, keepdims=0)
    classes = np.asarray(model.classes_)
    if _integer_classes(model):
        labels = graph.constant(classes.astype(np.int64))
    else:
        labels = scope.get_unique_variable_name("classes")
        container.add_initializer(labels, TensorProto.STRING, [2], [str(name).encode() for name in classes])
    container.add_node("Gather", [labels, likelier], [label.full_name], name=scope.get_unique_operator_name("Gather"))


def _set_imputed_shape(operator: Any) -> None:
    variable = operator.inputs[0]
    columns = len(operator.raw_operator.get_feature_names_out())
    operator.outputs[0].type = type(variable.type)([variable.get_first_dimension(), columns])


def _convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """NaN replaced in the input's own dtype; ONNX Runtime has no float64 kernel for skl2onnx's Imputer."""
    imputer = operator.raw_operator
    numbers = isinstance(operator.inputs[0].type, DoubleTensorType | FloatTensorType)
    if not numbers or not np.isscalar(imputer.missing_values) or imputer.missing_values == imputer.missing_values:
        raise ExportRefused("SimpleImputer is supported for number columns with missing_values=NaN only")
    if imputer.add_indicator or np.isnan(imputer.statistics_.astype(float)).any():
        raise ExportRefused("SimpleImputer with add_indicator, or with a column without any value, is not supported")
    graph = SklearnGraph(scope, container)
    dtype = np.float64 if isinstance(operator.inputs[0].type, DoubleTensorType) else np.float32
    x = operator.inputs[0].full_name
    filled = graph.constant(np.asarray(imputer.statistics_, dtype=dtype)[None, :])
    container.add_node(
        "Where",
        [graph.node("IsNaN", x), filled, x],
        [operator.outputs[0].full_name],
        name=scope.get_unique_operator_name("Where"),
    )


# Shape and converter of SimpleImputer for a conversion that registers nothing.
IMPUTER = (_set_imputed_shape, _convert_imputer)


def _as_matrix(graph: Graph, names: Sequence[str]) -> str:
    """All inputs side by side, rounded to float32 as XGBoost rounds them."""
    parts = [graph.node("Cast", name, to=TensorProto.FLOAT) for name in names]
    return parts[0] if len(parts) == 1 else graph.node("Concat", *parts, axis=1)


def _preparations(model: Any) -> list[list[tuple[str, Any]]]:
    """For each booster the steps that run before it inside of `model`."""
    if isinstance(model, FrozenEstimator):
        return _preparations(model.estimator)
    if isinstance(model, CrossFittedClassifier):
        return [[] for _ in model.estimators_]
    if isinstance(model, CalibratedClassifierCV):
        return [steps for fold in model.calibrated_classifiers_ for steps in _preparations(fold.estimator)]
    if isinstance(model, Pipeline):
        return [list(model.steps[:-1])]
    return [[]]


def _is_calibrated(model: Any) -> bool:
    if isinstance(model, FrozenEstimator):
        return _is_calibrated(model.estimator)
    return isinstance(model, CalibratedClassifierCV | CrossFittedClassifier)


def _integer_classes(model: Any) -> bool:
    kind = np.asarray(model.classes_).dtype.kind
    if kind in "iub":
        return True
    if kind in "UO":
        return False
    raise ExportRefused(f"classes {list(model.classes_)} are not supported: expected integers, booleans or strings")
