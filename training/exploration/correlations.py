"""What goes together: rank correlations of numbers, and features that say the same in other words."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import entropy
from sklearn.metrics import normalized_mutual_info_score

from training.exploration.column import Column

LEAST_SHARE = 0.1  # of these rows that have both: of fewer nothing is said
WORTH_TELLING = 0.5
THE_SAME = 0.999  # rank correlation
THE_SAME_LEVELS = 0.99  # mutual information, as a share of the larger entropy: 1 where levels pair up
FEW_LEVELS = 100
ROWS_A_LEVEL = 10  # on average; of columns whose rows nearly all differ, every two go in pairs


def rank_correlations(columns: Sequence[Column], rows: NDArray[np.intp]) -> list[dict[str, Any]]:
    """Pairs of numbers and booleans, `a` and `b`, whose Spearman correlation over those of `rows` that have both is at
    least 0.5 either way; the closest first."""
    numbers = {c.name: c.values[rows] for c in columns if c.kind != "category" and len(c.distinct) > 1}
    found = pd.DataFrame(numbers).corr("spearman", min_periods=round(LEAST_SHARE * len(rows))).to_numpy()
    names = list(numbers)
    pairs = [
        {"a": names[i], "b": names[j], "spearman": float(found[i, j])}
        for i, j in combinations(range(len(names)), 2)
        if abs(found[i, j]) >= WORTH_TELLING  # False for NaN, where too few rows have both
    ]
    return sorted(pairs, key=lambda pair: -abs(pair["spearman"]))


def duplicates(columns: Sequence[Column], rows: NDArray[np.intp], pairs: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The later one of any two features that say almost the same, with a sentence; `pairs` are rank_correlations'."""
    found: dict[str, str] = {}
    for pair in pairs:
        if abs(pair["spearman"]) >= THE_SAME:
            found[pair["b"]] = f"says almost the same as {pair['a']} (rank correlation {pair['spearman']:.4f})"
    for a, b in _same_levels(columns, rows):
        found.setdefault(b, f"says almost the same as {a}: their values go in pairs")
    return {name: f"{what}; keep one of the two" for name, what in found.items()}


def _same_levels(columns: Sequence[Column], rows: NDArray[np.intp]) -> list[tuple[str, str]]:
    """Pairs of features of few values, missing among them, where each value of one goes with one of the other."""
    most = min(FEW_LEVELS, len(rows) // ROWS_A_LEVEL)
    codes = {c.name: pd.factorize(c.values[rows])[0] for c in columns if 1 < len(c.distinct) <= most}
    amount = {name: entropy(np.bincount(code + 1)) for name, code in codes.items()}  # -1 is missing
    return [
        (a, b)
        for a, b in combinations(codes, 2)
        # Levels that pair up are as many each: most pairs of features are told apart by that alone.
        if amount[a] > 0
        and abs(amount[a] - amount[b]) <= (1 - THE_SAME_LEVELS) * max(amount[a], amount[b])
        and normalized_mutual_info_score(codes[a], codes[b], average_method="max") >= THE_SAME_LEVELS
    ]
