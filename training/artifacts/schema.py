"""The raw columns as training saw them: what serving validates requests against."""

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from training.documents import FeatureEntry, InputColumns, Schema
from training.estimator.preparation import Preparation
from training.settings import Settings


def schema_of(settings: Settings, pipeline: Pipeline, training_rows: pd.DataFrame) -> Schema:
    """`inputs` (ordered names of both matrices) and `features` in the settings' order.

    A number's `range` is the lowest and highest value of the training rows, null where all are missing.
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
            values = training_rows[feature.name].to_numpy(dtype=np.float64)
            values = values[~np.isnan(values)]
            entry["range"] = [float(values.min()), float(values.max())] if len(values) else None
        features.append(entry)
    inputs: InputColumns = {"numbers": list(preparation.numbers), "categories": list(preparation.vocabularies_)}
    if settings.data.normalization != "none":
        inputs["normalization"] = settings.data.normalization
    return {"inputs": inputs, "features": features}
