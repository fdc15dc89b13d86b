"""model/manifest.json: everything that the runtime has to know about a model besides its graph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from sklearn.isotonic import IsotonicRegression

from export.batch.build import BuiltBatch
from export.certificate import probes
from export.certificate.certify import versions
from export.certificate.comparison import Session, ask_graph
from export.converters.classifier import answers_margin, boosters_of
from export.documents import (
    CheckedGrade,
    CheckedScore,
    InitialFile,
    ManifestBody,
    ManifestCalibration,
    ManifestDocument,
    ManifestReference,
    NoInitial,
    ScoreScale,
    SelfCheckEntry,
    StatedTolerance,
    TravelledLevel,
    TravelledSplit,
)
from export.graph.pipeline import Contract, travelled_splits
from export.reasons.build import BuiltReasons, explain_self_check
from runtime.digest import version_of
from runtime.grades import Grades, grades_to_check
from runtime.manifest import SCHEMA_VERSION, SELF_CHECK_ROWS
from runtime.score import Scale, band, scores_to_check
from storage.digest import sha256_of
from storage.json_file import json_text
from table.columns import MISSING_CATEGORY
from training.artifacts import Artifacts
from training.documents import ParentRecord, Run, Schema
from training.estimator.calibration import method_of
from training.settings.checks import REQUEST_ID
from validation.documents import Initial

BATCH_LIMIT = 1_000
NO_INITIAL = "the run is older than initial.json; train and export again"
NO_OUTCOMES = "the model was recalibrated without outcomes; validate it on rows with outcomes first"
METRICS_OF_REFERENCE = ("rows", "default_rate", "mean_probability", "roc_auc", "log_loss", "brier")


@dataclass(frozen=True)
class Facts:
    """Facts of a model in its manifest besides the graph."""

    schema: Schema
    scale: Scale
    edges: list[float]
    grades: Grades | None
    calibration: ManifestCalibration
    branches: list[TravelledSplit | TravelledLevel]
    reference: ManifestReference
    batch: int
    """Most applicants of a request."""
    columns: probes.RawColumns
    real: probes.Inputs
    """Raw inputs of real applicants, which made-up ones are drawn from."""
    initial: InitialFile | NoInitial
    made: Mapping[str, str] = field(default_factory=dict)
    """Versions of the libraries that fitted a pipeline of the user's own, where its file says them."""
    parent: ParentRecord | None = None
    """Parent of a recalibrated run."""


def manifest_of(
    artifacts: Artifacts,
    contract: Contract,
    graph: bytes,
    session: Session,
    tolerance: float,
    batch: BuiltBatch,
    reasons: BuiltReasons | None = None,
) -> ManifestDocument:
    """The manifest of a run's model: see `manifest_from`."""
    preparation = artifacts.pipeline[0]
    facts = Facts(
        schema=artifacts.schema,
        scale=scale_of(artifacts),
        edges=list(artifacts.run["bands"]),
        grades=grades_of_run(artifacts.run),
        calibration=_calibration(artifacts),
        branches=travelled_splits(contract, preparation),
        reference={**artifacts.reference, "metrics": _metrics_of_the_test(artifacts)},
        batch=BATCH_LIMIT,
        columns=probes.RawColumns(preparation, binary_columns(artifacts)),
        real=preparation.raw_inputs(artifacts.sample),
        initial=initial_file(artifacts.initial, NO_OUTCOMES if "parent" in artifacts.run else NO_INITIAL),
        parent=artifacts.run.get("parent"),
    )
    return manifest_from(facts, graph, session, tolerance, batch, reasons)


def manifest_from(
    facts: Facts,
    graph: bytes,
    session: Session,
    tolerance: float,
    batch: BuiltBatch,
    reasons: BuiltReasons | None = None,
    stated: StatedTolerance | None = None,
) -> ManifestDocument:
    """The manifest of a serialised graph.

    `tolerance` is the difference in probability that another machine may show, `stated` the larger one that the user
    accepted. The manifest holds no applicant: the self-check rows are made up. The model's version is a digest of the
    graph and of everything in the manifest, so that two models with the same version answer the same.
    """
    manifest: ManifestBody = {
        "schema_version": SCHEMA_VERSION,
        "sha256": sha256_of(graph),
        "id": REQUEST_ID,
        "inputs": facts.schema["inputs"],
        "features": facts.schema["features"],
        "score": _score(facts.scale),
        "bands": facts.edges,
        "calibration": facts.calibration,
        "limits": {"batch": facts.batch},
        "branches": facts.branches,
        "reference": facts.reference,
        "versions": versions() | dict(facts.made),
        "self_check": {
            "probability_tolerance": tolerance,
            "inputs": facts.schema["inputs"],
            "scores": cast("list[CheckedScore]", scores_to_check(facts.scale, facts.edges)),
            "rows": _self_check_rows(facts, session),
        },
        "initial": facts.initial,
    }
    manifest["batch"] = {"why": batch.why} if batch.record is None else batch.record
    if facts.grades is not None:
        manifest["grades"] = {"limits": facts.grades.limits, "names": facts.grades.names}
        manifest["self_check"]["grades"] = cast("list[CheckedGrade]", grades_to_check(facts.grades))
        for row in manifest["self_check"]["rows"]:
            row["grade"] = facts.grades.name(row["probability"])
    if reasons is not None:
        manifest["reasons"] = {"why": reasons.why} if reasons.record is None else reasons.record
        if reasons.record is not None:
            explain_self_check(reasons, manifest["self_check"]["rows"])
    if facts.parent is not None:
        manifest["parent"] = facts.parent
    if stated is not None:
        manifest["tolerance"] = stated
    head = {"schema_version": SCHEMA_VERSION, "model_version": version_of(manifest)}
    return cast(ManifestDocument, head | manifest)


def initial_file(initial: Initial | None, why: str) -> InitialFile | NoInitial:
    """Entry of initial.json in a manifest, which the model's version covers; or why it has no such entry."""
    if initial is None:
        return {"why": why}
    content = json_text(initial).encode()
    return {"sha256": sha256_of(content), "bytes": len(content)}


def scale_of(artifacts: Artifacts) -> Scale:
    """The score scale of the run's settings."""
    score = artifacts.run["settings"]["score"]
    return Scale(**{**score, "probability_limits": tuple(score["probability_limits"])})


def grades_of_run(run: Run) -> Grades | None:
    """The grades of a run, None for none."""
    grades = run.get("grades")
    return None if grades is None else Grades(grades["limits"], grades["names"])


def binary_columns(artifacts: Artifacts) -> frozenset[str]:
    """The names of the boolean columns."""
    return frozenset(entry["name"] for entry in artifacts.schema["features"] if entry["type"] == "boolean")


def _score(scale: Scale) -> ScoreScale:
    return {
        "points": scale.points,
        "odds": scale.odds,
        "points_to_double": scale.points_to_double,
        "probability_limits": list(scale.probability_limits),
    }


def _metrics_of_the_test(artifacts: Artifacts) -> dict[str, float | None]:
    """Figures for comparison with later outcomes, on applicants that the fit has not seen, to six decimals."""
    metrics = artifacts.run["metrics"]["test"]
    values = {name: metrics[name] for name in METRICS_OF_REFERENCE}
    return {name: None if value is None else round(value, 6) for name, value in values.items()}


def _calibration(artifacts: Artifacts) -> ManifestCalibration:
    classifier = artifacts.pipeline[1]
    model = artifacts.run["settings"]["model"]
    on_margin = not hasattr(classifier, "calibrated_classifiers_") or answers_margin(boosters_of(classifier)[0])
    content: ManifestCalibration = {
        "method": method_of(classifier),
        "on": "margin" if on_margin else "probability",
        "estimator": model["estimator"],
        "folds": model["folds"],
        "boosters": len(boosters_of(classifier)),
    }
    calibrator = getattr(classifier, "calibrator_", None)
    if isinstance(calibrator, IsotonicRegression):
        content["knots"] = len(calibrator.X_thresholds_)
    elif calibrator is not None:  # Platt: p = 1 / (1 + exp(slope * margin + intercept))
        content["slope"], content["intercept"] = float(calibrator.a_), float(calibrator.b_)
    return content


def _self_check_rows(facts: Facts, session: Session) -> list[SelfCheckEntry]:
    """Made-up applicants from the lowest to the highest probability, the last one without any value."""
    columns, real, scale, edges = facts.columns, facts.real, facts.scale, facts.edges
    drawn = _askable(facts, probes.at_random(columns, real, 1_000, seed=1))
    order = np.argsort(ask_graph(session, drawn).probability, kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, SELF_CHECK_ROWS - 1).astype(int)]
    nothing = _askable(facts, probes.without_values(columns, real))
    rows = {name: np.concatenate([drawn[name][chosen], nothing[name][:1]]) for name in drawn}
    answer = ask_graph(session, rows)
    return [
        {
            "numbers": [None if np.isnan(x) else x for x in rows["numbers"][i].tolist()],
            "categories": rows["categories"][i].tolist() if "categories" in rows else [],
            "margin": [float(m) for m in answer.margin[i]],
            "probability": float(p),
            "score": scale.score(float(p)),
            "band": band(scale.score(float(p)), edges),
        }
        for i, p in enumerate(answer.probability)
    ]


def _askable(facts: Facts, rows: probes.Inputs) -> probes.Inputs:
    """The rows with a usual value wherever a request may not hold theirs: a missing one, or a level not known."""
    inputs = facts.schema["inputs"]
    for entry in facts.schema["features"]:
        if entry["type"] == "category":
            levels = entry["vocabulary"]
            column = rows["categories"][:, inputs["categories"].index(entry["name"])]
            known = {*levels, *((MISSING_CATEGORY,) if entry["nullable"] else ())}
            strange = [level not in known for level in column] if entry.get("closed") else column == MISSING_CATEGORY
            if entry.get("closed") or not entry["nullable"]:
                column[strange] = levels[0]
        elif not entry["nullable"]:
            place = inputs["numbers"].index(entry["name"])
            real, column = facts.real["numbers"][:, place], rows["numbers"][:, place]
            column[np.isnan(column)] = real[np.isfinite(real)][0]
    return rows
