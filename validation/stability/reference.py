"""The training rows as counts in bins: what later applicants are compared with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from table.settings import Feature
from validation.documents import Histogram, Reference
from validation.settings import Stability
from validation.stability.bins import Bins, bins_of, bins_of_scores
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
    columns = {feature.name: frame[feature.name].to_numpy() for feature in features}
    reference: Reference = {
        "rows": len(frame),
        "limits": {"score": limits.score_limit, "feature": limits.feature_limit},
        "score": _histogram(bins_of_scores(scores), scores, weight),
        "features": {f.name: _histogram(bins_of(columns[f.name], f.type), columns[f.name], weight) for f in features},
    }
    if weight is not None:
        reference["effective_rows"] = effective_size(weight)
    return reference


def _histogram(bins: Bins, column: NDArray[Any], weight: NDArray[np.float64] | None) -> Histogram:
    found: Histogram = {
        "values": list(bins.values),
        "edges": list(bins.edges),
        "counts": bins.counts(column).tolist(),
    }
    if weight is not None:
        found["weights"] = bins.sums(column, weight).tolist()
    return found
