"""The training rows as counts in bins: what later applicants are compared with."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from table.settings import Feature
from validation.documents import Histogram, Reference
from validation.settings import Stability
from validation.stability.bins import Bins, bins_of, bins_of_scores
from validation.stability.comparison import counted_in
from validation.weights import effective_size


def reference_of(
    frame: pd.DataFrame,
    scores: NDArray[np.float64],
    features: Sequence[Feature],
    limits: Stability,
    weight: NDArray[np.float64] | None = None,
) -> Reference:
    """The histograms of the score [N] in points and of each raw feature of the training rows, in JSON's types.

    Counts and edges only, nothing of a single applicant: `rows`; `limits` of the score and of each
    feature; `score` and, by name, `features`, each with the `values` and `edges` of its bins and the `counts` in them,
    see validation.stability.bins. Where there are weights [N] a histogram has their sums too, as `weights`, and
    `effective_rows` is the effective sample size; bins have edges by rows.
    """
    counted = {}
    for feature in features:
        column = frame[feature.name].to_numpy()
        bins = bins_of(column, feature.type)
        counted[feature.name] = bins, *counted_in(bins, column, weight)
    return reference_of_counts(counted, scores, limits, weight)


def reference_of_counts(
    counted: Mapping[str, tuple[Bins, NDArray[np.int64], NDArray[np.float64] | None]],
    scores: NDArray[np.float64],
    limits: Stability,
    weight: NDArray[np.float64] | None = None,
) -> Reference:
    """The same from the bins of each feature and what is in them, of all rows together."""
    bins = bins_of_scores(scores)
    reference: Reference = {
        "rows": len(scores),
        "limits": {"score": limits.score_limit, "feature": limits.feature_limit},
        "score": _histogram(bins, *counted_in(bins, scores, weight)),
        "features": {name: _histogram(*its) for name, its in counted.items()},
    }
    if weight is not None:
        reference["effective_rows"] = effective_size(weight)
    return reference


def _histogram(bins: Bins, counts: NDArray[np.int64], sums: NDArray[np.float64] | None) -> Histogram:
    found: Histogram = {"values": list(bins.values), "edges": list(bins.edges), "counts": counts.tolist()}
    if sums is not None:
        found["weights"] = sums.tolist()
    return found
