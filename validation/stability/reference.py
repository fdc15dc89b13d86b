"""The training rows as counts in bins: what later applicants are compared with."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.settings import Settings
from validation.documents import Histogram, Reference
from validation.stability.bins import Bins, bins_of, bins_of_scores


def reference_of(frame: pd.DataFrame, scores: NDArray[np.float64], settings: Settings) -> Reference:
    """The histograms of the score [N] in points and of each raw feature of the training rows, in JSON's types.

    Counts and edges only, nothing of a single applicant: `rows`; `limits` of the score and of each feature, from the
    settings; `score` and, by name, `features`, each with the `values` and `edges` of its bins and the `counts` in them,
    see validation.stability.bins.
    """
    columns = {feature.name: frame[feature.name].to_numpy() for feature in settings.features}
    return {
        "rows": len(frame),
        "limits": {"score": settings.stability.score_limit, "feature": settings.stability.feature_limit},
        "score": _histogram(bins_of_scores(scores), scores),
        "features": {f.name: _histogram(bins_of(columns[f.name], f.type), columns[f.name]) for f in settings.features},
    }


def _histogram(bins: Bins, column: NDArray[Any]) -> Histogram:
    return {"values": list(bins.values), "edges": list(bins.edges), "counts": bins.counts(column).tolist()}
