"""Associations: rank correlations of numbers, and features that repeat another one."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import entr

from training.exploration.column import Column

LEAST_SHARE = 0.1  # of these rows that have both: of fewer nothing is said
WORTH_TELLING = 0.5
THE_SAME = 0.999  # rank correlation
THE_SAME_LEVELS = 0.99  # mutual information, as a share of the larger entropy: 1 where levels pair up
FEW_LEVELS = 100
MOST_RANKED_AGAIN = 2_000
ESTIMATED_WITHIN = 0.1
ROUNDING = 1e-9
ROWS_A_LEVEL = 10  # on average; of columns whose rows nearly all differ, every two go in pairs


def rank_correlations(columns: Sequence[Column], rows: NDArray[np.intp]) -> list[dict[str, Any]]:
    """Strongly correlated pairs of numbers and booleans, the closest first.

    Spearman's correlation of `a` and `b`, over those of `rows` that have both, is 0.5 or more, or -0.5 or less. Its
    ranks are those among the rows that have both, which differ for each pair of columns that are missing in different
    rows. So all pairs are first estimated by the ranks of each column alone; where ranks may differ, the closest
    MOST_RANKED_AGAIN are ranked again.
    """
    numbers = [c for c in columns if c.kind != "category" and len(c.distinct) > 1]
    if len(numbers) < 2:
        return []
    values = np.column_stack([np.asarray(c.values[rows], dtype=np.float64) for c in numbers])
    found = _of_ranks(values)
    missing = np.unique(np.isnan(values), axis=1, return_inverse=True)[1].ravel()
    a, b = np.triu_indices(len(numbers), 1)
    apart = np.flatnonzero((missing[a] != missing[b]) & (np.abs(found[a, b]) >= WORTH_TELLING - ESTIMATED_WITHIN))
    closest = apart[np.argsort(-np.abs(found[a[apart], b[apart]]), kind="stable")][:MOST_RANKED_AGAIN]
    for i, j in zip(a[closest].tolist(), b[closest].tolist(), strict=True):
        both = values[:, [i, j]]
        found[i, j] = _of_ranks(both[~np.isnan(both).any(axis=1)])[0, 1]
    with np.errstate(invalid="ignore"):  # False for NaN, where too few rows have both
        told = np.flatnonzero(np.abs(found[a, b]) >= WORTH_TELLING)
    told = told[np.argsort(-np.abs(found[a[told], b[told]]), kind="stable")]
    return [
        {"a": numbers[i].name, "b": numbers[j].name, "spearman": float(found[i, j])}
        for i, j in zip(a[told].tolist(), b[told].tolist(), strict=True)
    ]


def _of_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlations [k, k] of the ranks of the columns of [N, k], over the rows that have both values.

    NaN where too few rows have both, and where one of the two is constant there.
    """
    ranks = pd.DataFrame(values).rank().to_numpy()
    there = ~np.isnan(ranks)
    ranks = np.where(there, ranks, 0.0)
    ranks = np.where(there, ranks - ranks.sum(axis=0) / np.maximum(there.sum(axis=0), 1), 0.0)
    weight = there.astype(np.float64)
    both = weight.T @ weight
    total, squares = ranks.T @ weight, (ranks**2).T @ weight  # [i, j]: of column i, where j is there too
    enough = np.where(both >= max(2, round(LEAST_SHARE * len(values))), both, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = squares - total**2 / enough
        spread = np.where(spread > ROUNDING * squares, spread, np.nan)
        found = (ranks.T @ ranks - total * total.T / enough) / np.sqrt(spread * spread.T)
    return np.asarray(np.clip(np.round(found, 12), -1, 1))  # the order of a BLAS sum is the machine's


def duplicates(columns: Sequence[Column], rows: NDArray[np.intp], pairs: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The later of any two features that are almost equal, with a sentence; `pairs` are those of rank_correlations."""
    found: dict[str, str] = {}
    for pair in pairs:
        if abs(pair["spearman"]) >= THE_SAME:
            found[pair["b"]] = (
                f"carries almost the same information as {pair['a']} (rank correlation {pair['spearman']:.4f})"
            )
    for a, b in _same_levels(columns, rows):
        found.setdefault(b, f"carries almost the same information as {a}: their values occur in pairs")
    return {name: f"{what}; keep one of the two" for name, what in found.items()}


def _same_levels(columns: Sequence[Column], rows: NDArray[np.intp]) -> list[tuple[str, str]]:
    """Pairs of features of few values, missing among them, where each value of one goes with one of the other."""
    most = min(FEW_LEVELS, len(rows) // ROWS_A_LEVEL)
    codes = {c.name: pd.factorize(c.values[rows])[0] for c in columns if 1 < len(c.distinct) <= most}
    amount = {name: _entropy(np.bincount(code + 1)) for name, code in codes.items()}  # -1 is missing
    return [
        (a, b)
        for a, b in combinations(codes, 2)
        # Levels that pair up are equally many, which alone rules out most pairs of features.
        if amount[a] > 0
        and abs(amount[a] - amount[b]) <= (1 - THE_SAME_LEVELS) * max(amount[a], amount[b])
        and amount[a] + amount[b] - _joint_entropy(codes[a], codes[b]) >= THE_SAME_LEVELS * max(amount[a], amount[b])
    ]


def _joint_entropy(a: NDArray[np.intp], b: NDArray[np.intp]) -> float:
    """Contingency table of two columns of codes from -1, from which the mutual information follows."""
    return _entropy(np.bincount((a + 1) * (b.max() + 2) + b + 1))


def _entropy(rows: NDArray[np.intp]) -> float:
    """Entropy of levels with so many rows each, in nats."""
    return float(entr(rows / rows.sum()).sum())
