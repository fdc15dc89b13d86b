"""Boosters to TreeEnsembleRegressor, bit for bit.

ONNX Runtime on one thread starts a row's sum at 0 and adds tree after tree in float32. XGBoost does the same but
starts at the base margin. So the base margin is added to the leaves of the first tree, in float32: the first
partial sums are then equal, and so are all that follow. `base_values` would be added last, with another rounding.

Missing values need no flags. A split sends NaN right by itself, because NaN < t is false. A split that sends
missing values left reads a copy of the column in which NaN is minus infinity, which is below every threshold. The
kernel without flags is faster by more than the copies cost, and one ensemble for each booster is faster than one
with several targets, because it goes through the rows in blocks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from export.graph import ML_DOMAIN, Graph
from export.trees import Ensemble


def convert_margins(graph: Graph, matrix: str, ensembles: Sequence[Ensemble]) -> list[str]:
    """The margin of each ensemble, float32 [N, 1], from the prepared float32 matrix [N, m]."""
    columns = ensembles[0].columns
    missing_left = sorted(set().union(*(ensemble.columns_with_missing_left() for ensemble in ensembles)))
    copies = {column: columns + i for i, column in enumerate(missing_left)}
    if copies:
        some = graph.node("Gather", matrix, graph.constant(np.array(missing_left, dtype=np.int64)), axis=1)
        lowest = graph.constant(np.array(-np.inf, dtype=np.float32))
        low = graph.node("Where", graph.node("IsNaN", some), lowest, some)
        matrix = graph.node("Concat", matrix, low, axis=1)
    return [
        graph.node("TreeEnsembleRegressor", matrix, domain=ML_DOMAIN, **_attributes(ensemble, copies))
        for ensemble in ensembles
    ]


def _attributes(ensemble: Ensemble, copies: Mapping[int, int]) -> dict[str, Any]:
    tree_ids, node_ids, features, values, modes, true_ids, false_ids = [], [], [], [], [], [], []
    leaf_tree_ids, leaf_node_ids, weights = [], [], []
    for number, tree in enumerate(ensemble.trees):
        nodes = np.arange(len(tree.left))
        splits = tree.splits
        leaves = nodes[~splits]
        tree_ids.append(np.full(len(nodes), number))
        node_ids.append(nodes)
        feature = np.where(splits, tree.feature, 0)
        for node in np.flatnonzero(splits & tree.missing_left):
            feature[node] = copies[feature[node]]
        features.append(feature)
        values.append(np.where(splits, tree.value, np.float32(0)))
        modes.append(np.where(splits, "BRANCH_LT", "LEAF"))
        true_ids.append(np.where(splits, tree.left, 0))
        false_ids.append(np.where(splits, tree.right, 0))
        leaf_tree_ids.append(np.full(len(leaves), number))
        leaf_node_ids.append(leaves)
        first = ensemble.base_margin if number == 0 else np.float32(0)
        weights.append(first + tree.value[leaves])
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
