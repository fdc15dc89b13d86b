"""Subject of the measurements: the reference system's model on the built-in population, made by the commands."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd
from sklearn.pipeline import Pipeline

import population
from cli.progress import Progress
from export.to_onnx import export
from runtime.model import Model
from training.artifacts import Artifacts, load_artifacts
from training.run import train
from training.settings import Settings

SILENT = Progress(quiet=True)


@dataclass(frozen=True)
class Subject:
    """A fitted pipeline and the model that the runtime serves for it."""

    folder: Path
    artifacts: Artifacts
    model: Model

    @property
    def pipeline(self) -> Pipeline:
        """The fitted pipeline, one thread a booster."""
        return self.artifacts.pipeline


@cache
def subject(estimator: str = "cross-fit", calibration: str = "sigmoid", calibrate_on: str = "margin") -> Subject:
    """Trained and exported once in a run of the benchmarks."""
    folder = Path(mkdtemp(prefix="lastbit-bench-"))
    settings = Settings()
    model = replace(settings.model, estimator=estimator, calibration=calibration, calibrate_on=calibrate_on)  # type: ignore[arg-type]
    evaluation = replace(settings.evaluation, plots=False)
    train(replace(settings, model=model, evaluation=evaluation), folder / "artifacts", SILENT)
    artifacts = load_artifacts(folder / "artifacts")
    export(artifacts, folder / "model", SILENT)
    return Subject(folder, artifacts, Model.load(str(folder / "model")))


@cache
def applicants(rows: int = 90_000, seed: int = 7) -> pd.DataFrame:
    """Raw columns of applicants that the model was not fitted on."""
    return population.draw(rows, seed).drop(columns=["uuid", "default"])
