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
    counted = {
        name: counted_in(Bins.of(entry), frame[name].to_numpy(), weight)
        for name, entry in reference["features"].items()
    }
    return shifts_of_counts(reference, counted, scores, limits, weight)


def counted_in(
    bins: Bins, column: NDArray[Any], weight: NDArray[np.float64] | None
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """How many values [N] are in each bin, and the sums of their weights, if any. Counts of parts add up."""
    return bins.counts(column), None if weight is None else bins.sums(column, weight)


def shifts_of_counts(
    reference: Mapping[str, Any],
    counted: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64] | None]],
    scores: NDArray[np.float64],
    limits: Stability,
    weight: NDArray[np.float64] | None = None,
) -> StabilityFindings:
    """The same from what `counted_in` says of each feature in the bins of the reference, all rows together."""
    rows: ComparedRows = {"expected": reference["rows"], "actual": len(scores)}
    sizes = None
    if weight is not None or "effective_rows" in reference:
        rows["weighted"] = weight is not None and "effective_rows" in reference
        if weight is not None and rows["weighted"]:
            sizes = float(reference["effective_rows"]), effective_size(weight)
    features = [
        _of_feature(name, *_compared(entry, counted[name], limits.feature_limit, sizes))
        for name, entry in reference["features"].items()
    ]
    of_scores = counted_in(Bins.of(reference["score"]), scores, weight)
    index, of_score = _compared(reference["score"], of_scores, limits.score_limit, sizes)
    return {
        "rows": rows,
        "score": {"psi": index, **of_score},
        "features": sorted(features, key=lambda entry: -entry["csi"]),
    }


def _of_feature(name: str, index: float, shift: Shift) -> FeatureShift:
    return {"feature": name, "csi": index, **shift}


def _compared(
    entry: Mapping[str, Any],
    counted: tuple[NDArray[np.int64], NDArray[np.float64] | None],
    limit: float,
    sizes: tuple[float, float] | None,
) -> tuple[float, Shift]:
    """The stability index of one column, and the rest of what there is to say of it."""
    bins = Bins.of(entry)
    counts, sums = counted
    weighted = sizes is not None and sums is not None
    expected = np.array(entry["weights" if weighted else "counts"])
    actual: NDArray[Any] = counts if not weighted or sums is None else sums
    found = shift(expected, actual, sizes)
    shares = zip(bins.labels(), expected / expected.sum(), actual / actual.sum(), found.contributions, strict=True)
    return found.index, {
        "limit": limit,
        "by_chance": found.by_chance,
        "beyond_chance": found.beyond_chance,
        "counts_from": found.counts_from(limit),
        "moved": found.index >= found.counts_from(limit),
        "bins": [
            {"bin": label, "expected": float(e), "actual": float(a), "contribution": float(part)}
            for label, e, a, part in shares
            if e or a
        ],
    }
