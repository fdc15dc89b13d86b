"""Content of artifacts/: pipeline, schema, tables, figures, pages, and run.json, which names them all."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from runtime.digest import digest_of
from storage.digest import sha256_of
from storage.json_file import write_json
from table import Table
from training import artifacts
from training.artifacts.schema import Range, schema_of
from training.documents import ExclusionRecord, InPartsRecord, PartRecord, PoolRecord, Run, SearchRecord
from training.evidence import figures_of, write_tables
from training.reasons import write_own_rows, write_reference
from training.settings import Settings, settings_as_dict, settings_as_toml
from training.split import split_facts
from validation.documents import Initial, InitialPeriod, Reference, StabilityFindings
from validation.evidence import Answered, Evidence, Part
from validation.initial import Said, initial_of
from validation.rating import Rating

SAMPLE_ROWS = 50_000
PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops", "xgboost")
# tests/commands/test_commands.py holds it.
SAME_BYTES_AGAIN = (
    "data.sha256, settings.toml, versions, and the kind of processor and C library that they run on; neither the "
    "number of cores nor an interrupted search changes a bit of model.onnx"
)
WITH_WORKERS = (
    "data.sha256, settings.toml, versions, the kind of processor and C library, and the number of Dask workers, among "
    "which sums are divided"
)


@dataclass(frozen=True)
class FinishedRun:
    """All that a training run has made."""

    settings: Settings
    table: Table
    rows: dict[str, NDArray[np.intp]]
    """Positions in the table, by part."""
    tuning: SearchRecord | None
    pipeline: Pipeline
    pools: list[PoolRecord]
    reference: Reference
    parts: Mapping[str, Answered]
    shown: Mapping[str, Part]
    """The same where the table is in memory, else rows drawn of each."""
    ranges: Mapping[str, Range]
    """Ranges of the training rows' numbers."""
    sample: pd.DataFrame
    """Real rows for the certificate, raw columns only."""
    evidence: Evidence
    own_rows: pd.DataFrame | None = None
    """The applicants of `reasons.reference`, where that is a file."""
    in_parts: InPartsRecord | None = None
    remarks: Sequence[str] = ()
    """On the columns, where the table does not have them."""


def save(folder: Path, finished: FinishedRun) -> Run:
    """Write every artifact into `folder` and return the content of run.json."""
    settings, table, rows, parts = finished.settings, finished.table, finished.rows, finished.parts
    pipeline, evidence = finished.pipeline, finished.evidence
    write_tables(folder, evidence)
    figures, facts = figures_of(evidence), split_facts(table, rows)
    write_json(folder / artifacts.METRICS, figures["metrics"])
    write_json(folder / artifacts.SCHEMA, schema_of(settings, pipeline, finished.ranges))
    write_json(folder / artifacts.REFERENCE, finished.reference)
    write_json(folder / artifacts.INITIAL, _initial(finished, facts["test"]))
    finished.sample.to_parquet(folder / artifacts.SAMPLE, index=False)
    train = finished.shown["train"]
    write_reference(folder, settings, train.frame, train.score, train.weight)
    write_own_rows(folder, settings, finished.own_rows)
    (folder / artifacts.SETTINGS).write_text(settings_as_toml(settings), encoding="utf-8")
    artifacts.save_pipeline(pipeline, folder / artifacts.PIPELINE)
    run: Run = {
        "schema_version": artifacts.SCHEMA_VERSION,
        "data": {
            "source": table.source,
            "sha256": table.sha256,
            "rows": len(table.target),
            "dropped_rows": table.dropped_rows,
            "dropped_note": table.dropped_note,
            "exclusions": [cast(ExclusionRecord, asdict(exclusion)) for exclusion in table.exclusions],
            "remarks": [*table.remarks, *finished.remarks],
        },
        "split": {"method": settings.split.method, "train": facts["train"], "test": facts["test"]},
        "settings": settings_as_dict(settings),
        "seed": settings.split.seed,
        "pools": finished.pools,
        "in_parts": finished.in_parts,
        "tuning": finished.tuning,
        "bands": figures["bands"],
        "calibration": figures["calibration"],
        "metrics": figures["metrics"],
        "intervals": figures["intervals"],
        "alarms": figures["alarms"],
        "fairness": figures["fairness"],
        "weak_slices": figures["weak_slices"],
        "overfit": figures["overfit"],
        "robustness": figures["robustness"],
        "stability": cast(StabilityFindings, evidence.stability),
        "versions": versions(),
        "same_bytes_again": WITH_WORKERS if settings.engine.on_cluster else SAME_BYTES_AGAIN,
        "files": {},
        "digest": "",
    }
    if "grades" in figures:
        run["grades"] = figures["grades"]
    from validation.report.report import write_report  # its templates are loaded beside the fit

    write_report(folder, run, evidence, parts)
    run["files"] = {
        str(path.relative_to(folder)): sha256_of(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    run["digest"] = digest_of(json.loads(json.dumps(run)), besides="digest")
    write_json(folder / artifacts.RUN, run)
    return run


def _initial(finished: FinishedRun, facts: PartRecord) -> Initial:
    """The initial validation: the test part, on the grades that the model will serve."""
    settings, test, table = finished.settings, finished.parts["test"], finished.table
    period: InitialPeriod | None = None
    if settings.split.time is not None:
        period = {
            "column": settings.split.time,
            "format": settings.split.time_format,
            "first": facts["first_time"],
            "last": facts["last_time"],
        }
    of = settings.validation
    said = Said("test", of.definition or "", of.exposure, period)
    exposure = None if table.exposure is None else np.nan_to_num(table.exposure[finished.rows["test"]])
    rating = Rating.of(finished.evidence.edges, settings.score, finished.evidence.grades)
    return initial_of(rating, test.target, test.probability, test.score, said, exposure)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide on a figure or a bit."""
    return {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}}


def sample_of(frame: pd.DataFrame, test_rows: NDArray[np.intp], train_rows: NDArray[np.intp]) -> pd.DataFrame:
    """Real rows for the certificate, those of the test part first. Raw columns only, without ids and target."""
    rows = np.concatenate([test_rows, train_rows])[:SAMPLE_ROWS]
    return frame.iloc[rows].reset_index(drop=True)
