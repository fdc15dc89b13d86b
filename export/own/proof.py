"""The rows on which somebody's pipeline and its graph are compared, and the comparison of their prepared matrices."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from export.certificate import probes
from export.certificate.certify import RANDOM_AND_REAL_ROWS
from export.certificate.comparison import BATCH_CELLS, BATCH_ROWS, Answer, Session, batches
from export.converters.classifier import boosters_of
from export.own.faults import said_of
from export.own.floats import neighbours
from export.own.graph import MATRIX, Place
from export.own.prepared import Preparation, codes
from export.own.prober import RAISED
from export.own.raw import RawTable
from export.refusal import ExportRefused
from table.columns import MISSING_CATEGORY
from training.estimator.boosting import margin

Inputs = dict[str, NDArray[Any]]
Answered = tuple[Inputs, Answer]


@dataclass
class Oracle:
    """The fitted pipeline, asked for rows; each answer is compared with the graph's prepared matrix on the way."""

    estimator: Any
    classifier: Any
    table: RawTable
    preparations: Sequence[Preparation]
    places: Sequence[Place]
    showing: Session
    """The graph with its prepared matrix as an output."""
    nullable: Mapping[int, bool]
    first_class: bool
    thresholds: Sequence[Mapping[int, NDArray[np.float32]]]
    """Thresholds of each booster, by column of its prepared matrix."""
    first_difference: str = ""
    """Tolerance of steps that mix columns, which are only close."""
    raised: int = field(default=0)
    """Rows for which the pipeline raises: there is nothing to compare with."""

    def answer(self, inputs: Inputs, rows: Any = None) -> Answer:
        """The pipeline's answers for rows, made from `inputs` if they are not given.

        Raises ExportRefused where a prepared column differs.
        """
        rows = self.table.frame(inputs) if rows is None else rows
        boosters = boosters_of(self.classifier)
        margins = np.empty((len(inputs["numbers"]), len(boosters)), dtype=np.float32)
        [shown] = self.showing.run([MATRIX], inputs)
        for number, preparation in enumerate(self.preparations):
            matrix = preparation.matrix(rows)
            self._refuse_difference(number, matrix, shown, inputs)
            for booster in preparation.boosters:
                margins[:, booster] = margin(boosters[booster], matrix)
        probability = self.estimator.predict_proba(rows)[:, 0 if self.first_class else 1]
        return Answer(np.asarray(probability, dtype=np.float64), margins)

    def answers(self, parts: Iterable[Inputs]) -> Iterator[Answered]:
        """Inputs with their answers; rows for which the pipeline raises are left out."""
        for inputs in parts:
            yield from self._taken(inputs)

    def _taken(self, inputs: Inputs) -> Iterator[Answered]:
        count = len(inputs["numbers"])
        try:
            yield inputs, self.answer(inputs)
        except RAISED:
            if count == 1:
                self.raised += 1
                return
            for half in (slice(0, count // 2), slice(count // 2, count)):
                yield from self._taken({name: matrix[half] for name, matrix in inputs.items()})

    def _refuse_difference(self, number: int, matrix: Any, shown: NDArray[np.float32], inputs: Inputs) -> None:
        mine = [i for i, place in enumerate(self.places) if place.preparation == number]
        if not mine:
            return
        seen = self.preparations[number].seen(matrix, [self.places[i].column for i in mine])
        for at, i in enumerate(mine):
            profile, expected, got = self.places[i].profile, seen[:, at], shown[:, i]
            if profile is not None and not len(profile.values):
                expected = codes(expected, profile.thresholds).astype(np.float32)
                expected = np.where(expected < 0, np.float32(np.nan), expected)
            differs = ~((expected == got) | (np.isnan(expected) & np.isnan(got)))
            if not differs.any():
                continue
            row = int(np.flatnonzero(differs)[0])
            if self.places[i].mixed is None:
                self._refuse(number, i, row, seen[:, at], inputs)
            elif not self.first_difference:
                way = self.preparations[number].columns[self.places[i].column].way
                self.first_difference = (
                    f"prepared column {self.places[i].column} differs first at {way}: in row {row} of those compared "
                    f"the pipeline gives {float(expected[row])!r}, the graph {float(got[row])!r}"
                )

    def _refuse(self, number: int, i: int, row: int, seen: NDArray[np.float32], inputs: Inputs) -> None:
        column = self.preparations[number].columns[self.places[i].column]
        name = self.table.columns[column.raw].name
        kind = "numbers" if name in self.table.numbers else "categories"
        known = self.table.numbers if kind == "numbers" else list(self.table.vocabularies_)
        value = inputs[kind][row : row + 1, known.index(name)].tolist()[0]
        raise ExportRefused(
            f"{name}: prepared column {self.places[i].column} differs first at {column.way or 'the raw column'}: for "
            f"{value!r} (row {row} of those compared) the pipeline gives {float(seen[row])!r}, which the graph "
            "does not reproduce; the graph is not written"
        )

    @property
    def at_once(self) -> int:
        """Number of rows compared at a time."""
        widest = max(len(preparation.columns) for preparation in self.preparations)
        return max(1, min(BATCH_ROWS, BATCH_CELLS // (widest + len(self.table.columns))))


def answered_rows(oracle: Oracle, frame: pd.DataFrame, real: Inputs) -> Iterator[tuple[str, Iterable[Answered]]]:
    """All rows of the certificate by kind, with the answers of the pipeline."""
    columns, at_once = probes.RawColumns(oracle.table, oracle.table.binary), oracle.at_once
    count = min(len(frame), RANDOM_AND_REAL_ROWS // 2)
    real = {name: matrix[:count] for name, matrix in real.items()}
    yield "real applicants", as_given(oracle, frame.iloc[:count], real)
    yield "at every boundary", oracle.answers(batches(at_every_boundary(oracle, real), at_once))
    yield "missing values", oracle.answers(_allowed(oracle, real, [probes.without_values(columns, real)]))
    yield "infinite and extreme numbers", oracle.answers([probes.beyond_range(columns, real)])
    if oracle.table.vocabularies_:
        unseen = probes.with_unseen_categories(columns, real, at_once)
        yield "every level and unseen ones", oracle.answers(_allowed(oracle, real, unseen))
    drawn = range(0, RANDOM_AND_REAL_ROWS - count, at_once)
    parts = (
        probes.at_random(columns, real, min(at_once, RANDOM_AND_REAL_ROWS - count - first), seed)
        for seed, first in enumerate(drawn)
    )
    yield "random applicants", oracle.answers(_allowed(oracle, real, parts))


def as_given(oracle: Oracle, frame: pd.DataFrame, real: Inputs) -> Iterator[Answered]:
    """Real rows, to the pipeline as the user has them. Raises ExportRefused where the pipeline raises."""
    for first, part in zip(range(0, len(frame), oracle.at_once), batches(real, oracle.at_once), strict=True):
        rows = oracle.table.given(frame.iloc[first : first + oracle.at_once])
        try:
            yield part, oracle.answer(part, rows)
        except RAISED as fault:
            said = said_of(fault)
            raise ExportRefused(
                f"rows: the pipeline raises for the given rows ({said}); correct the step or the rows"
            ) from None


def at_every_boundary(oracle: Oracle, real: Inputs) -> Inputs:
    """Real rows with each number at each value where a prepared column changes for the trees, ± one float64.

    All numbers change at once, each through its own values.
    """
    cuts: dict[int, list[NDArray[np.float64]]] = {}
    names = [column.name for column in oracle.table.columns]
    for place in oracle.places:
        if place.mixed is not None:
            continue  # no single number is behind a boundary
        if place.profile is None:
            raw = oracle.preparations[place.preparation].columns[place.column].raw
            cuts.setdefault(raw, []).append(_own_thresholds(oracle, place))
        elif not len(place.profile.values):
            cuts.setdefault(place.profile.raw, []).append(place.profile.cuts)
    asked = {}
    for raw, its in cuts.items():
        if oracle.table.columns[raw].type != "boolean":
            asked[oracle.table.numbers.index(names[raw])] = np.unique(neighbours(np.unique(np.concatenate(its))))
    count = max([1, *map(len, asked.values())])
    rows = {name: matrix[np.arange(count) % len(matrix)].copy() for name, matrix in real.items()}
    for place_, values in asked.items():
        rows["numbers"][: len(values), place_] = values
    return rows


def _own_thresholds(oracle: Oracle, place: Place) -> NDArray[np.float64]:
    """The thresholds of a number that passes through, and half-way to the float32 below: where rounding turns."""
    found: list[NDArray[np.float64]] = [np.empty(0)]
    for booster in oracle.preparations[place.preparation].boosters:
        its = oracle.thresholds[booster].get(place.column)
        if its is not None:
            its = its[np.isfinite(its)]
            below = np.nextafter(its, np.float32(-np.inf)).astype(np.float64)
            found += [its.astype(np.float64), below, (its.astype(np.float64) + below) / 2]
    return np.concatenate(found)


def _allowed(oracle: Oracle, real: Inputs, parts: Iterable[Inputs]) -> Iterator[Inputs]:
    """Rows with a real value wherever their own makes the pipeline raise.

    Those values are missing ones or unseen levels, which no request may hold.
    """
    names = [column.name for column in oracle.table.columns]
    needed = {names[raw] for raw, nullable in oracle.nullable.items() if not nullable}
    closed = {names[raw]: {MISSING_CATEGORY, *oracle.table.levels[raw]} for raw in oracle.table.closed}
    for part in parts:
        for i, name in enumerate(oracle.table.numbers):
            if name in needed:
                column = part["numbers"][:, i]
                column[np.isnan(column)] = real["numbers"][0, i]
        for i, name in enumerate(oracle.table.vocabularies_):
            column, known = part["categories"][:, i], closed.get(name)
            if name in needed:
                column[column == MISSING_CATEGORY] = oracle.table.vocabularies_[name][0]
            if known is not None:
                column[[level not in known for level in column]] = oracle.table.vocabularies_[name][0]
        yield part
