"""Treelite and TL2cgen: the classifier compiled from C; a preparation stays in Python, its matrix sparse if it was."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import scipy.sparse
import tl2cgen
import treelite

from benchmarks.fidelity.cases import Case


def predict(its: Case) -> Any:
    """The library's p for rows as they come and at splits."""
    preparation = its.pipeline[:-1] if hasattr(its.pipeline, "steps") else None
    classifier = its.pipeline[-1] if preparation is not None else its.pipeline
    if not hasattr(classifier, "get_booster"):
        raise TypeError(f"{type(classifier).__name__} is no model that Treelite reads")
    with TemporaryDirectory() as folder:
        saved = Path(folder) / "model.json"
        classifier.save_model(saved)
        model = treelite.frontend.load_xgboost_model(str(saved))
        library = Path(folder) / "model.so"
        tl2cgen.export_lib(model, toolchain="gcc", libpath=library, params={}, nthread=1)
        predictor = tl2cgen.Predictor(str(library), nthread=1)

        def answer(frame: Any) -> Any:
            if preparation is not None:
                matrix = scipy.sparse.csr_matrix(preparation.transform(frame).astype(np.float32))
            else:
                codes = frame.apply(lambda column: column.cat.codes if column.dtype == "category" else column)
                matrix = codes.to_numpy(dtype=np.float32)
            return predictor.predict(tl2cgen.DMatrix(matrix))

        return answer(its.rows), answer(its.at_splits)
