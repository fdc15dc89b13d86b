"""A fitted XGBClassifier as arrays: the content of its JSON, checked, and nothing else.

XGBoost adds the base margin and then tree after tree in float32. Everything here keeps that order.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from trees.dropout import DART, multiplied, weights_of, without_weights
from trees.levels import HALF, LevelSet, LevelSets, sets_of, texts_of
from trees.refusal import BoosterRefused


@dataclass(frozen=True)
class Tree:
    """One tree. Node 0 is the root; a node without children (`left` < 0) is a leaf."""

    left: NDArray[np.int32]  # child for value < threshold, -1 in a leaf
    right: NDArray[np.int32]
    feature: NDArray[np.int32]  # column of the prepared matrix
    threshold: NDArray[np.float32]  # of a condition, value < threshold; 0 in a leaf
    leaf: NDArray[np.float32]  # the weight of a leaf; 0 in a node with children
    missing_left: NDArray[np.bool_]  # where NaN goes
    cover: NDArray[np.float32]  # sum of the hessians of the training rows that came by

    @property
    def conditions(self) -> NDArray[np.bool_]:
        """For each node, True if it has a condition, and so children."""
        return self.left >= 0

    @property
    def isolates_missing(self) -> NDArray[np.bool_]:
        """For each node, True if it sends missing values left and all others right: nothing is below minus infinity."""
        return self.conditions & self.missing_left & np.isneginf(self.threshold)


@dataclass(frozen=True)
class Ensemble:
    """The trees that a fitted booster uses for prediction, in order, and the base margin that comes first."""

    trees: tuple[Tree, ...]
    base_margin: np.float32
    columns: int  # of the prepared matrix

    def thresholds(self) -> dict[int, NDArray[np.float32]]:
        """For each column that conditions read: its distinct thresholds, ascending."""
        found: dict[int, list[NDArray[np.float32]]] = {}
        for tree in self.trees:
            conditions = tree.conditions
            for feature in np.unique(tree.feature[conditions]):
                its = conditions & (tree.feature == feature)
                found.setdefault(int(feature), []).append(tree.threshold[its])
        return {feature: np.unique(np.concatenate(values)) for feature, values in sorted(found.items())}

    def routes(self) -> set[tuple[int, bool]]:
        """Each column that conditions read, with the directions of missing values there; both may occur."""
        return {
            (int(column), bool(left))
            for tree in self.trees
            for column, left in zip(tree.feature[tree.conditions], tree.missing_left[tree.conditions], strict=True)
        }

    def isolates_missing(self) -> bool:
        """True if a condition sends missing values left and all others right, minus infinity included."""
        return any(bool(tree.isolates_missing.any()) for tree in self.trees)

    def move_thresholds(self, column: int, move: Callable[[np.float32], np.float32]) -> "Ensemble":
        """The same ensemble with `move` applied once to every threshold on one column."""
        moved: dict[np.float32, np.float32] = {}
        trees = []
        for tree in self.trees:
            nodes = np.flatnonzero(tree.conditions & (tree.feature == column))
            threshold = tree.threshold.copy()
            for node in nodes:
                given = tree.threshold[node]
                if given not in moved:
                    moved[given] = move(given)
                threshold[node] = moved[given]
            trees.append(replace(tree, threshold=threshold) if len(nodes) else tree)
        return replace(self, trees=tuple(trees))


def read_ensemble(
    classifier: xgboost.XGBClassifier, sets: LevelSets | None = None, replaced: float | None = None
) -> Ensemble:
    """Read a fitted binary XGBClassifier (or a subclass of it).

    With `sets`, splits on categories become splits on columns that it numbers. `replaced` is a `missing` that a step in
    front of the trees makes NaN (export.own.marked). Raises BoosterRefused, by name, for everything that has not been
    shown to convert exactly.
    """
    missing = classifier.missing
    if missing is not None and not math.isnan(missing) and missing != replaced:
        raise BoosterRefused(
            f"missing={missing!r} is not supported here: only NaN is missing in the graph; lastbit.export_model takes "
            f"it, or replace {missing!r} by NaN in the data and fit again"
        )
    saved = json.loads(classifier.get_booster().save_raw("json"))
    _refuse_what_is_not_exact(saved["learner"])
    content = without_weights(saved)
    learner = content["learner"]
    model = learner["gradient_booster"]["model"]
    used = _trees_used(classifier, model)
    if sets is not None:
        sets.know(content)
    base_margin = _base_margin(content)
    trees = tuple(_read_tree(_without_categories(tree, content, sets)) for tree in model["trees"][:used])
    if len(weights := weights_of(saved)[:used]):
        trees = tuple(
            replace(tree, leaf=multiplied(tree.leaf, weight, base_margin, saved))
            for tree, weight in zip(trees, weights, strict=True)
        )
    columns = int(learner["learner_model_param"]["num_feature"])
    return Ensemble(trees, base_margin, columns + (len(sets.places) if sets else 0))


def _refuse_what_is_not_exact(learner: dict[str, Any]) -> None:
    parameters = learner["learner_model_param"]
    objective = learner["objective"]["name"]
    booster = learner["gradient_booster"]["name"]
    if int(parameters.get("num_class", 0)) > 1 or objective.startswith("multi:"):
        raise BoosterRefused("multi-class boosters are not supported: expected two classes (binary:logistic)")
    if objective != "binary:logistic":
        raise BoosterRefused(f"objective {objective} is not supported: expected binary:logistic")
    if booster not in ("gbtree", DART):
        raise BoosterRefused(f"booster {booster} is not supported: expected gbtree")
    if int(parameters.get("num_target", 1)) > 1:
        raise BoosterRefused("boosters with several targets are not supported: expected one target")


def _trees_used(classifier: xgboost.XGBClassifier, model: dict[str, Any]) -> int:
    """All trees, or those up to the best round of early stopping; a round may hold several trees."""
    total = len(model["trees"])
    try:
        rounds = classifier.best_iteration + 1
    except AttributeError:  # fitted without early stopping
        return total
    ends = model.get("iteration_indptr")
    if ends is not None:
        return int(ends[rounds])
    return int(rounds * int(model["gbtree_model_param"].get("num_parallel_tree", 1)))


def _without_categories(tree: dict[str, Any], content: dict[str, Any], sets: LevelSets | None) -> dict[str, Any]:
    """A tree of the file whose splits on categories are those on columns of sets."""
    if not any(tree.get("split_type", ())) and not tree.get("categories"):
        return tree
    if sets is None:
        raise BoosterRefused(
            "native categorical splits are not supported here: lastbit.export_model takes them; or encode categories "
            "before XGBoost (one-hot) and fit again"
        )
    features, thresholds = list(tree["split_indices"]), list(tree["split_conditions"])
    for node, codes in sets_of(tree).items():
        feature = int(features[node])
        texts = texts_of(content, feature)
        inside = codes if texts is None else frozenset(texts[code] for code in codes)
        features[node], thresholds[node] = sets.place(LevelSet(feature, inside)), HALF
    return {**tree, "split_indices": features, "split_conditions": thresholds}


def _read_tree(tree: dict[str, Any]) -> Tree:
    if int(tree["tree_param"].get("size_leaf_vector", 1)) > 1:
        raise BoosterRefused("leaves with several values are not supported: expected one value per leaf")
    left, right = tree["left_children"], tree["right_children"]
    kept = _reachable(left, right)  # pruning (tree_method exact) leaves deleted nodes behind
    number = {node: i for i, node in enumerate(kept)} | {-1: -1}
    value = np.asarray(tree["split_conditions"], dtype=np.float32)[kept]
    # A threshold may be infinite: since XGBoost 3.4 one of minus infinity parts missing values from all others.
    leaves = np.asarray(left)[kept] < 0
    if np.isnan(value).any() or not np.isfinite(value[leaves]).all():
        raise BoosterRefused("a tree holds a threshold or a leaf that is no number; look for overflow in the data")
    return Tree(
        left=np.asarray([number[left[node]] for node in kept], dtype=np.int32),
        right=np.asarray([number[right[node]] for node in kept], dtype=np.int32),
        feature=np.asarray(tree["split_indices"], dtype=np.int32)[kept],
        threshold=np.where(leaves, np.float32(0), value),
        leaf=np.where(leaves, value, np.float32(0)),
        missing_left=np.asarray(tree["default_left"], dtype=bool)[kept],
        cover=np.asarray(tree["sum_hessian"], dtype=np.float32)[kept],
    )


def _reachable(left: list[int], right: list[int]) -> list[int]:
    """Nodes that can be reached from the root, ascending."""
    found, stack = [], [0]
    while stack:
        node = stack.pop()
        found.append(node)
        if left[node] >= 0:
            stack += [left[node], right[node]]
    return sorted(found)


def _base_margin(content: dict[str, Any]) -> np.float32:
    """The float32 margin before the first tree, as XGBoost itself computes it.

    The file has `base_score` as a probability, a bare number or a bracketed vector by version. Instead of
    repeating XGBoost's logit, the first tree is cut to its root, a leaf of weight 0, and XGBoost is asked.
    """
    learner = content["learner"]
    model = learner["gradient_booster"]["model"]
    stump: dict[str, Any] = {
        key: (value[:1] if isinstance(value, list) and len(value) >= 1 else value)
        for key, value in model["trees"][0].items()
    }
    stump |= {"left_children": [-1], "right_children": [-1], "split_conditions": [0.0], "base_weights": [0.0]}
    stump |= {key: [0] if key == "split_type" else [] for key in stump if key.startswith(("split_type", "categories"))}
    stump["tree_param"] = {**stump["tree_param"], "num_nodes": "1", "num_deleted": "0"}
    model = {**model, "trees": [stump], "tree_info": [0], "iteration_indptr": [0, 1]}
    model["gbtree_model_param"] = {**model["gbtree_model_param"], "num_trees": "1", "num_parallel_tree": "1"}
    learner = {
        **learner,
        "gradient_booster": {**learner["gradient_booster"], "model": model},
        "attributes": {},
    }
    # XGBoost's reader keeps \u escapes as they are, and feature names would be others.
    stumps = json.dumps({**content, "learner": learner}, ensure_ascii=False)
    booster = xgboost.Booster(model_file=bytearray(stumps.encode()))
    row = np.zeros((1, int(learner["learner_model_param"]["num_feature"])), dtype=np.float32)
    names = learner["feature_names"] or None
    matrix = xgboost.DMatrix(row, feature_names=names, feature_types=learner["feature_types"] or None)
    return np.float32(booster.predict(matrix, output_margin=True)[0])
