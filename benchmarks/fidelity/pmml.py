"""sklearn2pmml and JPMML-Evaluator on a JVM: the whole pipeline as PMML."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from jpmml_evaluator import make_evaluator
from sklearn2pmml import make_pmml_pipeline, sklearn2pmml

from benchmarks.fidelity.cases import Case


def predict(its: Case) -> Any:
    """The evaluator's p for rows as they come and at splits."""
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.pmml")
        pipeline = make_pmml_pipeline(its.pipeline, active_fields=list(its.train.columns), target_fields=["y"])
        sklearn2pmml(pipeline, path)
        evaluator = make_evaluator(path).verify()

        def answer(frame: Any) -> Any:
            asked = frame.astype(object).where(frame.notna(), None)
            return pd.DataFrame(evaluator.evaluateAll(asked))["probability(1)"].to_numpy(dtype=float)

        return answer(its.rows), answer(its.at_splits)
