"""The whole matrix of preparations and forms of the classifier, counted: `python -m tests.export.own.matrix --help`."""

import argparse
import json
import os
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import sklearn
import xgboost

from cli.errors import UserError
from export.own.settings import own_settings
from tests.export.own.pipelines import FORMS, WITHOUT_REASONS, exported, rows_of, served
from tests.export.own.preparations import CASES, Case

TOLERANCE = 4.5e-16
COUNTED = [name for name in FORMS if "margins" not in name]
EXACT, REFUSED, TOLERATED, WRONG, TRACEBACK = VERDICTS = "exact", "refused", "tolerated", "wrong", "traceback"


def verdict_of(
    case: Case, form: str, X: Any, y: Any, others: Any, out: Path, stated: float | None = None, *, sparse: bool
) -> tuple[str, str]:
    """Verdict on one pipeline, and what was said of it. `stated` is the tolerance of steps that are only close."""
    fitted: Any = FORMS[form](case.preparation(sparse=sparse)).fit(X, y)
    exactness = {} if stated is None else {"exactness": {"tolerance": stated}}
    try:
        certificate, model = exported(fitted, X, out, settings=own_settings({**WITHOUT_REASONS, **exactness}))
    except UserError as refusal:
        return REFUSED if case.refused and case.refused in str(refusal) else WRONG, str(refusal)
    except Exception as fault:  # what a user would see as a traceback is what is counted
        return TRACEBACK, repr(fault)
    total = certificate["total"]
    largest = float(np.abs(served(model, others) - fitted.predict_proba(others)[:, 1]).max())
    bits = f"{total['margins_bit_equal']} of {total['margins']} margins, {largest:.1e}"
    if stated is not None:
        return TOLERATED if largest <= stated and not total["bands_that_differ"] else WRONG, bits
    is_exact = total["margins_bit_equal"] == total["margins"] and largest <= TOLERANCE and not case.refused
    return EXACT if is_exact else WRONG, bits


def made_with(rows: int) -> str:
    """Rows of a fit and the versions of what fits."""
    versions = f"scikit-learn {sklearn.__version__}, XGBoost {xgboost.__version__}"
    return f"{rows:,} rows each, Python {sys.version.split()[0]}, {versions}"


def done_in(out: Path, rows: int) -> dict[tuple[str, str, bool], str]:
    """Verdicts that an earlier run of the same rows and versions has written, but for faults, which are run again."""
    if not out.is_file():
        return {}
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    return {
        (line["case"], line["form"], line["sparse"]): line["verdict"]
        for line in lines
        if line.get("made_with") == made_with(rows) and line["verdict"] in (EXACT, REFUSED, TOLERATED)
    }


def main() -> int:
    """Run the matrix in a random order, so that a part of it is a sample, and print the counts.

    Pipelines that FILE has are not run again, so that the whole may be run in several sittings.
    """
    parser = argparse.ArgumentParser(description="Export every preparation in every form, dense and sparse, and count.")
    parser.add_argument("--rows", type=int, default=4_000, metavar="N", help="rows of the fit (default: 4000)")
    parser.add_argument("--random-rows", type=int, default=3_000, metavar="N", help="random rows of each certificate")
    parser.add_argument("--only", metavar="WORD", help="preparations whose name has this word")
    parser.add_argument("--tolerance", type=float, metavar="P", help="those only that need a tolerance, with this one")
    parser.add_argument("--seconds", type=float, default=float("inf"), metavar="S", help="begin none after so long")
    parser.add_argument(
        "--out", type=Path, default=Path(os.devnull), metavar="FILE", help="a line of JSON for each; is gone on with"
    )
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    (X, y), (others, _) = rows_of(given.rows), rows_of(given.rows, seed=5)
    matrix = [
        (case, form, sparse)
        for case, form, sparse in product(CASES, COUNTED, (False, True))
        if (given.only is None or given.only in case.name) and (given.tolerance is None or case.tolerated)
    ]
    random.Random(0).shuffle(matrix)
    done = done_in(given.out, given.rows)
    done = {key: verdict for key, verdict in done.items() if key in {(c.name, form, kind) for c, form, kind in matrix}}
    counts = Counter(done.values())
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("export.own.proof.RANDOM_AND_REAL_ROWS", given.random_rows),
        patch("export.certificate.certify.SINGLE_ROWS", 200),
        given.out.open("a", encoding="utf-8") as lines,
    ):
        for case, form, sparse in matrix:
            if (case.name, form, sparse) in done:
                continue
            if time.monotonic() - began > given.seconds:
                break
            verdict, said = verdict_of(case, form, X, y, others, Path(folder) / "model", given.tolerance, sparse=sparse)
            counts[verdict] += 1
            line = {"made_with": made_with(given.rows), "case": case.name, "form": form, "sparse": sparse}
            line |= {"verdict": verdict, "said": said}
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            lines.flush()
            if verdict in (WRONG, TRACEBACK):
                kind = "sparse" if sparse else "dense"
                sys.stdout.write(f"{verdict}: {case.name}, {form}, {kind}: {said}\n")
    made = made_with(given.rows)
    named = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    sys.stdout.write(f"{counts.total()} of {len(matrix)} pipelines, {made}: {named}\n")
    return int(bool(counts[WRONG] or counts[TRACEBACK]))


if __name__ == "__main__":
    sys.exit(main())
