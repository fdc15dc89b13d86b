"""BentoML: the pipeline saved in its store, loaded and asked."""

import os
from tempfile import mkdtemp
from typing import Any

os.environ["BENTOML_HOME"] = mkdtemp()
os.environ["BENTOML_DO_NOT_TRACK"] = "true"

import bentoml

from benchmarks.fidelity.cases import Case


def predict(its: Case) -> Any:
    """The loaded pipeline's p for rows as they come and at splits."""
    saved = bentoml.sklearn.save_model("fidelity", its.pipeline)
    loaded = bentoml.sklearn.load_model(saved.tag)
    return tuple(loaded.predict_proba(asked)[:, 1] for asked in (its.rows, its.at_splits))
