"""Reasons of an own pipeline: its raw columns, or the user's groups of them, get the points."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from xgboost import XGBClassifier

from cli.errors import UserError
from cli.progress import Progress
from cli.words import shown
from export.certificate.comparison import Session, ask_graph
from export.converters.classifier import answers_margin, boosters_of
from export.documents import ReasonsPlayer
from export.own.conditions import own_columns, with_places
from export.own.cut_out import cut_out, mixed_places
from export.own.files import load_rows
from export.own.fitted import Fitted
from export.own.prepared import as_coded, unheard
from export.own.raw import FEWEST_ROWS, frame_of
from export.reasons.build import ADDED_ROWS, BuiltReasons, Positions, RawRows, Subject, explain
from export.reasons.rule import contributions_by_rule
from runtime.made_columns import MadeColumns
from training.estimator.crossfit import mean_margin
from training.reason_points import Line
from training.reasons import REFERENCE_ROWS, ReferenceRows, drawn_rows, reference_rows
from training.settings import Settings
from training.settings.reasons import NAMED, TREE_PATH
from trees.levels import texts_of_booster
from trees.refusal import BoosterRefused


@unheard()
def build_own_reasons(
    fitted: Fitted,
    settings: Settings,
    scores: NDArray[np.float64],
    session: Session,
    graph: str,
    progress: Progress,
    show: Callable[[str], None] = lambda _: None,
) -> BuiltReasons:
    """Tables of the graph with that sha256; tables that are not shown to be exact are left out.

    `scores` are those of the given rows, with whom applicants are compared.
    """
    if why := _apart(fitted, settings):
        return BuiltReasons(why)
    if not isinstance(fitted.oracle.classifier, CalibratedClassifierCV | XGBClassifier):
        return BuiltReasons(f"reasons of {type(fitted.oracle.classifier).__name__} are not supported")
    if settings.reasons.method == TREE_PATH:
        return BuiltReasons(f'reasons.method = "{TREE_PATH}" goes with training.run only; leave it out')
    rows = _reference(fitted, settings, scores, progress)
    try:
        subject = _subject(fitted, settings, rows, session)
        return explain(subject, settings, rows, graph, show)
    except BoosterRefused as refusal:
        return BuiltReasons(str(refusal))


def _reference(fitted: Fitted, settings: Settings, scores: NDArray[np.float64], progress: Progress) -> ReferenceRows:
    own = None
    if (file := settings.reasons.reference) not in NAMED:
        given, _ = load_rows(Path(file), fitted.oracle.estimator, None)
        if len(given) < FEWEST_ROWS:
            raise UserError(f"{file}: reasons.reference: expected {FEWEST_ROWS} applicants or more, found {len(given)}")
        own, _ = frame_of(given, fitted.oracle.estimator)
    kept = {REFERENCE_ROWS: drawn_rows(fitted.frame, scores, settings.split.seed)}
    rows = reference_rows(settings, kept, own)
    assert rows is not None  # an export of its own has 100 rows or more
    return rows


def _subject(fitted: Fitted, settings: Settings, rows: ReferenceRows, session: Session) -> Subject:
    oracle, table = fitted.oracle, fitted.oracle.table
    players, player_of = _players(fitted, settings)
    columns = own_columns(fitted, player_of)
    part = cut_out(fitted.built) if mixed_places(fitted.built) else b""
    made = MadeColumns(part) if part else None
    boosters = boosters_of(oracle.classifier)
    sample, reference = fitted.frame, rows.frame

    def by_rule(some: Positions, others: Positions) -> NDArray[np.float64]:
        found = np.zeros((len(some), len(players)))
        for preparation in oracle.preparations:
            given = [
                preparation.matrix(table.given(frame.iloc[at])) for frame, at in ((sample, some), (reference, others))
            ]
            real = [column for column in preparation.columns if column.levels is None]
            of_column = np.array([player_of.get(column.raw, 0) for column in real], dtype=np.intp)
            for booster in preparation.boosters:
                texts = texts_of_booster(boosters[booster])
                prepared = [as_coded(matrix, len(real), texts) for matrix in given]
                its = contributions_by_rule([boosters[booster]], of_column, *prepared)
                found[:, : its.shape[1]] += its / len(boosters)
        return found

    some = {name: matrix[:ADDED_ROWS] for name, matrix in fitted.real.items()}
    return Subject(
        columns=columns,
        players=players,
        sample=raw_rows_of(fitted.real),
        reference=raw_rows_of(table.raw_inputs(reference)),
        numbers_of=lambda raw: with_places(columns, raw[0] if made is None else made.behind(*raw), raw[1]),
        by_rule=by_rule,
        margins=mean_margin(ask_graph(session, some).margin),
        line=_line(oracle.classifier, first_class=oracle.first_class),
        made=part,
    )


def _apart(fitted: Fitted, settings: Settings) -> str:
    """Why no player can get the points of a column that steps make of several; empty if a group has all of those.

    Raises UserError where hints may change one of them: which values there are to try is not known.
    """
    group_of = {name: group for group, members in settings.reason_groups.items() for name in members}
    for place in mixed_places(fitted.built):
        column = fitted.oracle.preparations[place.preparation].columns[place.column]
        names = [fitted.oracle.table.columns[raw].name for raw in column.raws]
        for name in names:
            if settings.reasons.hints and name in settings.reason_texts and settings.reason_texts[name].actionable:
                raise UserError(
                    f"reason_texts.{name}.actionable: {column.way} makes columns of {name} and others, so hints have "
                    "no values to try; leave it out"
                )
        if len(names) > 1 and (None in (groups := {group_of.get(name) for name in names}) or len(groups) > 1):
            return f"{column.way} makes columns of several; unite {shown(names)} in one of [reason_groups]"
    return ""


def _players(fitted: Fitted, settings: Settings) -> tuple[list[ReasonsPlayer], dict[int, int]]:
    """The players, in the order of the raw columns, and that of each raw column that is read."""
    group_of = {name: group for group, members in settings.reason_groups.items() for name in members}
    players: list[ReasonsPlayer] = []
    place: dict[str, int] = {}
    player_of = {}
    for raw, column in enumerate(fitted.oracle.table.columns):
        if raw not in fitted.oracle.table.read:
            continue
        group = group_of.get(column.name)
        name = group or column.name
        if name not in place:
            place[name] = len(players)
            players.append({"name": name, "kind": "group" if group else "feature", "features": []})
        players[place[name]]["features"].append(column.name)
        player_of[raw] = place[name]
    return players, player_of


def raw_rows_of(inputs: dict[str, NDArray[Any]]) -> RawRows:
    """The graph's inputs as raw rows."""
    numbers = inputs["numbers"]
    return numbers, inputs.get("categories", np.empty((len(numbers), 0), dtype=object))


def _line(classifier: Any, *, first_class: bool) -> Line:
    """The line of the calibrator where there is one on the margin; else that of none.

    The margin is of the second class; where the first is a default, its log-odds are those of repaying.
    """
    sign = 1.0 if first_class else -1.0
    if not isinstance(classifier, CalibratedClassifierCV):
        return Line(sign, 0.0, adds_up=True)
    [calibrated, *others] = classifier.calibrated_classifiers_
    calibrator = calibrated.calibrators[0]
    if others or isinstance(calibrator, IsotonicRegression) or not answers_margin(boosters_of(classifier)[0]):
        return Line(sign, 0.0, adds_up=False)
    return Line(-sign * float(calibrator.a_), -sign * float(calibrator.b_), adds_up=True)
