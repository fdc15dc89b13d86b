"""lastbit: the whole model folder, answered by the runtime."""

from tempfile import TemporaryDirectory
from typing import Any

import lastbit
from benchmarks.fidelity.cases import Case


def predict(its: Case) -> Any:
    """The runtime's p for rows as they come and at splits."""
    with TemporaryDirectory() as folder:
        lastbit.export_model(its.pipeline, its.train, its.target, out=folder + "/model")
        model = lastbit.load_model(folder + "/model")
        names, words = ([its.name for its in kind] for kind in (model.manifest.numbers, model.manifest.categories))

        def answer(frame: Any) -> Any:
            texts = [frame[words].astype(object).to_numpy()] if words else []
            return model.predict(frame[names].to_numpy(), *texts)[0]

        return answer(its.rows), answer(its.at_splits)
