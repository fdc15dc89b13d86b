"""A table of any size as a subject of validation: one pass over its features, and a few numbers kept for each row.

For each row, probability, score, outcome, and codes of period, segments and clusters are kept; of the features only
counts, and a sample of at most SAMPLE rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cli.errors import UserError
from cli.progress import Progress
from cli.words import counted
from table import column_of
from table.cells import Source, coded_labels
from table.outcomes import NO_ROWS, outcomes_of
from table.settings import Data, Feature, Schema
from table.stream import Stream, streamed
from table.times import Times, times
from table.weights import exposures_of, weights_of
from validation.bands import scores_of
from validation.fairness.columns import columns_beside
from validation.fairness.groups import Attribute, attributes_of
from validation.initial import read_initial
from validation.moments import by_file, by_time, too_young
from validation.rating import Rating
from validation.repeats import Ids, clusters_of, ids_of, joined, moved_between, repeated_in
from validation.sample import sampled_rows
from validation.sections.section import Coded, Floats, Migrations, Rows, Sample, Subject
from validation.sections.segments import MOST_LEVELS
from validation.served import Served
from validation.settings import Fairness, Stability, Validation
from validation.stability.comparison import shifts_of_counts
from validation.stability.tallies import Tallies

ROWS_AT_ONCE = 200_000
SAMPLE = 50_000
SEED = 99


@dataclass(frozen=True)
class Asked:
    """The request of a validation. `named` are the keys that the user set, whose columns must exist."""

    data: Data
    validation: Validation
    limits: Stability
    named: frozenset[str] = frozenset()
    previous: str | None = None
    fairness: Fairness = field(default_factory=Fairness)


@dataclass(frozen=True)
class Observed:
    """A subject, and remarks on its table in JSON's types."""

    subject: Subject
    data: Mapping[str, Any]
    weight: str | None
    remarks: Sequence[str]


@dataclass(frozen=True)
class _Columns:
    """The columns besides the features: where each is read from, None for none."""

    time: str | None
    time_format: str | None
    exposure: str | None


def observe(served: Served, asked: Asked, progress: Progress) -> Observed:
    """Read, score and count a table. Raises UserError for whatever is wrong with it."""
    manifest = served.model.manifest
    rating = Rating.of_manifest(manifest.document, manifest.scale)
    initial, no_initial = read_initial(served.folder, manifest.document, rating)
    data = asked.data if asked.data.weight is not None else replace(asked.data, weight=served.weight)
    if manifest.normalization:
        data = replace(data, normalization="NFC")
    its = asked.validation
    period = None if initial is None else initial["period"]
    columns = _Columns(
        its.time or (period["column"] if period else None),
        its.time_format if its.time or not period else period["format"],
        its.exposure or (initial["exposure"] if initial else None),
    )
    wanted, optional = _wanted(data, its, columns, asked.named)
    beside = columns_beside(asked.fairness, served.features)
    for column in (its.name for its in beside if its.name not in wanted):
        wanted[column] = "fairness.groups"
        optional = optional if "fairness.groups" in asked.named else optional | {column}
    schema = Schema(data, served.features, exposure=columns.exposure)
    with streamed(schema, wanted, optional, progress) as stream:
        if not stream.rows:
            raise UserError(f"{stream.source.name}: {NO_ROWS}")
        with progress.step(f"Reading {stream.rows:,} rows"):
            side = _Side.of(stream, data, its, columns)
            people = _people(stream.source, beside, asked.fairness, side.remarks)
        with progress.step(f"Scoring {stream.rows:,} rows") as show:
            periods = 0 if side.periods is None else len(side.periods.levels)
            tallies = Tallies(served.reference, manifest.features, periods)
            probability, sample = _scored(served, stream, side, tallies, show)
    rows = Rows(
        probability,
        scores_of(probability, manifest.scale),
        side.outcome,
        side.weight,
        side.exposure,
        side.periods,
        side.segments,
        side.clusters,
    )
    subject = Subject(
        rows,
        rating,
        manifest.scale,
        its,
        asked.limits,
        initial,
        no_initial,
        side.no_outcomes,
        served.reference.get("metrics"),
        _stability(served, rows, tallies, asked.limits, its.least),
        sample=sample,
        answer=lambda frame: served.probabilities(frame, lambda _: None),
        explain=served.explained if manifest.reasons_size else None,
        no_reasons=f"the model has no reasons: {manifest.reasons_why}",
        people=people,
        fairness=asked.fairness,
        cutoff=served.cutoff,
        seed=SEED,
    )
    subject = replace(subject, migrations=_migrations(served, asked, schema, side, subject, progress))
    source = stream.source
    about = {"source": source.name, "sha256": source.sha256, "rows": stream.rows, **side.said}
    return Observed(subject, about, None if side.weight is None else data.weight, side.remarks)


def _wanted(
    data: Data, its: Validation, columns: _Columns, named: frozenset[str]
) -> tuple[dict[str, str], frozenset[str]]:
    """The columns besides the features, each with the setting that asks for it, and which need not be there."""
    entries = [
        (data.target, "data.target"),
        (data.weight, "data.weight"),
        (data.id, "data.id"),
        (columns.time, "validation.time"),
        (columns.exposure, "validation.exposure"),
        (its.group, "validation.group"),
        *((column, "validation.segments") for column in its.segments),
    ]
    wanted = {column: key for column, key in entries if column is not None}
    needed = set(named) | {"validation.group", "validation.segments"}
    if its.period in ("month", "quarter", "year"):
        needed.add("validation.time")
        if columns.time is None:
            raise UserError(f"--period {its.period}: expected a time column, got none; name one with --time-column")
    if its.horizon is not None:
        if its.date is None or columns.time is None:
            missing = "date" if its.date is None else "time"
            raise UserError(f"validation.horizon: needs validation.{missing}; set it too")
        needed.add("validation.time")
    return wanted, frozenset(column for column, key in wanted.items() if key not in needed)


@dataclass(frozen=True)
class _Side:
    """Columns kept besides the features, [N] each."""

    outcome: Floats
    weight: Floats | None
    exposure: Floats | None
    periods: Coded | None
    segments: Mapping[str, Coded]
    clusters: NDArray[np.int64] | None
    ids: Ids | None
    no_outcomes: str
    said: Mapping[str, Any]
    remarks: list[str]

    @classmethod
    def of(cls, stream: Stream, data: Data, its: Validation, columns: _Columns) -> "_Side":
        source, remarks = stream.source, list(stream.source.remarks)
        there = source.columns
        said: dict[str, Any] = {"first_time": None, "last_time": None, "too_young": 0, "without_time": 0}
        moments = None if columns.time not in there else times(source, str(columns.time), columns.time_format)
        outcome, no_outcomes = np.full(stream.rows, np.nan), f"the table has no column {data.target}"
        if data.target in there:
            outcome = outcomes_of(source, replace(data, exclude={})).values  # rows left out are not here
            no_outcomes = "no outcome is known yet"
        if moments is not None:
            said |= _ends(moments)
        if its.horizon is not None and its.date is not None and moments is not None:
            young, undated = too_young(moments, its.date, its.horizon), moments.missing()
            known = ~np.isnan(outcome)
            said["too_young"], said["without_time"] = int((young & known).sum()), int((undated & known).sum())
            outcome = np.where(young | undated, np.nan, outcome)
            if known.any() and np.isnan(outcome).all():
                no_outcomes = f"every outcome is too young: {its.horizon} months had not passed on {its.date}"
            if said["too_young"]:
                remarks.append(
                    f"{counted(said['too_young'], 'row')} left out of figures that need outcomes: less than "
                    f"{its.horizon} months before {its.date}"
                )
        periods = _periods(stream, its, moments, remarks)
        ids = ids_of(source, data.id) if data.id is not None and data.id in there else None
        if ids is not None and (double := repeated_in(ids, periods)):
            where = "the table" if periods is None else "one period"
            remarks.append(f"{counted(double, 'row')} with an id ({data.id}) that is in {where} already; each counts")
        clusters = clusters_of(source, its.group, ids)
        weight = weights_of(source, data.weight) if data.weight is not None and data.weight in there else None
        exposure = None
        if columns.exposure is not None and columns.exposure in there:
            exposure = exposures_of(source, columns.exposure)
        segments = {column: _segment(source, column) for column in its.segments}
        return cls(outcome, weight, exposure, periods, segments, clusters, ids, no_outcomes, said, remarks)


def _people(source: Source, beside: Sequence[Feature], fairness: Fairness, remarks: list[str]) -> tuple[Attribute, ...]:
    """Columns that divide the rows into groups of people; a missing one is a remark."""
    there = [its for its in beside if its.name in source.columns]
    remarks += [
        f"the table has no column {its.name} (fairness.groups)" for its in beside if its.name not in source.columns
    ]
    if not there:
        return ()
    return tuple(attributes_of(pd.DataFrame({its.name: column_of(source, its) for its in there}), fairness))


def _ends(moments: Times) -> dict[str, str | None]:
    known = moments.values[~moments.missing()]
    if not len(known):
        return {"first_time": None, "last_time": None}
    return {"first_time": moments.shown(known.min()), "last_time": moments.shown(known.max())}


def _periods(stream: Stream, its: Validation, moments: Times | None, remarks: list[str]) -> Coded | None:
    kind = its.period or ("file" if len(stream.parts) > 1 else "none")
    if kind == "none":
        return None
    if kind == "file":
        coded, said = by_file(stream.parts, moments)
        remarks += said
        return coded
    if moments is None:
        raise ValueError("periods of time need a time column, which _wanted asks for")
    if moments.kind == "a number":
        raise UserError(f"--period {kind}: expected dates, column {its.time} has numbers; set validation.time_format")
    return by_time(moments, kind)


def _segment(source: Source, column: str) -> Coded:
    levels, codes = coded_labels(source, column)
    names = levels[:-1].tolist()
    if len(names) > MOST_LEVELS:
        problem = f"expected at most {MOST_LEVELS} levels in a segment, got {len(names):,}"
        raise UserError(f"{source.name}: column {column}: {problem}; group them, or name another column")
    order = np.argsort(np.array(names, dtype=object)) if names else np.zeros(0, dtype=np.intp)
    place = np.full(len(names) + 1, -1, dtype=np.int32)
    place[order] = np.arange(len(names), dtype=np.int32)
    return Coded([names[i] for i in order], place[codes])


def _scored(
    served: Served, stream: Stream, side: _Side, tallies: Tallies, show: Callable[[str], None]
) -> tuple[Floats, Sample]:
    probability, first = np.empty(stream.rows), 0
    chosen = sampled_rows(stream.rows, SAMPLE, SEED)
    frames: list[pd.DataFrame] = []
    for frame in stream.features(ROWS_AT_ONCE):
        end = first + len(frame)
        probability[first:end] = served.probabilities(frame, lambda _: None)
        its = slice(first, end)
        tallies.add(
            frame,
            None if side.periods is None else side.periods.codes[its],
            None if side.weight is None else side.weight[its],
        )
        low, high = np.searchsorted(chosen, (first, end))
        frames.append(frame.iloc[chosen[low:high] - first])
        show(f"{end:,}")
        first = end
    return probability, Sample(pd.concat(frames, ignore_index=True), chosen)


def _stability(served: Served, rows: Rows, tallies: Tallies, limits: Stability, least: int) -> dict[str, Any]:
    """Shifts of all rows (validation.stability.comparison), with `unusual`, rows by grade, and by period."""
    reference, weight = served.reference, rows.weight
    found = shifts_of_counts(reference, tallies.counted(), rows.score, limits, weight)
    oddities = tallies.unusual(reference)
    moved = (["score"] if found["score"]["moved"] else []) + [e["feature"] for e in found["features"] if e["moved"]]
    by_period = []
    for number, label in enumerate(() if rows.periods is None else rows.periods.levels):
        its = rows.periods.codes == number if rows.periods is not None else np.zeros(0, dtype=bool)
        if (count := int(its.sum())) < least:
            continue
        one = shifts_of_counts(
            reference, tallies.counted(number), rows.score[its], limits, None if weight is None else weight[its]
        )
        indices = {entry["feature"]: entry["csi"] for entry in one["features"]}
        named = {name: indices[name] for name in reference["features"]}
        entry = {"period": label, "rows": count, "psi": one["score"]["psi"], "moved": one["score"]["moved"]}
        by_period.append({**entry, "features": named})
    return {
        **found,
        "features": [{**entry, **oddities[entry["feature"]]} for entry in found["features"]],
        "grades": served.by_grade(rows.probability, weight),
        "moved": moved,
        "by_period": by_period,
    }


def _migrations(
    served: Served, asked: Asked, schema: Schema, side: _Side, subject: Subject, progress: Progress
) -> Migrations | None:
    if asked.previous is None:
        if side.ids is None or side.periods is None or side.clusters is None:
            return None
        return moved_between(side.ids, side.periods, subject.grades)
    if side.ids is None:
        raise UserError(f"--previous: needs ids, and the table has no column {schema.data.id}; name it with --id")
    then = replace(schema, data=replace(schema.data, file=asked.previous), exposure=None)
    wanted = {str(schema.data.id): "data.id"}
    with streamed(then, wanted, frozenset(), progress) as stream, progress.step(f"Scoring {asked.previous}"):
        ids = ids_of(stream.source, str(schema.data.id))
        parts = [served.probabilities(frame, lambda _: None) for frame in stream.features(ROWS_AT_ONCE)]
    probability = np.concatenate(parts)
    grades = subject.rating.places(probability, scores_of(probability, subject.scale))
    return joined(ids, grades, side.ids, subject.grades, f"{asked.previous} and {schema.data.file}")
