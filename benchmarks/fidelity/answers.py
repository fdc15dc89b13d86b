"""`python -m benchmarks.fidelity.answers PEER OUT`: a peer's answers to every case, in the peer's own environment.

Writes a JSON object of case → `{"refused": reason}` or `{"off": .., "share": .., "off_at_splits": ..}`: the largest
difference in p on rows as they come, the share of these rows that differ by more than `CLOSE`, the largest difference
at splits.
"""

import json
import sys
import traceback
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fidelity import CLOSE
from benchmarks.fidelity.cases import FITS, Case, case


def main() -> None:
    """Ask one peer."""
    peer, out = sys.argv[1:]
    warnings.simplefilter("ignore")
    predict = import_module(f"benchmarks.fidelity.{peer}").predict
    Path(out).write_text(json.dumps({name: ask(predict, case(name)) for name in FITS}, indent=1), encoding="utf-8")


def ask(predict: Any, its: Case) -> dict[str, Any]:
    """Compare the answers to one case."""
    rows, at_splits = (its.pipeline.predict_proba(asked)[:, 1] for asked in (its.rows, its.at_splits))
    try:
        got, got_at_splits = predict(its)
    except Exception as fault:
        traceback.print_exc()
        return {"refused": f"{type(fault).__name__}: {fault}".splitlines()[0][:200]}
    differences = np.abs(np.asarray(got, dtype=np.float64).ravel() - rows)
    edges = np.abs(np.asarray(got_at_splits, dtype=np.float64).ravel() - at_splits)
    return {
        "off": float(np.nan_to_num(differences, nan=1.0).max()),
        "share": float((~(differences <= CLOSE)).mean()),
        "off_at_splits": float(np.nan_to_num(edges, nan=1.0).max()),
    }


if __name__ == "__main__":
    main()
