"""The raw columns as training saw them, against which serving validates requests."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from training.documents import FeatureEntry, InputColumns, Schema
from training.estimator.preparation import Preparation
from training.settings import Settings

Range = list[float] | None
"""Lowest and highest value of a number; None if all are missing."""


def ranges_of(settings: Settings, frame: pd.DataFrame) -> dict[str, Range]:
    """The range of each number feature in some rows, by name."""
    found: dict[str, Range] = {}
    for feature in settings.features:
        if feature.type == "number":
            values = frame[feature.name].to_numpy(dtype=np.float64)
            values = values[~np.isnan(values)]
            found[feature.name] = [float(values.min()), float(values.max())] if len(values) else None
    return found


def schema_of(settings: Settings, pipeline: Pipeline, ranges: Mapping[str, Range]) -> Schema:
    """`inputs` (ordered names of both matrices) and `features` in the settings' order.

    `ranges` are those of the training rows.
    """
    preparation: Preparation = pipeline[0]
    features: list[FeatureEntry] = []
    for feature in settings.features:
        entry: FeatureEntry = {
            "name": feature.name,
            "type": feature.type,
            "nullable": True,
            "description": feature.description,
        }
        if feature.type == "category":
            entry["vocabulary"] = preparation.vocabularies_[feature.name]
        if feature.type == "number":
            entry["range"] = ranges[feature.name]
        features.append(entry)
    inputs: InputColumns = {"numbers": list(preparation.numbers), "categories": list(preparation.vocabularies_)}
    if settings.data.normalization != "none":
        inputs["normalization"] = settings.data.normalization
    return {"inputs": inputs, "features": features}
