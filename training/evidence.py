"""The evidence on a fitted model, from its answers for the applicants of each part."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import cpu_count
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from runtime.grades import Grades
from runtime.score import Scale
from training.beside import Explored
from training.contributions import contributions_of
from training.documents import Figures, PoolRecord
from training.estimator.calibration import described, method_of
from training.estimator.preparation import Preparation, row_maximum
from training.explained import explained
from training.labelled import Labelled
from training.settings import Settings
from validation.bands import band_edges, band_table, scores_of
from validation.calibration import group, reliability
from validation.copies import Copies, copies_of
from validation.cutoffs import cutoff_table
from validation.dependence import Answer, Axis, dependence
from validation.documents import Reference, StabilityFindings
from validation.evidence import Answered, Evidence, Part
from validation.fairness.compare import Answers, compare
from validation.fairness.documents import FairnessFigures
from validation.fairness.findings import findings as findings_of_groups
from validation.findings import Examined, alarms
from validation.grades import grade_table
from validation.importance import importance
from validation.intervals.bootstrap import bootstrap
from validation.metrics import evaluate
from validation.rating import Rating
from validation.robustness import robustness
from validation.sample import sampled_rows
from validation.slices.documents import Overfit, Robustness, WeakSlices
from validation.slices.findings import findings_of_slices
from validation.slices.overfit import overfit_slices
from validation.slices.weak import weak_slices
from validation.stability import shifts

CHUNK = 5_000  # rows that the pipeline prepares at a time, in each thread; of many columns fewer
CELLS = 4_000_000
MOST_THREADS = 4
TOP_FEATURES = 6
ROWS_FOR_IMPORTANCE = 1_000


def answer(settings: Settings, pipeline: Pipeline, its: Labelled) -> Part:
    """The part with the model's answers; memory beyond the answers does not grow with the rows."""
    probability = asked_by(pipeline)(its.frame)
    return Part(its.frame, its.target, probability, scores_of(probability, settings.score), its.weight, its.groups)


def asked_by(pipeline: Pipeline) -> Answer:
    """The pipeline's probabilities of default for raw columns, some rows at a time in each of a few threads."""
    at_once = max(1, min(CHUNK, CELLS // pipeline[0].width))

    def ask(frame: pd.DataFrame) -> NDArray[np.float64]:
        def some(first: int) -> NDArray[np.float64]:
            return np.asarray(pipeline.predict_proba(frame.iloc[first : first + at_once])[:, 1])

        with ThreadPoolExecutor(min(cpu_count(), MOST_THREADS)) as threads:
            return np.concatenate(list(threads.map(some, range(0, len(frame), at_once))))

    return ask


@dataclass(frozen=True)
class OfFeatures:
    """Counts in the features of all rows of a table, read whole or in parts."""

    stability: StabilityFindings
    copies: Copies
    missing: Mapping[str, float]
    """Share of the training rows that lack each raw column."""
    amount: NDArray[np.float64] | None
    """The column that `costs.amount` names, of the test's rows."""


def of_features(settings: Settings, parts: Mapping[str, Part], reference: Reference) -> OfFeatures:
    """Counts in the features of parts that are in memory; `reference` has the bins of the training rows."""
    train, test = parts["train"], parts["test"]
    amount = settings.costs.amount
    return OfFeatures(
        shifts(reference, test.frame, test.score, settings.stability, test.weight),
        copies_of(train, test),
        dict(train.frame.isna().mean()),
        None if amount is None else test.frame[amount].to_numpy(dtype=float),
    )


def gather(
    settings: Settings,
    pipeline: Pipeline,
    parts: Mapping[str, Answered],
    shown: Mapping[str, Part],
    counted: OfFeatures,
    pools: Sequence[PoolRecord],
    explored: Explored,
    own_rows: pd.DataFrame | None = None,
    grades: Grades | None = None,
) -> Evidence:
    """The evidence on `train` and `test`, each with both classes.

    `shown` are the same parts where the table is in memory, else a draw of the rows of each; `explored` gives what
    training.exploration.explore finds in the training rows; `own_rows` are the applicants of a file whom reasons
    compare with; `grades` those of the master scale.
    """
    evaluation, scale, seed = settings.evaluation, settings.score, settings.split.seed
    train, test = parts["train"], parts["test"]
    edges = list(evaluation.bands) or band_edges(train.score, scale)
    beside = ThreadPoolExecutor(1)  # neither XGBoost nor numpy holds Python's lock for long
    its_importance = beside.submit(importance_of, pipeline, shown["train"], seed)
    its_reasons = beside.submit(explained, settings, pipeline, shown, edges, own_rows)
    beside.shutdown(wait=False)
    threshold, probability_limits = evaluation.threshold, scale.probability_limits
    metrics = {
        name: evaluate(part.target, part.probability, threshold, probability_limits, part.weight)
        for name, part in parts.items()
    }
    drawn = {
        name: bootstrap(
            part.target, part.probability, threshold, evaluation.resamples, seed, probability_limits, part.weight
        )
        for name, part in parts.items()
    }
    intervals = {name: of_part.bounds for name, of_part in drawn.items()}
    exploration = explored()
    examined = Examined(
        test=test,
        scale=scale,
        metrics=metrics,
        intervals=intervals,
        calibrator=method_of(pipeline[1]),
        by_auto=settings.model.calibration == "auto",
        on_margin=settings.model.calibrate_on == "margin",
        correct_spread=settings.model.correct_spread or settings.model.estimator != "cross-fit",
        split=settings.split.method,
        test_from=settings.split.test_from is not None,
        can_group=settings.split.group is None and settings.model.estimator != "calibrated-cv",
        can_tune=not settings.tuning.trials and not settings.engine.in_parts,
        stability=counted.stability,
        leaks={entry["feature"]: entry["reason"] for entry in exploration["suspects"] if entry["leak"]},
        copies=counted.copies,
        thin={pool["feature"]: pool["rows"] / len(train.target) for pool in pools},
        left_out=drawn["test"].left_out,
        resamples=evaluation.resamples,
    )
    fairness = _fairness(settings, test)
    weak, overfit, robust = challenged(settings, pipeline, shown, edges)
    features = its_importance.result()
    reasons, no_reasons = its_reasons.result()
    top = features["Feature"].head(TOP_FEATURES)
    return Evidence(
        metrics=metrics,
        intervals=intervals,
        edges=edges,
        bands={name: band_table(part, edges) for name, part in parts.items()},
        cutoffs=cutoff_table(test, edges, settings.costs, counted.amount),
        reliability={
            name: reliability(group(part.target, part.probability, weight=part.weight)) for name, part in parts.items()
        },
        calibration=described(pipeline[1], by_settings=settings.model.calibration != "auto"),
        alarms=[
            *alarms(examined),
            *(findings_of_groups(fairness) if fairness else []),
            *findings_of_slices(weak, overfit, robust),
        ],
        stability=counted.stability,
        importance=features,
        dependence=dependence_of(pipeline, shown["train"].frame, scale, top, seed, shown["train"].weight),
        exploration=exploration,
        missing=counted.missing,
        reasons=reasons,
        no_reasons=no_reasons,
        grades=grades,
        by_grade={} if grades is None else {name: grade_table(part, grades) for name, part in parts.items()},
        fairness=fairness,
        weak=weak,
        overfit=overfit,
        robustness=robust,
    )


def challenged(
    settings: Settings, pipeline: Pipeline, shown: Mapping[str, Part], edges: list[float]
) -> tuple[WeakSlices, Overfit, Robustness]:
    """Where the test is worst, what overfits, and what small changes do, on `shown` as in `gather`."""
    test, scale, seed = shown["test"], settings.score, settings.split.seed
    places = Rating.of_bands(edges, scale).places
    return (
        weak_slices(test.frame, test.target, test.probability, seed, test.weight),
        overfit_slices(shown["train"], test, seed),
        robustness(asked_by(pipeline), test.frame, scale, places, seed, test.weight),
    )


def _fairness(settings: Settings, test: Answered) -> FairnessFigures | None:
    if not test.groups:
        return None
    answers = Answers(test.probability, test.score, test.target.astype(np.float64), test.weight)
    cutoff = settings.reasons.cutoff
    return compare(test.groups, answers, settings.fairness, None if cutoff is None else (cutoff, "reasons.cutoff"))


def importance_of(pipeline: Pipeline, part: Part, seed: int) -> pd.DataFrame:
    """The mean contribution of each feature to the score, over up to ROWS_FOR_IMPORTANCE of the part's rows."""
    rows = sampled_rows(len(part.frame), ROWS_FOR_IMPORTANCE, seed, part.weight)
    return importance(contributions_of(pipeline, part.frame.iloc[rows]), part.score[rows])


def dependence_of(
    pipeline: Pipeline,
    frame: pd.DataFrame,
    scale: Scale,
    features: Iterable[str],
    seed: int,
    weight: NDArray[np.float64] | None = None,
) -> dict[str, pd.DataFrame]:
    """The score along each feature, or group of a row maximum, of the rows of `frame` [N], with weights [N]."""
    axes = [replace(_axis(pipeline[0], frame, name), weight=weight) for name in features]
    return dependence(asked_by(pipeline), frame, scale, axes, seed, weight)


def _axis(preparation: Preparation, frame: pd.DataFrame, name: str) -> Axis:
    members = list((preparation.row_max or {}).get(name, [name]))
    if name in preparation.vocabularies_:
        return Axis(name, members, frame[name].to_numpy(dtype=object))
    if len(members) == 1:
        return Axis(name, members, frame[name].to_numpy(dtype=np.float64))
    return Axis(name, members, row_maximum(frame[members].to_numpy(dtype=np.float32)).astype(np.float64))


def figures_of(evidence: Evidence) -> Figures:
    """The evidence in run.json, in JSON's types; a metric without a value is null."""
    figures: Figures = {
        "bands": evidence.edges,
        "calibration": evidence.calibration,
        "metrics": {
            part: {name: None if np.isnan(value) else value for name, value in figures.items()}
            for part, figures in evidence.metrics.items()
        },
        "intervals": {
            part: {name: list(bounds) for name, bounds in of_part.items()}
            for part, of_part in evidence.intervals.items()
        },
        "alarms": evidence.alarms,
        "fairness": evidence.fairness,
        "weak_slices": evidence.weak,
        "overfit": evidence.overfit,
        "robustness": evidence.robustness,
    }
    if evidence.grades is not None:
        figures["grades"] = {"limits": evidence.grades.limits, "names": evidence.grades.names}
    return figures


def write_tables(folder: Path, evidence: Evidence) -> None:
    """Write the tables as CSV: bands, grades and reliability of each part, cut-offs."""
    for part, table in evidence.by_grade.items():
        table.to_csv(folder / f"grades_{part}.csv", index=False)
    for part, table in evidence.bands.items():
        table.to_csv(folder / f"bands_{part}.csv", index=False)
    for part, table in evidence.reliability.items():
        table.to_csv(folder / f"reliability_{part}.csv", index=False)
    evidence.cutoffs.to_csv(folder / "cutoffs.csv", index=False)
