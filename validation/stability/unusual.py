"""Values that the training rows did not have: more missing values, unseen levels, numbers out of range."""

from typing import Any

import numpy as np
import pandas as pd

from runtime.manifest import Feature
from validation.served import Served

EXAMPLES = 5


def unusual(served: Served, frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Shares 0 to 1 of the rows [N] of `frame` by feature: those that are `missing`, beside `missing_in_training`, and
    that are `unseen`: in no level of the vocabulary, or outside of the training rows' range.

    `examples` are the most frequent unseen levels, or the lowest and the highest number where those are out of range.
    """
    found = {}
    for feature in served.model.manifest.features:
        counts = served.reference["features"][feature.name]["counts"]
        unseen, examples = _unseen(feature, frame[feature.name])
        found[feature.name] = {
            "missing": float(frame[feature.name].isna().mean()),
            "missing_in_training": counts[-1] / served.reference["rows"],
            "unseen": float(unseen.mean()),
            "examples": examples,
        }
    return found


def _unseen(feature: Feature, column: "pd.Series[Any]") -> "tuple[pd.Series[bool], list[Any]]":
    if feature.type == "category":
        unseen = column.notna() & ~column.isin(feature.vocabulary)
        return unseen, column[unseen].value_counts().index[:EXAMPLES].tolist()
    if feature.type == "boolean":
        return column.isin([]), []
    low, high = feature.range or (np.inf, -np.inf)
    unseen = (column < low) | (column > high)
    ends = {float(column[unseen].min()), float(column[unseen].max())} if unseen.any() else set()
    return unseen, sorted(end for end in ends if not low <= end <= high)
