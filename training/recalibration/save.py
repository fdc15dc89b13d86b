"""Results of a recalibration: artifacts that export as training's do, and name their parent."""

import copy
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.pipeline import Pipeline

from runtime.digest import digest_of
from runtime.grades import Grades
from runtime.score import Scale
from storage.digest import sha256_of
from storage.json_file import write_json
from training import artifacts
from training.artifacts import Artifacts
from training.artifacts.save import versions
from training.documents import ParentRecord, RecalibrationRecord, Run
from training.estimator.calibration import Losses, calibrated, describe
from training.estimator.crossfit import CrossFittedClassifier
from training.reasons import OWN_ROWS, REFERENCE_ROWS
from training.recalibration.calibrators import margins_at
from training.settings import Settings
from validation.bands import scores_of
from validation.calibration import group, reliability
from validation.documents import Alarm, Histogram, Initial, Reference
from validation.moves import Moves
from validation.report.headings import title_of
from validation.report.pages import render

PAGE, FIGURES = "recalibration.html", "recalibration.json"
SAME_BYTES_AGAIN = "the parent's artifacts, the sha256 of the rows, versions, and the kind of processor and C library"
# Figures of the parent that a calibrator without ties and steps does not change.
OF_ROWS = ("rows", "defaults", "weight", "weighted_defaults", "effective_rows", "effective_defaults", "default_rate")
OF_RANKING = (*OF_ROWS, "roc_auc", "gini", "ks")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """The rows [N] that a recalibration is shown on, answered by parent and child."""

    before: Floats
    after: Floats
    target: NDArray[np.int8] | None = None
    weight: Floats | None = None


@dataclass(frozen=True)
class Recalibrated:
    """All that a recalibration has made."""

    parent: Artifacts
    named: ParentRecord
    settings: Settings
    pipeline: Pipeline
    record: RecalibrationRecord
    compared: Compared
    reference: Reference
    metrics: Mapping[str, float | None]
    alarms: list[Alarm]
    initial: Initial | None = None
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Figures of the rows with outcomes, by `before` and `after`; empty without outcomes."""
    comparison: Losses = field(default_factory=list)


def with_calibrator(parent: Pipeline, calibrator: Any, comparison: Losses) -> Pipeline:
    """The parent's pipeline, its preparation and trees untouched, with another calibrator."""
    pipeline = copy.deepcopy(parent)
    classifier: CrossFittedClassifier = pipeline[1]
    classifier.calibrator_ = calibrator
    classifier.calibration_ = "isotonic" if isinstance(calibrator, IsotonicRegression) else "sigmoid"
    classifier.comparison_ = comparison
    classifier.spread_ = 1.0
    return pipeline


def carried_over(reference: Reference, scale: Scale, parent: Any, calibrator: Any) -> Reference:
    """The parent's histograms, the edges of the score where the new calibrator has them; counts stay.

    For calibrators that keep the order of all answers. Edges that fall on one score, as where it stays at a limit, are
    one.
    """
    score, edges, kept = reference["score"], list[float](), list[int]()
    margins = margins_at(np.array([scale.probability(edge) for edge in score["edges"]]), parent)
    for k, edge in enumerate(scale.scores(np.sort(calibrated(calibrator, margins))[::-1].tolist())):
        if not edges or edge > edges[-1]:
            edges.append(edge)
            kept.append(k)
    starts = [0, *(k + 1 for k in kept), len(score["edges"]) + 1]
    moved: Histogram = {"values": [], "edges": edges, "counts": np.add.reduceat(score["counts"], starts).tolist()}
    if "weights" in score:
        moved["weights"] = np.add.reduceat(score["weights"], starts).tolist()
    carried: Reference = {**reference, "score": moved}
    carried.pop("grades", None)
    return carried


def metrics_without_calibration(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """The parent's metrics of its test, null where the calibrator decides about them."""
    return {name: value if name in OF_RANKING else None for name, value in metrics.items()}


def save(folder: Path, its: Recalibrated) -> Run:
    """Write every artifact into `folder` and return the content of run.json."""
    parent, settings = its.parent, its.settings
    for name in (artifacts.SCHEMA, artifacts.SAMPLE, artifacts.SETTINGS, OWN_ROWS):
        if name in parent.run["files"]:
            shutil.copyfile(parent.folder / name, folder / name)
    if REFERENCE_ROWS in parent.drawn:
        _scored_again(parent.drawn[REFERENCE_ROWS], its.pipeline, settings.score).to_parquet(
            folder / REFERENCE_ROWS, index=False
        )
    write_json(folder / artifacts.REFERENCE, its.reference)
    write_json(folder / artifacts.METRICS, {"test": its.metrics})
    if its.initial is not None:
        write_json(folder / artifacts.INITIAL, its.initial)
    artifacts.save_pipeline(its.pipeline, folder / artifacts.PIPELINE)
    chosen = str(its.pipeline[1].calibration_)
    run = {
        **parent.run,
        "calibration": describe(chosen, its.comparison, by_settings=True)
        | {"reason": f"Recalibrated ({its.record['method']}); the trees are those of the parent."},
        "metrics": {"test": dict(its.metrics)},
        "intervals": {"test": {}},
        "alarms": its.alarms,
        "parent": its.named,
        "recalibration": its.record,
        "versions": versions(),
        "same_bytes_again": SAME_BYTES_AGAIN,
        "files": {},
        "digest": "",
    }
    write_json(folder / FIGURES, _figures(its))
    (folder / PAGE).write_text(_page(its), encoding="utf-8")
    run["files"] = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    run["digest"] = digest_of(json.loads(json.dumps(run)), besides="digest")
    write_json(folder / artifacts.RUN, run)
    return cast(Run, run)


def _scored_again(drawn: pd.DataFrame, pipeline: Pipeline, scale: Scale) -> pd.DataFrame:
    """Reference rows of reasons, whose last column is the score."""
    again = drawn.copy()
    probability = pipeline.predict_proba(drawn.iloc[:, :-1])[:, 1]
    again[again.columns[-1]] = scores_of(probability, scale)
    return again


def grades_in(run: Mapping[str, Any]) -> Grades | None:
    """The grades of a run, None for none."""
    grades = run.get("grades")
    return None if grades is None else Grades(grades["limits"], grades["names"])


def moves_of(its: Recalibrated) -> dict[str, Moves]:
    """Rows that change band or grade, under `bands` and, if the model has them, `grades`."""
    scale, compared, run = its.settings.score, its.compared, its.parent.run
    found = {"bands": Moves.of_bands(run["bands"], scores_of(compared.before, scale), scores_of(compared.after, scale))}
    if (grades := grades_in(run)) is not None:
        found["grades"] = Moves.of_grades(grades, compared.before, compared.after)
    return found


def _reliability(compared: Compared) -> pd.DataFrame | None:
    """Groups of equal mass by either side's probability: predicted beside observed default rate, in %."""
    if compared.target is None:
        return None
    sides = []
    for name, probability in _sides(compared).items():
        table = reliability(group(compared.target, probability, weight=compared.weight))
        rates = ["Predicted", "Observed", "Low", "High"]
        table[rates] *= 100
        table = table.rename(columns={rate: f"{rate}, %" for rate in rates})
        table.insert(0, "Group", range(1, len(table) + 1))
        table.insert(0, "Calibrator", name)
        sides.append(table)
    return pd.concat(sides, ignore_index=True)


def _sides(compared: Compared) -> dict[str, Floats]:
    return {"before": compared.before, "after": compared.after}


def _figures(its: Recalibrated) -> dict[str, Any]:
    moves = moves_of(its)
    return {
        "parent": its.named,
        "recalibration": its.record,
        "alarms": its.alarms,
        "moves": {
            what: {
                "labels": list(found.labels),
                "counts": found.counts.tolist(),
                "moved": found.moved,
                "riskier": found.riskier,
            }
            for what, found in moves.items()
        },
        "metrics": {
            side: {name: None if np.isnan(value) else float(value) for name, value in figures.items()}
            for side, figures in its.figures.items()
        },
    }


def _page(its: Recalibrated) -> str:
    figures = None
    if its.figures:
        names = [name for name in its.figures["before"] if name != "threshold"]
        figures = pd.DataFrame(
            {
                "Metric": [title_of(name) for name in names],
                "Parent": pd.Series([its.figures["before"][name] for name in names], dtype=object),
                "Recalibrated": pd.Series([its.figures["after"][name] for name in names], dtype=object),
            }
        )
    return render(
        "recalibration",
        record=its.record,
        parent=its.named,
        alarms=its.alarms,
        moves={
            what: {
                "table": found.as_frame(f"Before \\ after, {what}"),
                "wide": found.is_wide,
                "moved": found.moved,
                "riskier": found.riskier,
            }
            for what, found in moves_of(its).items()
        },
        reliability=_reliability(its.compared),
        figures=figures,
    )
