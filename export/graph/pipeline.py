"""The fitted pipeline as one graph.

Inputs `numbers` float64 [N, n] and, where there are string features, `categories` string [N, c]: raw columns.
Outputs `probability` float64 [N] and `margin` float32 [N, k].
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn.pipeline import Pipeline

from export.converters.classifier import boosters_of, convert_classifier
from export.converters.graph import ContractGraph
from export.converters.preparation import convert_preparation
from export.converters.trees import convert_margins, isolate_missing, routes_of
from export.documents import TravelledLevel, TravelledSplit
from export.refusal import ExportRefused
from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.preparation import POOL, Preparation
from training.estimator.raw_thresholds import fold_log1p
from trees.ensemble import Ensemble, read_ensemble


@dataclass(frozen=True)
class Contract:
    """The graph, and the facts about it that the certificate needs."""

    model: onnx.ModelProto
    ensembles: tuple[Ensemble, ...]  # as the graph has them: log1p moved into the thresholds
    calibrations: tuple[tuple[Any, str, str], ...]  # each calibrator, the tensor that it reads and the one it makes
    mean_of_margins: bool  # one calibrator reads the float64 mean; otherwise each reads its own float32
    margins: tuple[str, ...]  # the tensor of each booster's margin


def build(pipeline: Pipeline) -> Contract:
    """Convert a pipeline of Preparation and a classifier. Raises ExportRefused, by name, for anything else."""
    if len(pipeline) != 2 or not isinstance(pipeline[0], Preparation):
        steps = " → ".join(type(step).__name__ for _, step in pipeline.steps)
        raise ExportRefused(
            f"pipeline {steps} is not supported here: expected Preparation and a classifier. For a pipeline of your "
            "own call export.converters.registration.register() and then skl2onnx.to_onnx"
        )
    preparation, classifier = pipeline[0], pipeline[1]
    ensembles = tuple(fold_log1p(read_ensemble(booster), preparation) for booster in boosters_of(classifier))
    graph = ContractGraph()
    columns = convert_preparation(graph, preparation, routes_of(ensembles), bounded=isolate_missing(ensembles))
    margins = convert_margins(graph, columns, ensembles)
    answers = convert_classifier(graph, classifier, margins)
    margin = margins[0] if len(margins) == 1 else graph.node("Concat", *margins, axis=1)
    graph.rename(margin, "margin")
    flat = graph.constant(np.array([-1], dtype=np.int64))
    alone = not answers.calibrations  # an XGBClassifier's own probability is float32
    second = graph.node("Cast", answers.second, to=TensorProto.DOUBLE) if alone else answers.second
    probability = graph.node("Reshape", second, flat)
    graph.rename(probability, "probability")
    inputs = [_tensor("numbers", TensorProto.DOUBLE, len(preparation.numbers))]
    if preparation.vocabularies_:
        inputs.append(_tensor("categories", TensorProto.STRING, len(preparation.vocabularies_)))
    outputs = [
        helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["N"]),
        _tensor("margin", TensorProto.FLOAT, len(ensembles)),
    ]
    doc = "Probability of default, and each booster's margin in log-odds, from raw columns. NaN and '' are missing."
    calibrations = tuple((calibrator, "margin" if x == margin else x, p) for calibrator, x, p in answers.calibrations)
    mean_of_margins = isinstance(classifier, CrossFittedClassifier)
    named = ("margin",) if len(margins) == 1 else tuple(margins)
    return Contract(graph.model(inputs, outputs, doc), ensembles, calibrations, mean_of_margins, named)


def cut(model: onnx.ModelProto, reads: Mapping[str, type[np.floating[Any]]], makes: str) -> onnx.ModelProto:
    """The part of a graph between some of its tensors [N, 1] and another one, float64, as a model of its own.

    Raises ExportRefused where that part reads anything else.
    """
    wanted, nodes = {makes}, []
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            nodes.append(node)
            wanted.update(name for name in node.input if name not in reads)
    constants = [tensor for tensor in model.graph.initializer if tensor.name in wanted]
    made = {name for node in nodes for name in node.output} | {tensor.name for tensor in constants}
    if others := wanted - made - {""}:
        raise ExportRefused(f"{makes} is made of {', '.join(sorted(others))} too, not only of {', '.join(reads)}")
    graph = helper.make_graph(
        nodes[::-1],
        "part",
        [_tensor(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), 1) for name, dtype in reads.items()],
        [helper.make_tensor_value_info(makes, TensorProto.DOUBLE, None)],
        constants,
    )
    return helper.make_model(graph, ir_version=model.ir_version, opset_imports=model.opset_import)


def _tensor(name: str, kind: int, columns: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, ["N", columns])


def travelled_splits(
    contract: Contract, preparation: Preparation, count: int = 24
) -> list[TravelledSplit | TravelledLevel]:
    """The most travelled splits, each as a condition on raw columns for runtime.branches.

    A split's weight is the sum over its places in the trees of 2^-depth. Splits on a pool are left out: a condition
    of the runtime names one level.
    """
    visits: dict[tuple[int, float], float] = {}
    for ensemble in contract.ensembles:
        for tree in ensemble.trees:
            stack = [(0, 1.0)]
            while stack:
                node, share = stack.pop()
                if tree.left[node] < 0:
                    continue
                split = (int(tree.feature[node]), float(tree.threshold[node]))
                if np.isfinite(tree.threshold[node]):
                    visits[split] = visits.get(split, 0.0) + share
                stack += [(int(tree.left[node]), share / 2), (int(tree.right[node]), share / 2)]
    members, indicators = preparation.raw_columns()
    conditions: list[TravelledSplit | TravelledLevel] = []
    pools = {len(members) + i for i, (_, level) in enumerate(indicators) if level is POOL}
    named = [split for split in visits if split[0] not in pools]
    for column, threshold in sorted(named, key=lambda split: -visits[split])[:count]:
        if column < len(members):
            conditions.append({"numbers": members[column], "below": threshold})
        else:
            position, level = indicators[column - len(members)]
            if level is not POOL:
                conditions.append({"category": position, "is": level})
    return conditions
