"""hummingbird-ml: the pipeline as PyTorch tensors."""

from typing import Any

import numpy as np
from hummingbird.ml import convert

from benchmarks.fidelity.cases import Case


def predict(its: Case) -> Any:
    """The tensors' p for rows as they come and at splits."""
    model = convert(its.pipeline, "torch", its.train.to_numpy()[:10])
    return tuple(model.predict_proba(asked.to_numpy(dtype=np.float32))[:, 1] for asked in (its.rows, its.at_splits))
