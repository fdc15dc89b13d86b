"""Somebody's fitted pipeline and its rows, checked, and made into a graph with an oracle for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cli.words import shown
from export.converters.classifier import boosters_of
from export.own.branches import Branch, branches_of, classifier_of, refuse_unfitted
from export.own.dates import of_dates, refuse_other_readers, with_dates
from export.own.faults import said_of
from export.own.graph import Built, build_own, passes_through, with_matrix
from export.own.marked import MarkedMissing
from export.own.prepared import Preparation, unheard
from export.own.prober import Prober, closed_levels, nullable_columns
from export.own.profile import profiles_of
from export.own.proof import Oracle
from export.own.raw import RawTable, columns_of, frame_of, texts_of, with_categories
from export.own.trace import StepRefused, Width, trace
from export.refusal import ExportRefused
from runtime.session import open_session
from table.columns import MISSING_CATEGORY
from trees.ensemble import Ensemble, read_ensemble
from trees.levels import LevelSets

FEW = 5  # rows that say how many columns a step makes
TWICE = 500  # rows that the pipeline is asked for twice


@dataclass(frozen=True)
class Fitted:
    """A pipeline as a graph, not yet proven, and what it is proven against."""

    oracle: Oracle
    built: Built
    graph: bytes
    frame: pd.DataFrame
    """The user's rows, in the pipeline's columns."""
    real: dict[str, NDArray[Any]]
    """The same as inputs of the graph."""
    tolerance: float | None
    """Tolerance of a probability; None if all steps are exact."""


@unheard()
def read_fitted(estimator: Any, X: Any, positive: Any, tolerance: float | None = None) -> Fitted:
    """Convert a fitted pipeline; a stated tolerance admits steps that mix columns.

    Raises ExportRefused or BoosterRefused, by name, for what cannot be exact.
    """
    refuse_unfitted(estimator)
    classifier, branches = classifier_of(estimator), branches_of(estimator)
    boosters = boosters_of(classifier)
    first_class = _is_first(np.asarray(classifier.classes_).tolist(), positive)
    frame, named = frame_of(X, estimator)

    def width_of(step: Any, raws: Sequence[int]) -> int:
        its = frame.iloc[:FEW, list(raws)]
        return int(step.transform(its if named else its.to_numpy()).shape[1])

    try:
        preparations = _preparations(branches, list(frame.columns), None if tolerance is None else width_of)
    except StepRefused as refusal:
        raise of_dates(refusal, frame) from None
    frame = with_dates(frame, preparations)
    refuse_other_readers(frame, preparations)
    preparations, ensembles = _with_sets(preparations, boosters)
    _refuse_unknown_levels(preparations, frame)
    frame = with_categories(frame, native := _native(preparations))
    read = frozenset(raw for preparation in preparations for column in preparation.columns for raw in column.raws)
    mixes = any(column.mixed for preparation in preparations for column in preparation.columns)
    stages = {
        (column.raw, point)
        for preparation in preparations
        for column in preparation.columns
        for stage in column.stages
        for point in stage.points
        if isinstance(point, str)
    }
    columns = columns_of(frame, read, native, {raw for raw, _ in stages})
    levels = {}
    for raw, column in enumerate(columns):
        if column.type == "category":
            observed = set(texts_of(frame[column.name])) - {MISSING_CATEGORY}
            known = {level for its, level in stages if its == raw} | native.get(raw, frozenset())
            if known and observed and not observed & known:
                raise ExportRefused(
                    f"{column.name}: the rows have no level that the pipeline knows ({shown(sorted(known))}); "
                    "give rows of the population that it was fitted on"
                )
            levels[raw] = sorted(str(level) for level in observed | known)
    table = RawTable(columns, read, levels, named)
    _refuse_changing_answers(estimator, table.given(frame.iloc[:TWICE]))
    real = table.raw_inputs(frame)
    table, built, nullable = _built(table, preparations, ensembles, classifier, real, first_class=first_class)
    oracle = Oracle(
        estimator=estimator,
        classifier=classifier,
        table=table,
        preparations=preparations,
        places=built.places,
        showing=open_session(with_matrix(built.contract.model).SerializeToString()),
        nullable=nullable,
        first_class=first_class,
        thresholds=[ensemble.thresholds() for ensemble in ensembles],
    )
    graph = built.contract.model.SerializeToString(deterministic=True)
    return Fitted(oracle, built, graph, frame, real, tolerance if mixes else None)


def _preparations(branches: Sequence[Branch], names: Sequence[str], width_of: Width | None) -> list[Preparation]:
    """One for all boosters that share their steps."""
    boosters: dict[tuple[int, ...], list[int]] = {}
    for number, branch in enumerate(branches):
        boosters.setdefault(branch.key, []).append(number)
    found = []
    for its in boosters.values():
        branch = branches[its[0]]
        columns = tuple(trace(branch.steps, names, width_of))
        for booster in its:
            if (expected := branches[booster].booster.n_features_in_) != len(columns):
                raise ExportRefused(
                    f"expected {expected} columns for the booster, got {len(columns)} from "
                    "its steps; fit the pipeline again"
                )
        found.append(Preparation(branch.steps, columns, tuple(its)))
    return found


def _with_sets(
    preparations: Sequence[Preparation], boosters: Sequence[Any]
) -> tuple[list[Preparation], list[Ensemble]]:
    """The ensembles, and their preparations with the columns that stand for splits on categories."""
    found, ensembles = [], {}
    for preparation in preparations:
        sets = LevelSets(len(preparation.columns))
        for booster in preparation.boosters:
            its = boosters[booster]
            ensembles[booster] = read_ensemble(its, sets, its.missing)  # branches_of puts a step in front for it
        if sets.places and any(isinstance(step, MarkedMissing) for _, step in preparation.steps):
            raise ExportRefused(
                "native categories with a missing of XGBClassifier other than NaN are not supported: XGBoost compares "
                "it with codes; replace the number by NaN in the data and fit again"
            )
        behind = tuple(replace(preparation.columns[of.column], levels=of) for of in sets.places)
        found.append(replace(preparation, columns=preparation.columns + behind, known=sets.known))
    return found, [ensembles[booster] for booster in range(len(boosters))]


def _refuse_unknown_levels(preparations: Sequence[Preparation], frame: pd.DataFrame) -> None:
    """Raise ExportRefused for a column of texts that a booster splits without a text of its levels."""
    for preparation in preparations:
        for column in preparation.columns:
            is_code = column.levels is not None and bool(column.levels.codes) and not column.stages
            if is_code and not pd.api.types.is_numeric_dtype(frame.dtypes.iloc[column.raw]):
                raise ExportRefused(
                    f"{frame.columns[column.raw]}: the booster keeps no levels of this category, as before XGBoost "
                    "3.1: its answers depend on the order of the categories; fit again"
                )


def _native(preparations: Sequence[Preparation]) -> dict[int, frozenset[str]]:
    """The raw columns that boosters read as categories, and the levels that all of them know."""
    found: dict[int, frozenset[str]] = {}
    for preparation in preparations:
        for column, known in preparation.known.items():
            raw = preparation.columns[column].raw
            found[raw] = found.get(raw, known) & known
    return found


def _built(
    table: RawTable,
    preparations: Sequence[Preparation],
    ensembles: Sequence[Any],
    classifier: Any,
    real: Mapping[str, NDArray[Any]],
    *,
    first_class: bool,
) -> tuple[RawTable, Built, dict[int, bool]]:
    """The graph, the table with the vocabularies that it takes, and which raw columns may be missing."""
    base = {name: _usual(matrix) for name, matrix in real.items()}
    probers = [Prober(preparation, table, base) for preparation in preparations]
    thresholds = [_thresholds(preparation, ensembles) for preparation in preparations]
    nullable = nullable_columns(probers, thresholds)
    if closed := closed_levels(probers, thresholds):
        table = replace(table, levels={**table.levels, **closed}, closed=frozenset(closed))
        for prober in probers:
            prober.table = table
    profiles = []
    for prober, its in zip(probers, thresholds, strict=True):
        columns = prober.preparation.columns
        asked = {
            j: values
            for j, values in its.items()
            if columns[j].mixed is None
            and not passes_through(
                prober.preparation, j, is_sparse=prober.is_sparse, kind=table.columns[columns[j].raw].type
            )
        }
        profiles.append(profiles_of(prober, asked, real, nullable))
    sparse = [prober.is_sparse for prober in probers]
    built = build_own(table, preparations, profiles, ensembles, classifier, sparse, first_class=first_class)
    return table, built, nullable


def _thresholds(preparation: Preparation, ensembles: Sequence[Any]) -> dict[int, NDArray[np.float32]]:
    """Thresholds of all boosters after a preparation, by column."""
    found: dict[int, list[NDArray[np.float32]]] = {}
    for booster in preparation.boosters:
        for column, values in ensembles[booster].thresholds().items():
            found.setdefault(column, []).append(values)
    return {column: np.unique(np.concatenate(values)) for column, values in sorted(found.items())}


def _usual(matrix: NDArray[Any]) -> NDArray[Any]:
    """One row [1, n] with a value of a real row in each column, wherever one has any."""
    row = matrix[:1].copy()
    for i in range(matrix.shape[1]):
        column = matrix[:, i]
        present = column[column != ""] if column.dtype == object else column[np.isfinite(column)]
        row[0, i] = present[0] if len(present) else row[0, i]
    return row


def _is_first(classes: list[Any], positive: Any) -> bool:
    """True where the class of a default is the first one."""
    if positive is None:
        if [int(c) if isinstance(c, bool | int | float) else c for c in classes] == [0, 1]:
            return False
        raise ExportRefused(
            f"the pipeline's classes are {shown(classes)}: say which one is a default, positive={shown(classes[1])} "
            f"([target] positive in the TOML)"
        )
    if positive not in classes:
        raise ExportRefused(f"positive: expected one of the pipeline's classes {shown(classes)}, got {shown(positive)}")
    return bool(positive == classes[0])


def _refuse_changing_answers(estimator: Any, rows: Any) -> None:
    try:
        first, second = (np.asarray(estimator.predict_proba(rows)) for _ in range(2))
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        said = said_of(fault)
        raise ExportRefused(
            f"rows: the pipeline raises for the given rows ({said}); correct the step or the rows"
        ) from None
    if not np.array_equal(first, second):
        differ = int((first != second).any(axis=1).sum())
        raise ExportRefused(
            f"the pipeline answers differently when asked twice ({differ} of {len(first)} rows); no graph can equal it"
        )
