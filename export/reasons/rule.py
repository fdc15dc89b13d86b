"""The second implementation of contributions, which shares no code with the tables: slow, and plain.

Each leaf of XGBoost's own file, each pair of an applicant and a reference row, in float64, on the prepared matrix.
With A the players on the leaf's path whose conditions the applicant meets and the row does not, B the other way round,
a = |A|, e = |B|: where both fail for no player, each in A gets v (a - 1)! e! / (a + e)!, and each in B
-v a! (e - 1)! / (a + e)!. The mean over the rows and over the boosters is a contribution.
"""

import json
from collections.abc import Iterator, Sequence
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xgboost import XGBClassifier

from trees.dropout import weights_of, without_weights

Matrix = NDArray[np.float32]
Step = tuple[int, float | frozenset[int], bool, bool]
"""Step to a leaf: column, threshold or the codes that go right, whether left, whether missing goes left."""


def contributions_by_rule(
    boosters: Sequence[XGBClassifier], player_of: NDArray[np.intp], applicants: Matrix, reference: Matrix
) -> NDArray[np.float64]:
    """[N, players] for prepared rows [N, m] against [R, m]; `player_of` [m] has the player of each column."""
    found = np.zeros((len(applicants), int(player_of.max(initial=0)) + 1))
    for booster in boosters:
        for path, weight in leaves_of(booster):
            players = sorted({int(player_of[column]) for column, *_ in path})
            met, met_by_reference = (_met(rows, path, players, player_of) for rows in (applicants, reference))
            found[:, players] += weight / len(boosters) * _values(met, met_by_reference)
    return found


def leaves_of(booster: XGBClassifier) -> Iterator[tuple[list[Step], float]]:
    """Each leaf with the way to it and its weight."""
    for tree in _trees_of(booster):
        stack: list[tuple[int, list[Step]]] = [(0, [])]
        codes = _codes_of(tree)
        while stack:
            node, path = stack.pop()
            value, left, right = (tree[key][node] for key in ("split_conditions", "left_children", "right_children"))
            if left < 0:
                yield path, float(np.float32(value))
                continue
            column, missing_left = tree["split_indices"][node], bool(tree["default_left"][node])
            value = codes.get(node, value)
            stack.append((left, [*path, (column, value, True, missing_left)]))
            stack.append((right, [*path, (column, value, False, missing_left)]))


def contributions_by_covers(
    boosters: Sequence[XGBClassifier], player_of: NDArray[np.intp], applicants: Matrix
) -> NDArray[np.float64]:
    """[N, players] tree-path values of prepared rows [N, m]: each column a player, added up to those of `player_of`.

    On a path with d columns, c_j: the applicant meets column j's conditions; r_j: the product of the shares of the
    covers that went its way. Column j gets v (c_j - r_j) Σ_S |S|! (d - |S| - 1)! / d! Π_S c Π_others r.
    """
    found = np.zeros((len(applicants), int(player_of.max(initial=0)) + 1))
    for booster in boosters:
        for path, shares, weight in _covered_leaves(booster):
            columns = sorted({column for column, *_ in path})
            met = _met(applicants, path, columns, np.arange(len(player_of)))
            share = np.ones(len(columns))
            for (column, *_), its in zip(path, shares, strict=True):
                share[columns.index(column)] *= its
            for j, column in enumerate(columns):
                sizes = np.ones((1, len(applicants)))  # by |S|: sum over S of the products
                for i in range(len(columns)):
                    if i != j:
                        outside, inside = sizes * share[i], sizes * met[:, i]
                        sizes = np.pad(outside, ((0, 1), (0, 0))) + np.pad(inside, ((1, 0), (0, 0)))
                d = len(columns)
                orders = [factorial(size) * factorial(d - size - 1) / factorial(d) for size in range(d)]
                value = weight / len(boosters) * (met[:, j] - share[j]) * (np.array(orders) @ sizes)
                found[:, player_of[column]] += value
    return found


def _covered_leaves(booster: XGBClassifier) -> Iterator[tuple[list[Step], list[float], float]]:
    """Each leaf with the way to it, the share of the covers that went each step of it, and its weight."""
    for tree in _trees_of(booster):
        stack: list[tuple[int, list[Step], list[float]]] = [(0, [], [])]
        while stack:
            node, path, shares = stack.pop()
            value, left, right = (tree[key][node] for key in ("split_conditions", "left_children", "right_children"))
            if left < 0:
                yield path, shares, float(np.float32(value))
                continue
            column, missing_left = tree["split_indices"][node], bool(tree["default_left"][node])
            covers = [float(np.float32(tree["sum_hessian"][child])) for child in (left, right)]
            for child, goes_left, cover in ((left, True, covers[0]), (right, False, covers[1])):
                step = (column, value, goes_left, missing_left)
                stack.append((child, [*path, step], [*shares, cover / sum(covers)]))


def _trees_of(booster: XGBClassifier) -> list[dict[str, Any]]:
    native = booster.get_booster()
    if getattr(booster, "early_stopping_rounds", None):
        native = native[: booster.best_iteration + 1]
    content = json.loads(native.save_raw("json"))
    trees: list[dict[str, Any]] = without_weights(content)["learner"]["gradient_booster"]["model"]["trees"]
    for tree, weight in zip(trees, weights_of(content).tolist(), strict=False):  # only dropout gives weights
        tree["split_conditions"] = [
            value if child >= 0 else value * weight
            for value, child in zip(tree["split_conditions"], tree["left_children"], strict=True)
        ]
    return trees


def _codes_of(tree: dict[str, Any]) -> dict[int, frozenset[int]]:
    """By node that splits a category: the codes that go right."""
    names = ("categories_nodes", "categories_segments", "categories_sizes")
    parts = zip(*(tree.get(name, ()) for name in names), strict=True)
    return {node: frozenset(tree["categories"][first : first + size]) for node, first, size in parts}


def _met(rows: Matrix, path: list[Step], players: list[int], player_of: NDArray[np.intp]) -> NDArray[np.float64]:
    """[N, d] 1 where a row meets all conditions on a player, else 0."""
    met = np.ones((len(rows), len(players)))
    for column, threshold, goes_left, missing_left in path:
        values = rows[:, column]
        if isinstance(threshold, frozenset):  # a number without its fraction is the code
            present = ~np.isin(np.trunc(values), list(threshold))
        else:
            present = values < np.float32(threshold)
        left = np.where(np.isnan(values), missing_left, present)
        met[:, players.index(int(player_of[column]))] *= left == goes_left
    return met


def _values(met: NDArray[np.float64], by_reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, d] for a weight of 1, mean over the reference rows; rows that meet the same are worked out once."""
    players = met.shape[1]
    if not players:
        return np.zeros((len(met), 0))
    met, which, _ = _alike(met)
    by_reference, _, rows = _alike(by_reference)
    up, down = np.zeros((players + 1, players + 1)), np.zeros((players + 1, players + 1))
    for gains in range(players + 1):
        for losses in range(players + 1 - gains):
            orders = factorial(gains + losses)
            up[gains, losses] = factorial(gains - 1) * factorial(losses) / orders if gains else 0.0
            down[gains, losses] = factorial(gains) * factorial(losses - 1) / orders if losses else 0.0
    a = (met @ (1 - by_reference).T).astype(int)
    e = ((1 - met) @ by_reference.T).astype(int)
    counts = np.where((1 - met) @ (1 - by_reference).T == 0, rows, 0)
    up, down = up[a, e] * counts, down[a, e] * counts
    values = met * (up @ (1 - by_reference)) - (1 - met) * (down @ by_reference)
    return np.asarray(values[which] / rows.sum())


def _alike(met: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """The distinct rows, for each row which of them it is, and how many rows each of them is."""
    code = met @ 2.0 ** np.arange(met.shape[1])
    _, first, which, count = np.unique(code, return_index=True, return_inverse=True, return_counts=True)
    return met[first], which, count
