"""Boosters to TreeEnsembleRegressor, bit for bit.

ONNX Runtime on one thread starts a row's sum at 0 and adds tree after tree in float32. XGBoost does the same but
starts at the base margin. So the base margin is added to the leaves of the first tree, in float32: the first
partial sums are then equal, and so are all that follow. `base_values` would be added last, with another rounding.

Missing values need no flags. A split sends NaN right by itself, because NaN < t is false. A split that sends
missing values left reads a copy of the column in which NaN is minus infinity, which is below every threshold. The
kernel without flags is faster by more than the copies cost, and one ensemble for each booster is faster than one
with several targets, because it goes through the rows in blocks.

Since XGBoost 3.4 a split may separate missing from present values: missing left, threshold minus infinity. Its
threshold is the lowest finite float32 here, and values are not below that in the copies of such a graph, so that minus
infinity itself still goes right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from export.converters.graph import ML_DOMAIN, Graph
from trees.ensemble import Ensemble

LOWEST = np.finfo(np.float32).min
Route = tuple[int, bool]  # of a condition: a column of the prepared matrix, and whether missing values go left


@dataclass(frozen=True)
class TreeInputs:
    """Input of the trees: a float32 matrix, and its column for each kind of split.

    For splits that send missing values left it holds minus infinity where the value is missing, otherwise NaN.
    """

    matrix: str
    places: Mapping[Route, int]


def routes_of(ensembles: Sequence[Ensemble]) -> set[Route]:
    """The routes that occur."""
    return set().union(*(ensemble.routes() for ensemble in ensembles))


def with_copies(graph: Graph, matrix: str, ensembles: Sequence[Ensemble]) -> TreeInputs:
    """The prepared matrix [N, m] with a copy of each column that some split sends missing values left on."""
    columns = ensembles[0].columns
    missing_left = sorted(column for column, left in routes_of(ensembles) if left)
    places = {(column, False): column for column in range(columns)}
    if missing_left:
        copies = low_copy(graph, select(graph, matrix, missing_left), bounded=isolate_missing(ensembles))
        matrix = graph.node("Concat", matrix, copies, axis=1)
        places |= {(column, True): columns + i for i, column in enumerate(missing_left)}
    return TreeInputs(matrix, places)


def isolate_missing(ensembles: Sequence[Ensemble]) -> bool:
    """True if some condition separates missing values from all others."""
    return any(ensemble.isolates_missing() for ensemble in ensembles)


def select(graph: Graph, matrix: str, columns: Sequence[int]) -> str:
    """Some columns of a matrix."""
    return graph.node("Gather", matrix, graph.constant(np.array(columns, dtype=np.int64)), axis=1)


def low_copy(graph: Graph, matrix: str, *, bounded: bool = False) -> str:
    """A float32 matrix with minus infinity for NaN; `bounded`, all else is at least the lowest finite number."""
    lowest = graph.constant(np.array(-np.inf, dtype=np.float32))
    if bounded:  # which leaves NaN as it is
        matrix = graph.node("Max", matrix, graph.constant(np.array(LOWEST, dtype=np.float32)))
    return graph.node("Where", graph.node("IsNaN", matrix), lowest, matrix)


def convert_margins(graph: Graph, columns: TreeInputs, ensembles: Sequence[Ensemble]) -> list[str]:
    """The margin of each ensemble, float32 [N, 1]."""
    return [
        graph.node("TreeEnsembleRegressor", columns.matrix, domain=ML_DOMAIN, **_attributes(ensemble, columns.places))
        for ensemble in ensembles
    ]


def _attributes(ensemble: Ensemble, places: Mapping[Route, int]) -> dict[str, Any]:
    tree_ids, node_ids, features, values, modes, true_ids, false_ids = [], [], [], [], [], [], []
    leaf_tree_ids, leaf_node_ids, weights = [], [], []
    for number, tree in enumerate(ensemble.trees):
        nodes = np.arange(len(tree.left))
        conditions = tree.conditions
        leaves = nodes[~conditions]
        tree_ids.append(np.full(len(nodes), number))
        node_ids.append(nodes)
        feature = np.zeros(len(nodes), dtype=np.int64)
        for node in nodes[conditions]:
            feature[node] = places[int(tree.feature[node]), bool(tree.missing_left[node])]
        features.append(feature)
        thresholds = np.where(tree.isolates_missing, LOWEST, tree.threshold)
        values.append(np.where(conditions, thresholds, np.float32(0)))
        modes.append(np.where(conditions, "BRANCH_LT", "LEAF"))
        true_ids.append(np.where(conditions, tree.left, 0))
        false_ids.append(np.where(conditions, tree.right, 0))
        leaf_tree_ids.append(np.full(len(leaves), number))
        leaf_node_ids.append(leaves)
        first = ensemble.base_margin if number == 0 else np.float32(0)
        weights.append(first + tree.leaf[leaves])
    leaf_count = sum(map(len, leaf_tree_ids))
    return {
        "nodes_treeids": np.concatenate(tree_ids).tolist(),
        "nodes_nodeids": np.concatenate(node_ids).tolist(),
        "nodes_featureids": np.concatenate(features).tolist(),
        "nodes_values": np.concatenate(values).tolist(),
        "nodes_modes": np.concatenate(modes).tolist(),
        "nodes_truenodeids": np.concatenate(true_ids).tolist(),
        "nodes_falsenodeids": np.concatenate(false_ids).tolist(),
        "target_treeids": np.concatenate(leaf_tree_ids).tolist(),
        "target_nodeids": np.concatenate(leaf_node_ids).tolist(),
        "target_ids": [0] * leaf_count,
        "target_weights": np.concatenate(weights).tolist(),
        "n_targets": 1,
        "aggregate_function": "SUM",
        "post_transform": "NONE",
    }
