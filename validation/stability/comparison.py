"""Other applicants set beside the training rows: what has moved, how far, and in which bins."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from validation.documents import ComparedRows, FeatureShift, Shift, StabilityFindings
from validation.settings import Stability
from validation.stability.bins import Bins
from validation.stability.index import shift
from validation.weights import effective_size


def shifts(
    reference: Mapping[str, Any],
    frame: pd.DataFrame,
    scores: NDArray[np.float64],
    limits: Stability,
    weight: NDArray[np.float64] | None = None,
) -> StabilityFindings:
    """The rows of `frame` [N], one or more, and their scores [N] against what `reference_of` made of the training rows.

    `rows`: `expected` and `actual`. `score` has `psi`, `features` (the most moved first) `feature` and `csi`: the
    population stability index. Beside it `limit`; `by_chance`, its mean where nothing has changed; `counts_from`, the
    larger of the limit and what chance alone exceeds one time in 1,000; `moved`, whether it is that much; `bins`:
    `bin`, `expected` and `actual` shares 0 to 1, `contribution` to the index. Bins that are empty in both are left out.
    Shares are weighted where the reference and the rows have weights [N]; `rows` says so as `weighted`, which is False
    where only one of the two has.
    """
    rows: ComparedRows = {"expected": reference["rows"], "actual": len(frame)}
    sizes = None
    if weight is not None or "effective_rows" in reference:
        rows["weighted"] = weight is not None and "effective_rows" in reference
        if weight is not None and rows["weighted"]:
            sizes = float(reference["effective_rows"]), effective_size(weight)
    weight = None if sizes is None else weight
    features = [
        _of_feature(name, *_compared(entry, frame[name].to_numpy(), limits.feature_limit, weight, sizes))
        for name, entry in reference["features"].items()
    ]
    index, of_score = _compared(reference["score"], scores, limits.score_limit, weight, sizes)
    return {
        "rows": rows,
        "score": {"psi": index, **of_score},
        "features": sorted(features, key=lambda entry: -entry["csi"]),
    }


def _of_feature(name: str, index: float, shift: Shift) -> FeatureShift:
    return {"feature": name, "csi": index, **shift}


def _compared(
    entry: Mapping[str, Any],
    column: NDArray[Any],
    limit: float,
    weight: NDArray[np.float64] | None,
    sizes: tuple[float, float] | None,
) -> tuple[float, Shift]:
    """The stability index of one column, and the rest of what there is to say of it."""
    bins = Bins.of(entry)
    expected = np.array(entry["counts"] if weight is None else entry["weights"])
    actual = bins.counts(column) if weight is None else bins.sums(column, weight)
    found = shift(expected, actual, sizes)
    shares = zip(bins.labels(), expected / expected.sum(), actual / actual.sum(), found.contributions, strict=True)
    return found.index, {
        "limit": limit,
        "by_chance": found.by_chance,
        "counts_from": found.counts_from(limit),
        "moved": found.index >= found.counts_from(limit),
        "bins": [
            {"bin": label, "expected": float(e), "actual": float(a), "contribution": float(part)}
            for label, e, a, part in shares
            if e or a
        ],
    }
