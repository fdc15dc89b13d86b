"""`python -m benchmarks.fidelity.answers PEER OUT`: a peer's answers to every case, in the peer's own environment.

Writes a JSON object of case → `{"refused": reason}` or `{"off": .., "share": .., "off_at_splits": ..}`: the largest
difference in p on rows as they come, the share of these rows that differ by more than `CLOSE`, the largest difference
at splits.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.fidelity import CLOSE
from benchmarks.fidelity.asked import Answer, write_answers
from benchmarks.fidelity.cases import FITS, Case


def compare(predict: Callable[..., Any], its: Case) -> Answer:
    """Compare the answers to one case."""
    rows, at_splits = (its.pipeline.predict_proba(asked)[:, 1] for asked in (its.rows, its.at_splits))
    got, got_at_splits = predict(its)
    differences = np.abs(np.asarray(got, dtype=np.float64).ravel() - rows)
    edges = np.abs(np.asarray(got_at_splits, dtype=np.float64).ravel() - at_splits)
    return {
        "off": float(np.nan_to_num(differences, nan=1.0).max()),
        "share": float((~(differences <= CLOSE)).mean()),
        "off_at_splits": float(np.nan_to_num(edges, nan=1.0).max()),
    }


if __name__ == "__main__":
    write_answers("benchmarks.fidelity", "predict", FITS, compare)
