"""The facts behind the report of a real, small run: caught where the command passes them on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import population
from cli.progress import Progress
from training import run
from training.settings import Settings, settings_from_dict
from validation.evidence import Evidence, Part
from validation.report import report


@dataclass(frozen=True)
class Sample:
    """The arguments of write_report but for the folder."""

    run: dict[str, Any]
    evidence: Evidence
    parts: dict[str, Part]


def sample(settings: Settings, folder: Path) -> Sample:
    """A run of the command with these settings; its artifacts are written to `folder`."""
    caught: list[Sample] = []

    def write_report(_: Path, content: dict[str, Any], evidence: Evidence, parts: dict[str, Part]) -> None:
        caught.append(Sample(dict(content), evidence, parts))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "write_report", write_report)
        run.train(settings, folder, Progress(quiet=True))
    return caught[0]


def population_sample(folder: Path, rows: int = 12_000) -> Sample:
    """The built-in population, but fewer of it, with costs, groups and a short search."""
    small = population.draw(rows)
    overrides = {
        "xgboost.n_estimators": 20,
        "tuning.trials": 3,
        "tuning.folds": 2,
        "costs.gain": 60.0,
        "costs.loss": 700.0,
        "evaluation.resamples": 50,
        "fairness.groups": ("has_paid",),
        "fairness.features_allowed": True,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(population, "draw", lambda: small)
        return sample(settings_from_dict({}, overrides), folder)


def table_sample(frame: pd.DataFrame, content: dict[str, Any], folder: Path) -> Sample:
    """A table with a column `default`, read from a CSV."""
    file = folder / "table.csv"
    frame.to_csv(file, index=False)
    overrides = {"data.file": str(file), "xgboost.n_estimators": 10, "evaluation.resamples": 50}
    return sample(settings_from_dict(content, overrides), folder / "artifacts")
