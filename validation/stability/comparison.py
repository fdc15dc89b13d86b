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

    See `compared`. Shares are weighted where the reference and the rows have weights [N]; `rows` says so as `weighted`,
    which is False where only one of the two has.
    """
    is_weighted = weight is not None and "effective_rows" in reference

    def counted(entry: Mapping[str, Any], column: NDArray[Any]) -> NDArray[Any]:
        bins = Bins.of(entry)
        return bins.sums(column, weight) if is_weighted and weight is not None else bins.counts(column)

    found = compared(
        reference,
        counted(reference["score"], scores),
        {name: counted(entry, frame[name].to_numpy()) for name, entry in reference["features"].items()},
        limits,
        effective_size(weight) if is_weighted and weight is not None else None,
    )
    found["rows"] = rows_of(reference, len(frame), has_weights=weight is not None)
    return found


def rows_of(reference: Mapping[str, Any], rows: int, *, has_weights: bool) -> ComparedRows:
    """How many rows are compared, and whether by weight; False where only one of the two has weights."""
    found: ComparedRows = {"expected": reference["rows"], "actual": rows}
    if has_weights or "effective_rows" in reference:
        found["weighted"] = has_weights and "effective_rows" in reference
    return found


def compared(
    reference: Mapping[str, Any],
    score: NDArray[Any],
    features: Mapping[str, NDArray[Any]],
    limits: Stability,
    effective: float | None = None,
) -> StabilityFindings:
    """Counts of scores and of features in the bins of the reference against those of the training rows.

    `rows`: `expected` and `actual`. `score` has `psi`, `features` (the most moved first) `feature` and `csi`: the
    population stability index. Beside it `limit`; `by_chance`, its mean where nothing has changed; `counts_from`, the
    larger of the limit and what chance alone exceeds one time in 1,000; `moved`, whether it is that much; `bins`:
    `bin`, `expected` and `actual` shares 0 to 1, `contribution` to the index. Bins that are empty in both are left out.
    Counts are sums of weights where `effective`, their effective sample size, is given.
    """
    sizes = None if effective is None else (float(reference["effective_rows"]), effective)
    found = [
        _of_feature(name, *_compared(entry, features[name], limits.feature_limit, sizes))
        for name, entry in reference["features"].items()
    ]
    index, of_score = _compared(reference["score"], score, limits.score_limit, sizes)
    return {
        "rows": {"expected": reference["rows"], "actual": round(float(score.sum()))},
        "score": {"psi": index, **of_score},
        "features": sorted(found, key=lambda entry: -entry["csi"]),
    }


def _of_feature(name: str, index: float, shift: Shift) -> FeatureShift:
    return {"feature": name, "csi": index, **shift}


def _compared(
    entry: Mapping[str, Any], actual: NDArray[Any], limit: float, sizes: tuple[float, float] | None
) -> tuple[float, Shift]:
    """The stability index of one column, and the rest of what there is to say of it."""
    expected = np.array(entry["counts"] if sizes is None else entry["weights"])
    found = shift(expected, actual, sizes)
    labels = Bins.of(entry).labels()
    shares = zip(labels, expected / expected.sum(), actual / actual.sum(), found.contributions, strict=True)
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
