"""m2cgen: the classifier as Python code; a preparation stays in Python, and its matrix is made dense."""

import json
from typing import Any

import m2cgen
import numpy as np

from benchmarks.fidelity.cases import Case


def predict(its: Case) -> Any:
    """The generated code's p for rows as they come and at splits."""
    preparation = its.pipeline[:-1] if hasattr(its.pipeline, "steps") else None
    classifier = its.pipeline[-1] if preparation is not None else its.pipeline
    if hasattr(classifier, "get_booster") and classifier.base_score is None:
        # m2cgen reads the parameter, which XGBoost no longer sets; without this it stops at the first line.
        learnt = json.loads(classifier.get_booster().save_config())["learner"]["learner_model_param"]["base_score"]
        classifier.set_params(base_score=float(learnt.strip("[]")))
    code: dict[str, Any] = {}
    exec(m2cgen.export_to_python(classifier, function_name="score"), code)

    def answer(frame: Any) -> Any:
        matrix = frame.to_numpy(dtype=np.float64) if preparation is None else preparation.transform(frame).toarray()
        return [code["score"](list(row))[1] for row in matrix.astype(np.float64)]

    return answer(its.rows), answer(its.at_splits)
