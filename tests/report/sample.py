"""A real, small run to report on: the commands' own steps, with few trees."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from training import population
from training.assembly import assemble
from training.command import Progress
from training.evaluation.evidence import Evidence, Part
from training.evaluation.gather import answer, figures_of, gather
from training.save import SAME_BYTES_AGAIN, versions
from training.settings import settings_as_dict, settings_from_dict
from training.split import split, split_facts
from training.stability import reference_of
from training.table import Table
from training.tuning import search

SILENT = Progress(quiet=True)


@dataclass(frozen=True)
class Sample:
    """What the report is made of."""

    run: dict[str, Any]
    evidence: Evidence
    parts: dict[str, Part]


def sample(frame: pd.DataFrame, content: dict[str, Any] | None = None, *, trees: int = 25, trials: int = 0) -> Sample:
    """A run on a table of applicants whose target is `default` (0 or 1), with the settings of `content`."""
    flags = {"xgboost.n_estimators": trees, "evaluation.resamples": 50, "tuning.trials": trials}
    settings = settings_from_dict(content or {}, flags)
    table = _table(frame, {feature.name: feature.type == "category" for feature in settings.features})
    rows, tuning = split(table, settings), None
    if trials:
        with TemporaryDirectory() as folder:
            found = search(settings, table, rows["train"], Path(folder) / "study", SILENT)
        settings, tuning = found.settings, found.record
    part_of = {name: (table.frame.iloc[its], table.target[its]) for name, its in rows.items()}
    pipeline = assemble(settings).fit(*part_of["train"])
    parts = {name: answer(settings, pipeline, *its) for name, its in part_of.items()}
    reference = reference_of(parts["train"].frame, parts["train"].score, settings)
    evidence = gather(settings, pipeline, parts, reference)
    run = {
        "schema_version": 1,
        "data": {"source": table.source, "sha256": "0" * 64, "rows": len(frame), "dropped_rows": 0, "dropped_note": ""},
        "split": {"method": settings.split.method, **split_facts(table, rows)},
        "settings": settings_as_dict(settings),
        "seed": settings.split.seed,
        **({} if tuning is None else {"tuning": tuning}),
        **figures_of(evidence),
        "versions": versions(),
        "same_bytes_again": SAME_BYTES_AGAIN,
    }
    return Sample(run, evidence, parts)


def population_sample(rows: int = 12_000, trees: int = 25) -> Sample:
    """The built-in population, with costs and a search."""
    return sample(population.draw(rows), {"costs": {"gain": 60.0, "loss": 700.0}}, trees=trees, trials=4)


def _table(frame: pd.DataFrame, is_category: dict[str, bool]) -> Table:
    return Table(
        frame=pd.DataFrame({name: frame[name].astype(object if text else float) for name, text in is_category.items()}),
        target=frame["default"].to_numpy(dtype=np.int8),
        ids=None,
        time=None,
        group=None,
        dropped_rows=0,
        dropped_note="",
        sha256="0" * 64,
        source="built-in population",
    )
