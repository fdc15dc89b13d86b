"""Monotone signs of an own pipeline's raw numbers: carried back through its steps, and proven on the graph's trees.

XGBoost keeps the sign of a prepared column. Where every prepared column that a raw number moves rises with it, or each
of them falls, and all have a constraint to the same effect, the raw number has a sign. Only such a number is claimed:
one that a step sends to NaN, or to and fro, has none. The proof is that of export.certificate.monotone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from xgboost import XGBClassifier

from export.certificate.comparison import Session
from export.certificate.crossing import crossings, moving_splits
from export.certificate.monotone import (
    ROUNDING_FLOAT32,
    SWEPT_ROWS,
    Signed,
    around,
    refuse_falling_calibrators,
    refuse_falling_probability,
    refuse_rising_scores,
    sweep,
)
from export.certificate.tracing import Column, Trees
from export.converters.classifier import boosters_of
from export.documents import ProvenSign
from export.own.fitted import Fitted
from export.own.floats import neighbours
from export.own.graph import Place
from export.own.prepared import MISSING
from export.refusal import ExportRefused
from runtime.score import Scale
from trees.ensemble import Ensemble


class _Carried(NamedTuple):
    """A raw number with a sign, and the prepared columns that it moves, all up or all down."""

    raw: int
    sign: int
    direction: int
    moved: Mapping[int, frozenset[int]]
    """By booster, columns of its prepared matrix."""


def prove_own_signs(fitted: Fitted, session: Session, scale: Scale) -> list[ProvenSign]:
    """Prove the sign of each raw number that has one; what cannot be shown is not claimed.

    Raises ExportRefused only where the graph contradicts a sign that its trees keep.
    """
    oracle, contract = fitted.oracle, fitted.built.contract
    if oracle.first_class or not isinstance(oracle.classifier, CalibratedClassifierCV | XGBClassifier):
        return []
    carried = list(_carried(fitted))
    if not carried:
        return []
    try:
        refuse_falling_calibrators(contract, ROUNDING_FLOAT32)
        refuse_falling_probability(contract.model, list(contract.margins), ROUNDING_FLOAT32)
        refuse_rising_scores(scale)
    except ExportRefused:
        return []
    ensembles = [_trees(ensemble) for ensemble in contract.ensembles]
    holding = [its for its in carried if not any(_crossing(its, ensembles))]
    asked = SWEPT_ROWS // max(1, len(holding))
    return [_proven(fitted, its, ensembles, session, asked) for its in holding]


def _carried(fitted: Fitted) -> Iterator[_Carried]:
    oracle = fitted.oracle
    constraints = [_constraints(booster) for booster in boosters_of(oracle.classifier)]
    if not any(constraints):
        return
    places: dict[int, list[Place]] = {}
    for place in fitted.built.places:
        for raw in oracle.preparations[place.preparation].columns[place.column].raws:
            places.setdefault(raw, []).append(place)
    for raw, its in sorted(places.items()):
        if oracle.table.columns[raw].type == "category":
            continue
        directions = [_direction(fitted, place) for place in its]
        moving = [(place, way) for place, way in zip(its, directions, strict=True) if way != 0]
        effects: set[int] = set()
        moved: dict[int, frozenset[int]] = {}
        for place, way in moving:
            for booster in oracle.preparations[place.preparation].boosters:
                effects.add((way or 0) * constraints[booster].get(place.column, 0))
                moved[booster] = moved.get(booster, frozenset()) | {place.column}
        if None not in directions and len({way for _, way in moving}) == 1 and len(effects) == 1 and effects != {0}:
            yield _Carried(raw, effects.pop(), moving[0][1] or 0, moved)


def _direction(fitted: Fitted, place: Place) -> int | None:
    """1 where a prepared column rises with its raw number, -1 where it falls, 0 if it is constant, else None."""
    column = fitted.oracle.preparations[place.preparation].columns[place.column]
    if place.mixed is not None or column.levels is not None:
        return None
    if place.profile is None:
        return 1
    steps = np.diff(place.profile.codes)
    if (place.profile.codes == MISSING).any() and len(steps):
        return None
    if not steps.any():
        return 0
    return 1 if (steps >= 0).all() else -1 if (steps <= 0).all() else None


def _constraints(booster: XGBClassifier) -> dict[int, int]:
    """The sign of each column of the prepared matrix that has one, in any form that XGBoost takes."""
    given: Any = booster.monotone_constraints
    if isinstance(given, str):
        given = tuple(int(sign) for sign in given.strip("() ").split(",") if sign.strip())
    if isinstance(given, Mapping):
        names = list(booster.get_booster().feature_names or ())
        return {names.index(name): int(sign) for name, sign in given.items() if name in names and sign}
    signs: Sequence[int] = () if given is None else given
    return {column: int(sign) for column, sign in enumerate(signs) if sign}


def _trees(ensemble: Ensemble) -> Trees:
    """The nodes of all trees; each column twice, for splits that send missing values right and left."""
    trees = ensemble.trees
    starts = np.cumsum([0, *(len(tree.left) for tree in trees[:-1])]) if trees else np.empty(0, dtype=np.int64)

    def joined(parts: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
        return np.concatenate([np.empty(0, dtype=dtype), *parts]).astype(dtype)

    def children(parts: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
        moved = [np.where(its < 0, -1, its + start) for its, start in zip(parts, starts, strict=True)]
        return joined(moved, np.int64)

    return Trees(
        output="margin",
        place=joined([2 * tree.feature + tree.missing_left for tree in trees], np.int64),
        columns=[Column(frozenset([j]), low=low) for j in range(ensemble.columns) for low in (False, True)],
        splits=joined([tree.conditions for tree in trees], np.bool_),
        threshold=joined([tree.threshold for tree in trees], np.float32),
        left=children([tree.left for tree in trees]),
        right=children([tree.right for tree in trees]),
        leaf=joined([tree.leaf for tree in trees], np.float32),
        tree=joined([np.full(len(tree.left), number) for number, tree in enumerate(trees)], np.int64),
    )


def _crossing(its: _Carried, ensembles: Sequence[Trees]) -> Iterator[object]:
    for booster, moved in its.moved.items():
        yield from crossings(ensembles[booster], moved, its.sign * its.direction)


def _proven(fitted: Fitted, its: _Carried, ensembles: Sequence[Trees], session: Session, asked: int) -> ProvenSign:
    table = fitted.oracle.table
    column = table.columns[its.raw]
    splits = {booster: moving_splits(ensembles[booster], moved) for booster, moved in its.moved.items()}
    feature = Signed(column.name, its.sign, [table.numbers.index(column.name)], column.type == "boolean")
    values = np.array([0.0, 1.0]) if feature.binary else _turns(fitted, its)
    rows, fall = sweep(feature, values, session, fitted.real, ROUNDING_FLOAT32, asked, fitted.oracle.at_once)
    return {
        "feature": feature.name,
        "sign": its.sign,
        "trees": sum(len(np.unique(ensembles[booster].tree[moving])) for booster, moving in splits.items()),
        "splits": sum(int(moving.sum()) for moving in splits.values()),
        "rows": rows,
        "largest_fall": fall,
        "holds": True,
    }


def _turns(fitted: Fitted, its: _Carried) -> NDArray[np.float64]:
    """The raw numbers at which something that the trees see of this one changes, and those next to them, ascending."""
    found: list[NDArray[np.float64]] = []
    for place in fitted.built.places:
        preparation = fitted.oracle.preparations[place.preparation]
        if preparation.columns[place.column].raw != its.raw:
            continue
        if place.profile is not None:
            found.append(neighbours(place.profile.cuts, 3).ravel())
            continue
        thresholds = [fitted.oracle.thresholds[booster].get(place.column) for booster in preparation.boosters]
        found += [around(some) for some in thresholds if some is not None]
    values = np.unique(np.concatenate(found))
    return values[np.isfinite(values)]
