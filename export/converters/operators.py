"""Operators for skl2onnx of this project's classifiers and imputers, their shapes and nodes.

`is_ours` selects the models; export.converters.registration leaves all others to the earlier converters.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from xgboost import XGBClassifier

from export.converters.classifier import boosters_of, convert_classifier, unwrapped
from export.converters.graph import Graph, SklearnGraph
from export.converters.private import parse_sklearn
from export.converters.trees import convert_margins, with_copies
from export.refusal import ExportRefused
from training.estimator.crossfit import CrossFittedClassifier
from trees.ensemble import read_ensemble


def is_ours(model: Any) -> bool:
    """True for a binary XGBClassifier behind any calibrators, pipelines and searches, and for a cross-fitted one.

    A model that is not fitted is selected too, to be refused in one line.
    """
    while not isinstance(model, CrossFittedClassifier | XGBClassifier):
        folds = getattr(model, "calibrated_classifiers_", None)
        if isinstance(model, CalibratedClassifierCV) and folds:
            model = folds[0].estimator
        elif isinstance(model, Pipeline) and len(model):
            model = model[-1]
        elif isinstance(model, FrozenEstimator) or hasattr(model, "best_estimator_"):
            model = unwrapped(model)
        else:
            return False
    return len(getattr(model, "classes_", "ab")) == 2


def is_our_imputer(imputer: Any, inputs: Sequence[Any]) -> bool:
    """True for a float64 column block with NaN for missing, of which ONNX Runtime's Imputer has no kernel."""
    statistics = getattr(imputer, "statistics_", None)
    if statistics is None or len(inputs) != 1 or not isinstance(inputs[0].type, DoubleTensorType):
        return False
    if not np.isscalar(imputer.missing_values) or imputer.missing_values == imputer.missing_values:
        return False
    return not imputer.add_indicator and not np.isnan(np.asarray(statistics, dtype=np.float64)).any()


def alias_of(kind: type) -> str:
    """The name of an exact operator among skl2onnx's."""
    return f"Exact{kind.__name__}"


def parse(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:
    """Declare the operator. A base estimator that is a Pipeline brings its own preparation for each booster."""
    try:
        check_is_fitted(model)
    except NotFittedError:
        raise ExportRefused(f"{type(model).__name__} is not fitted; call fit first") from None
    operator = scope.declare_local_operator(alias_of(type(model)), model)
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


def set_shapes(operator: Any) -> None:
    """Set the shapes of a classifier's outputs: labels [N], probabilities [N, 2]."""
    rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type.shape = [rows]
    operator.outputs[1].type.shape = [rows, 2]


def convert(scope: Any, operator: Any, container: Any) -> None:
    """Convert a fitted binary classifier, calibrated or not, for skl2onnx."""
    graph = SklearnGraph(scope, container)
    model = operator.raw_operator
    shared: dict[tuple[str, ...], str] = {}
    matrices_of = getattr(operator, "matrices", None) or _undeclared(operator)
    for names in matrices_of:
        key = tuple(names)
        if key not in shared:
            shared[key] = _as_matrix(graph, names)
    matrices = [shared[tuple(names)] for names in matrices_of]
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
    kind = TensorProto.DOUBLE if isinstance(probabilities.type, DoubleTensorType) else TensorProto.FLOAT
    container.add_node("Cast", [both], [probabilities.full_name], name=scope.get_unique_operator_name("Cast"), to=kind)
    likelier = graph.node("ArgMax", both, axis=1, keepdims=0)
    classes = np.asarray(model.classes_)
    if _integer_classes(model):
        labels = graph.constant(classes.astype(np.int64))
    else:
        labels = scope.get_unique_variable_name("classes")
        container.add_initializer(labels, TensorProto.STRING, [2], [str(name).encode() for name in classes])
    container.add_node("Gather", [labels, likelier], [label.full_name], name=scope.get_unique_operator_name("Gather"))


def _undeclared(operator: Any) -> list[list[str]]:
    """The matrices of an operator that another converter has declared: its inputs, for every booster."""
    preparations = _preparations(operator.raw_operator)
    if any(preparations):
        raise ExportRefused(
            f"{type(operator.raw_operator).__name__} over a Pipeline, inside of another ensemble, is not supported: "
            "put the preparation in front of the ensemble"
        )
    return [[variable.full_name for variable in operator.inputs] for _ in preparations]


def set_imputed_shape(operator: Any) -> None:
    """Set the shape and type of an imputer's output, indicators included: [N, columns]."""
    variable = operator.inputs[0]
    columns = len(operator.raw_operator.get_feature_names_out())
    operator.outputs[0].type = type(variable.type)([variable.get_first_dimension(), columns])


def convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """NaN replaced in float64; ONNX Runtime has no float64 kernel for skl2onnx's Imputer."""
    imputer = operator.raw_operator
    graph = SklearnGraph(scope, container)
    x = operator.inputs[0].full_name
    filled = graph.constant(np.asarray(imputer.statistics_, dtype=np.float64)[None, :])
    container.add_node(
        "Where",
        [graph.node("IsNaN", x), filled, x],
        [operator.outputs[0].full_name],
        name=scope.get_unique_operator_name("Where"),
    )


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
