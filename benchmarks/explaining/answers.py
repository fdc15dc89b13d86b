"""`python -m benchmarks.explaining.answers PEER OUT`: a peer's contributions against interventional Shapley values.

The truth is by definition: over all subsets of the features, the mean margin of the model's own answers to rows that
take these features from the applicant and the others from a reference row.
"""

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.fidelity import CLOSE
from benchmarks.fidelity.asked import Answer, write_answers
from benchmarks.fidelity.cases import Case

CASES = ("margin", "early stopping", "DART", "parallel trees", "categories", "missing ≠ NaN")
ROWS, REFERENCES = 20, 100


def compare(explain: Callable[..., Any], its: Case) -> Answer:
    """Compare the contributions to one case, in log-odds."""
    rows, reference = its.rows[:ROWS].reset_index(drop=True), its.train[:REFERENCES].reset_index(drop=True)
    got = np.asarray(explain(its, rows, reference), dtype=np.float64)
    differences = np.nan_to_num(np.abs(got - shapley(its.pipeline, rows, reference)), nan=1.0).max(axis=1)
    return {"off": float(differences.max()), "share": float((differences > CLOSE).mean()), "off_at_splits": 0.0}


def shapley(model: Any, rows: pd.DataFrame, reference: pd.DataFrame) -> NDArray[np.float64]:
    """Shapley values [rows, features] by all subsets, in log-odds."""
    names = list(rows.columns)
    pairs = len(rows), len(reference)
    applicant = rows.loc[np.repeat(np.arange(pairs[0]), pairs[1])].reset_index(drop=True)
    other = reference.loc[np.tile(np.arange(pairs[1]), pairs[0])].reset_index(drop=True)
    means = {}
    for size in range(len(names) + 1):
        for subset in combinations(names, size):
            mixed = other.copy()
            for name in subset:
                mixed[name] = applicant[name]
            margin = model.predict(mixed, output_margin=True).astype(np.float64)
            means[frozenset(subset)] = margin.reshape(pairs).mean(axis=1)
    values = np.zeros((pairs[0], len(names)))
    for at, name in enumerate(names):
        for without, mean in means.items():
            if name not in without:
                weight = math.factorial(len(without)) * math.factorial(len(names) - len(without) - 1)
                values[:, at] += weight / math.factorial(len(names)) * (means[without | {name}] - mean)
    return values


if __name__ == "__main__":
    write_answers("benchmarks.explaining", "explain", CASES, compare)
