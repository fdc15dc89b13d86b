"""A fitted scikit-learn pipeline of somebody's as a whole model/ folder: graph, manifest and certificate."""

import io
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import VotingClassifier
from sklearn.isotonic import IsotonicRegression

from cli.progress import Progress
from cli.words import escaped, shown
from export.batch.build import BuiltBatch
from export.certificate import probes
from export.certificate.certify import Claim, Tolerance, prove, versions
from export.certificate.comparison import Session
from export.converters.classifier import answers_margin, boosters_of, members_of
from export.documents import Certificate, Findings, ManifestCalibration, ManifestReference, StatedTolerance
from export.manifest import METRICS_OF_REFERENCE, Facts, initial_file, manifest_from
from export.model_folder import CERTIFICATE, CERTIFICATE_VERSION, GRAPH, INITIAL, MANIFEST, REASONS
from export.own.branches import as_classifier
from export.own.dates import DESCRIPTION
from export.own.fitted import Fitted, read_fitted
from export.own.prepared import unheard
from export.own.proof import answered_rows, as_given
from export.own.reasons import build_own_reasons, raw_rows_of
from export.own.settings import OwnSettings
from export.own.signs import prove_own_signs
from export.reasons.build import BuiltReasons
from export.reasons.hints import add_hints, compare_hints
from export.refusal import ExportRefused
from runtime.explain import load_explainer
from runtime.grades import Grades
from runtime.manifest import Manifest
from runtime.model import Model
from runtime.score import Scale
from runtime.session import open_session
from storage.digest import sha256_of
from storage.folder import replaced_folder
from storage.json_file import write_json
from table.settings import Feature, FeatureType
from training.artifacts import PIPELINE, plain_dump, skops_io
from training.documents import FeatureEntry, Schema
from training.settings.reasons import NONE
from validation.bands import band_edges, scores_of
from validation.documents import Initial
from validation.grades import counts_of, grades_of
from validation.initial import Said, initial_of
from validation.metrics import evaluate
from validation.rating import Rating
from validation.settings import Stability
from validation.stability import reference_of

NO_BATCH = BuiltBatch("a pipeline that training.run did not fit")
NO_OUTCOMES = "the pipeline was exported without outcomes; name their column with --target"
THRESHOLD = 0.5  # of the metrics that need one; none of them is in the manifest


def export_own(
    estimator: Any,
    X: Any,
    y: Any,
    out: Path,
    settings: OwnSettings,
    progress: Progress,
    made: Mapping[str, str] | None = None,
) -> Certificate:
    """Write graph, manifest and certificate of a fitted pipeline, and replace `out` when all three hold.

    `X` are real rows in the raw columns of the pipeline, `y` their outcomes or None; `made` has the versions of the
    libraries that made the pipeline's file. Raises ExportRefused.
    """
    estimator = as_classifier(estimator)
    with replaced_folder(out, MANIFEST) as folder:
        with progress.step("Converting"):
            fitted = read_fitted(estimator, X, settings.positive, settings.tolerance)
            target = None if y is None else _target(y, fitted, settings.positive)
            session = open_session(fitted.graph)
        tolerance = Tolerance.of(fitted.oracle.classifier)
        with progress.step("Describing"):
            facts, scores, initial = _facts(fitted, target, settings, made or {})
        with progress.step("Certifying against the fitted pipeline") as show:
            findings = findings_of(fitted, facts.scale, facts.edges, facts.grades, show)
        stated = _stated(fitted, findings)
        of_self_check = max(tolerance.of_self_check, fitted.tolerance or 0)
        reasons = _reasons(fitted, settings, facts, scores, session, progress)
        manifest = manifest_from(facts, fitted.graph, session, of_self_check, NO_BATCH, reasons, stated)
        (folder / GRAPH).write_bytes(fitted.graph)
        if reasons is not None and reasons.content:
            (folder / REASONS).write_bytes(reasons.content)
        write_json(folder / MANIFEST, manifest)
        if initial is not None:
            write_json(folder / INITIAL, initial)
        head = {
            "schema_version": CERTIFICATE_VERSION,
            "sha256": {file: sha256_of(folder / file) for file in (GRAPH, MANIFEST)}
            | {PIPELINE: digest_of_pipeline(estimator)},
            "versions": versions(),
        }
        certificate = cast(Certificate, {**head, **findings})
        if initial is not None:
            certificate["sha256"][INITIAL] = sha256_of(folder / INITIAL)
        if reasons is not None and reasons.compared is not None:
            certificate["sha256"][REASONS] = sha256_of(folder / REASONS)
            certificate["reasons"] = reasons.compared
            before = Model(Manifest.read(str(folder / MANIFEST)), session, str(folder))
            if hints := compare_hints(before, reasons.content, raw_rows_of(fitted.real)):
                certificate["hints"] = hints
        write_json(folder / CERTIFICATE, certificate)
        with progress.step("Starting the runtime on it"):
            served = Model.load(str(folder))
            version = served.manifest.model_version
            if reasons is not None and reasons.content:
                load_explainer(served)
    if fitted.oracle.raised:
        progress.say(f"  {fitted.oracle.raised:,} made-up rows were not compared: the pipeline raises for them")
    needed = [name for raw, name in enumerate(_names(fitted)) if not fitted.oracle.nullable.get(raw, True)]
    if needed:
        progress.say(f"  {escaped(shown(needed))} must not be missing: the pipeline raises for it")
    if closed := [_names(fitted)[raw] for raw in sorted(fitted.oracle.table.closed)]:
        progress.say(f"  {escaped(shown(closed))} must have a level of the fit: the pipeline raises for others")
    if stated is not None:
        progress.say(
            f"[yellow]![/] {escaped(shown(stated['steps']))} close, not exact: probabilities differ by up to "
            f"{stated['largest_difference']:.1e}, {stated['stated']:.0e} was accepted"
        )
    progress.say(f"Written to [bold]{escaped(out)}/[/]: model [bold]{version}[/]. Next: python -m runtime.local")
    return certificate


def _reasons(
    fitted: Fitted,
    settings: OwnSettings,
    facts: Facts,
    scores: NDArray[np.float64],
    session: Session,
    progress: Progress,
) -> BuiltReasons | None:
    """The tables of reasons; None where the settings want none."""
    entries = facts.schema["features"]
    known = settings.of(
        [Feature(e["name"], cast(FeatureType, e["type"]), description=e.get("description", "")) for e in entries]
    )
    if settings.reasons.reference == NONE:
        return None
    with progress.step("Building the tables of reasons") as show:
        built = build_own_reasons(fitted, known, scores, session, sha256_of(fitted.graph), progress, show)
    add_hints(built.record, known, facts.schema, [raw_rows_of(fitted.real)])
    if built.why:
        progress.say(f"[yellow]![/] Exported without reasons: {escaped(built.why)}")
    return built


@unheard()
def findings_of(
    fitted: Fitted, scale: Scale, edges: list[float], grades: Grades | None, show: Callable[[str], None]
) -> Findings:
    """Compare graph and pipeline on every kind of row. Raises ExportRefused."""
    claim = Claim(
        contract=fitted.built.contract,
        session=open_session(fitted.graph),
        real=fitted.real,
        scale=scale,
        edges=edges,
        tolerance=Tolerance.stated(fitted.tolerance, fitted.oracle.classifier),
        at_once=fitted.oracle.at_once,
        grades=grades,
    )
    try:
        return prove(
            claim,
            answered_rows(fitted.oracle, fitted.frame, fitted.real),
            lambda: prove_own_signs(fitted, claim.session, scale),
            show,
        )
    except ExportRefused as refusal:
        if found := fitted.oracle.first_difference:
            raise ExportRefused(f"{refusal}; {found}") from None
        raise


def _stated(fitted: Fitted, findings: Findings) -> StatedTolerance | None:
    """The manifest's tolerance for steps that are only close; None for a model without such steps."""
    if fitted.tolerance is None:
        return None
    ways = {column.way for its in fitted.oracle.preparations for column in its.columns if column.mixed is not None}
    return {
        "stated": fitted.tolerance,
        "largest_difference": findings["total"]["largest_probability_difference"],
        "steps": sorted(ways),
    }


def digest_of_pipeline(estimator: Any) -> str:
    """The sha256 of a fitted pipeline, in memory or read from a file: of its skops file, or of its pickle without one.

    Of a copy, since which of its equal parts are one object is another after a file than after `fit`.
    """
    again = joblib.load(io.BytesIO(_pickled(estimator)))
    try:
        return sha256_of(plain_dump(skops_io.dumps(again)))
    except Exception:  # skops knows not every type
        return sha256_of(_pickled(again))


def _pickled(estimator: Any) -> bytes:
    """The pickle; functions that no module has by name, such as a notebook's, go in by value."""
    try:
        return _dumped(estimator)
    except (pickle.PicklingError, AttributeError, TypeError):
        return _dumped(joblib.wrap_non_picklable_objects(estimator, keep_wrapper=False))


def _dumped(content: Any) -> bytes:
    pickled = io.BytesIO()
    joblib.dump(content, pickled)
    return pickled.getvalue()


def _names(fitted: Fitted) -> list[str]:
    return [column.name for column in fitted.oracle.table.columns]


@unheard()
def _facts(
    fitted: Fitted, target: NDArray[np.int8] | None, settings: OwnSettings, made: Mapping[str, str]
) -> tuple[Facts, NDArray[np.float64], Initial | None]:
    """Facts for the manifest, the score of each row, and the initial validation if outcomes are known."""
    table, real = fitted.oracle.table, fitted.real
    probability = np.concatenate([answer.probability for _, answer in as_given(fitted.oracle, fitted.frame, real)])
    scores = scores_of(probability, settings.scale)
    edges = band_edges(scores, settings.scale) if settings.edges is None else list(settings.edges)
    schema = schema_of(fitted, settings)
    features = [Feature(entry["name"], cast(FeatureType, entry["type"])) for entry in schema["features"]]
    reference = reference_of(_plain(fitted), scores, features, Stability())
    metrics = _metrics(probability, target)
    grades = grades_of(settings.grades, target, probability)
    if grades is not None:
        reference["grades"] = counts_of(grades, probability)
    initial = None
    if target is not None:
        rating = Rating.of(edges, settings.scale, grades)
        initial = initial_of(rating, target, probability, scores, Said("given"))
    facts = Facts(
        schema=schema,
        scale=settings.scale,
        edges=edges,
        grades=grades,
        calibration=_calibration(fitted.oracle.classifier),
        branches=[],
        reference=cast(ManifestReference, {**reference, "metrics": metrics}),
        batch=settings.batch,
        columns=probes.RawColumns(table, table.binary),
        real=real,
        initial=initial_file(initial, NO_OUTCOMES),
        made={f"{library} of the fit": number for library, number in made.items()},
    )
    return facts, np.asarray(scores, dtype=np.float64), initial


def schema_of(fitted: Fitted, settings: OwnSettings) -> Schema:
    """Raw columns in the pipeline's order, with what the rows and the pipeline say of them."""
    table, features = fitted.oracle.table, []
    inputs = fitted.real
    for raw, column in enumerate(table.columns):
        if raw not in table.read:
            continue
        entry: FeatureEntry = {
            "name": column.name,
            "type": column.type,
            "nullable": fitted.oracle.nullable[raw],
            "description": settings.descriptions.get(column.name, DESCRIPTION if column.is_date else ""),
        }
        if column.type == "category":
            entry["vocabulary"] = table.vocabularies_[column.name]
            if raw in table.closed:
                entry["closed"] = True
        if column.type == "number":
            values = inputs["numbers"][:, table.numbers.index(column.name)]
            values = values[np.isfinite(values)]
            entry["range"] = [float(values.min()), float(values.max())] if len(values) else None
        features.append(entry)
    if unknown := sorted(set(settings.descriptions) - {entry["name"] for entry in features}):
        raise ExportRefused(f"descriptions: the pipeline does not read {shown(unknown)}; leave them out")
    return {"inputs": {"numbers": table.numbers, "categories": list(table.vocabularies_)}, "features": features}


def _plain(fitted: Fitted) -> pd.DataFrame:
    """The rows as training has them: numbers and booleans float64, texts with "" for missing."""
    table, inputs = fitted.oracle.table, fitted.real
    columns: dict[str, Any] = {name: inputs["numbers"][:, i] for i, name in enumerate(table.numbers)}
    columns |= {name: pd.Series(inputs["categories"][:, i], dtype=object) for i, name in enumerate(table.vocabularies_)}
    return pd.DataFrame(columns)


def _target(y: Any, fitted: Fitted, positive: Any) -> NDArray[np.int8]:
    """Outcomes as 0 and 1, 1 for a default. Raises ExportRefused for any other target."""
    values = np.asarray(y).ravel()
    if len(values) != len(fitted.frame):
        raise ExportRefused(f"target: expected {len(fitted.frame):,} outcomes, one for each row, got {len(values):,}")
    classes = np.asarray(fitted.oracle.classifier.classes_).tolist()
    found = pd.unique(pd.Series(values)).tolist()
    if not set(found) <= set(classes) or len(found) != 2:
        raise ExportRefused(
            f"target: expected both classes of the pipeline, {shown(classes)}, and no other value, got {shown(found)}"
        )
    default = classes[1] if positive is None else positive
    return np.asarray(values == default, dtype=np.int8)


def _metrics(probability: NDArray[np.float64], target: NDArray[np.int8] | None) -> dict[str, float | None]:
    """Figures of the given rows; null where outcomes are needed and unknown."""
    known: dict[str, Any] = {"rows": len(probability), "mean_probability": float(probability.mean())}
    if target is not None:
        known = evaluate(target, probability, THRESHOLD)
    return {name: round(float(known[name]), 6) if name in known else None for name in METRICS_OF_REFERENCE}


def _calibration(classifier: Any) -> ManifestCalibration:
    boosters = boosters_of(classifier)
    calibrated = getattr(classifier, "calibrated_classifiers_", [])
    voters = members_of(classifier) if isinstance(classifier, VotingClassifier) else [classifier]
    methods = {str(voter.method) for voter in voters if hasattr(voter, "calibrated_classifiers_")}
    content: ManifestCalibration = {
        "method": ", ".join(sorted(methods)) or "none",
        "on": "margin" if calibrated and answers_margin(boosters[0]) else "probability",
        "estimator": type(classifier).__name__,
        "folds": max(1, len(calibrated)),
        "boosters": len(boosters),
    }
    if len(calibrated) == 1 and isinstance(calibrated[0].calibrators[0], IsotonicRegression):
        content["knots"] = len(calibrated[0].calibrators[0].X_thresholds_)
    return content
