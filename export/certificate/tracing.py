"""The preparation and the trees of an exported graph, read from the graph.

Every column that a tree compares stands for raw numbers: for one of them, or for the largest of several. Each
operator in between (a cast to float32, a choice of columns, a lower bound, minus infinity for NaN and back, a row
maximum, a concatenation) keeps the order of values that are there. So such a column never falls when one of its
numbers rises.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from export.converters.trees import LOWEST
from export.refusal import ExportRefused

ENSEMBLE = "TreeEnsembleRegressor"
PLAIN = {"n_targets": 1, "aggregate_function": b"SUM", "post_transform": b"NONE"}
Constants = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Column:
    """A column of the matrix that trees read."""

    numbers: frozenset[int]  # the positions in the input `numbers` whose largest it is; none: it is of categories
    low: bool = False  # where all of them are missing it is minus infinity, not NaN


@dataclass(frozen=True)
class Trees:
    """The n nodes of one ensemble, tree after tree; children by position, -1 in a leaf."""

    output: str  # the tensor of its margin
    place: NDArray[np.int64]  # [n] of the column that a split compares, in the matrix
    columns: list[Column]  # of the matrix
    splits: NDArray[np.bool_]  # [n] which nodes compare
    threshold: NDArray[np.float32]  # [n]
    left: NDArray[np.int64]  # [n] where values below the threshold go
    right: NDArray[np.int64]  # [n] where the others and NaN go
    leaf: NDArray[np.float32]  # [n] the weight of a leaf, 0 in a split
    tree: NDArray[np.int64]  # [n] the number of the tree


def trees_of(model: onnx.ModelProto) -> list[Trees]:
    """The ensembles that read the graph's inputs, as far as their columns can be traced to them, in order.

    Raises ExportRefused for one of another form than the exporter writes.
    """
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    known: dict[str, list[Column]] = {}
    for entry in model.graph.input:
        width = entry.type.tensor_type.shape.dim[1].dim_value
        known[entry.name] = [Column(frozenset([i] if entry.name == "numbers" else [])) for i in range(width)]
    found: list[Trees] = []
    tests: dict[str, tuple[str, str]] = {}
    for node in model.graph.node:
        if node.op_type == ENSEMBLE and node.input[0] in known:
            found.append(_read(node, known[node.input[0]]))
        elif node.op_type == "IsNaN" or (node.op_type == "Equal" and _is(constants, node.input[1], -np.inf)):
            tests[node.output[0]] = (node.op_type, node.input[0])
        elif (columns := _columns(node, known, constants, tests)) is not None:
            known[node.output[0]] = columns
    return found


def _columns(
    node: onnx.NodeProto,
    known: Mapping[str, list[Column]],
    constants: Constants,
    tests: Mapping[str, tuple[str, str]],
) -> list[Column] | None:
    """The columns of a node's output, None where they are not traced."""
    kind, inputs = node.op_type, list(node.input)
    if kind == "Where":
        test, tested = tests.get(inputs[0], ("", ""))
        columns = known.get(inputs[2])
        if columns is None or tested != inputs[2]:
            return None
        if test == "IsNaN" and _is(constants, inputs[1], -np.inf):
            return [replace(column, low=True) for column in columns]
        if test == "Equal" and _is(constants, inputs[1], np.nan):
            return [replace(column, low=False) for column in columns]
        return None
    if kind == "Concat" and _attributes(node)["axis"] == 1 and all(name in known for name in inputs):
        return [column for name in inputs for column in known[name]]
    if inputs[0] not in known:
        return None
    columns = known[inputs[0]]
    if kind in ("Cast", "LabelEncoder") or (kind == "Max" and _is(constants, inputs[1], float(LOWEST))):
        return columns
    if kind == "Gather" and _attributes(node).get("axis") == 1 and inputs[1] in constants:
        return [columns[place] for place in constants[inputs[1]].tolist()]
    if kind == "ReduceMax" and all(column.low for column in columns) and constants[inputs[1]].tolist() == [1]:
        return [Column(frozenset[int]().union(*(column.numbers for column in columns)), low=True)]
    if kind == "Equal" and inputs[1] in constants and not any(column.numbers for column in columns):
        return columns
    return None


def _is(constants: Constants, name: str, value: float) -> bool:
    found = constants.get(name)
    return found is not None and found.size == 1 and bool(np.array_equal(found.ravel(), [value], equal_nan=True))


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _read(node: onnx.NodeProto, columns: list[Column]) -> Trees:
    given = _attributes(node)
    modes = np.array(given["nodes_modes"])
    if (
        any(given.get(name, value) != value for name, value in PLAIN.items())
        or not np.isin(modes, [b"BRANCH_LT", b"LEAF"]).all()
    ):
        raise ExportRefused(
            f"{node.name}: expected a sum of trees that go left below a threshold; it cannot be shown to be monotone"
        )
    splits = modes == b"BRANCH_LT"
    trees, numbers = np.array(given["nodes_treeids"]), np.array(given["nodes_nodeids"])
    place = {key: i for i, key in enumerate(zip(trees.tolist(), numbers.tolist(), strict=True))}
    leaf = np.zeros(len(trees), dtype=np.float32)
    leaves = zip(given["target_treeids"], given["target_nodeids"], strict=True)
    leaf[[place[key] for key in leaves]] = np.array(given["target_weights"], dtype=np.float32)

    def children(name: str) -> NDArray[np.int64]:
        pairs = zip(trees.tolist(), given[name], splits.tolist(), strict=True)
        return np.array([place[tree, child] if split else -1 for tree, child, split in pairs], dtype=np.int64)

    return Trees(
        output=node.output[0],
        place=np.array(given["nodes_featureids"]),
        columns=columns,
        splits=splits,
        threshold=np.array(given["nodes_values"], dtype=np.float32),
        left=children("nodes_truenodeids"),
        right=children("nodes_falsenodeids"),
        leaf=leaf,
        tree=trees,
    )
