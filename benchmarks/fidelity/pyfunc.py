"""MLflow: the pipeline saved as a model with its signature, and asked as a pyfunc."""

from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import numpy as np
from mlflow.models import infer_signature

from benchmarks.fidelity.cases import Case


def predict(its: Case) -> Any:
    """The pyfunc's p for rows as they come and at splits."""
    with TemporaryDirectory() as folder:
        signature = infer_signature(its.train, its.pipeline.predict_proba(its.train[:5]))
        mlflow.sklearn.save_model(
            its.pipeline,
            folder + "/model",
            signature=signature,
            pyfunc_predict_fn="predict_proba",
            serialization_format="cloudpickle",
        )
        model = mlflow.pyfunc.load_model(folder + "/model")
        return tuple(np.asarray(model.predict(asked))[:, 1] for asked in (its.rows, its.at_splits))
