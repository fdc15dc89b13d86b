"""A training run on a table in parts: the steps of a run in memory, with the features read in passes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier

from cli.progress import Progress
from cli.words import escaped
from storage.scratch import clean_beside, scratch_beside
from table.in_parts import opened_in_parts
from table.remarks import remarks_of
from training.artifacts.save import SAMPLE_ROWS, FinishedRun, save
from training.beside import explored_beside
from training.documents import Run
from training.estimator.assembly import assemble
from training.estimator.folds import with_folds
from training.estimator.preparation import Preparation
from training.evidence import OfFeatures, gather
from training.in_parts.count import Counted, Wanted
from training.in_parts.divided import TEST, Divided
from training.in_parts.external import ExternalMemory, Told
from training.in_parts.fitted import Fitted, Margins, fitted_on
from training.in_parts.learn import Learnt
from training.labelled import Labelled
from training.pools import in_words, pools_of_counts, refuse_pools_of_all
from training.reasons import read_own_rows
from training.settings import Settings
from training.split import split
from validation.bands import scores_of
from validation.copies import Chance, Copies, copies_among
from validation.evidence import AnsweredRows, Part
from validation.fairness.groups import Attribute, attributes_of
from validation.grades import counts_of, grades_of, refuse_more_than_outcomes
from validation.stability.bins import bins_of
from validation.stability.comparison import shifts_of_counts
from validation.stability.reference import reference_of_counts

ROWS_ON_DISK = "rows"


class Engine(Protocol):
    """Engine that makes the passes and fits the boosters."""

    name: str

    def learn(self, preparation: Preparation, told: Told) -> Learnt:
        """Pass over the rows a first time, to fit the preparation."""

    def refuse_small_room(self, width: int) -> str:
        """Return a line on the room that `width` prepared columns need; raise UserError where there is less."""

    def prepare(self, preparation: Preparation, wanted: Wanted, told: Told) -> Counted:
        """Pass over the rows a second time, to store them prepared and to count what reports need."""

    def fit(self, template: XGBClassifier) -> list[XGBClassifier]:
        """Fit a booster for each fold."""

    def margins(self, boosters: Sequence[XGBClassifier]) -> Margins:
        """Yield the margins [R, k] of some rows with their positions [R], until all rows had their turn."""


def train_in_parts(settings: Settings, out: Path, folder: Path, progress: Progress) -> Run:
    """Fit and evaluate, and write the artifacts of `out` into `folder`; return what run.json holds."""
    with opened_in_parts(settings.schema, progress) as source:
        table, own_rows = source.table, read_own_rows(settings, progress)
        for line in filter(None, (table.dropped_note, *table.remarks)):
            progress.say(f"  {escaped(line)}")
        parts = split(table, settings)
        groups = None if table.group is None else table.group.codes[parts["train"]]
        settings = with_folds(settings, table.target[parts["train"]], groups)
        divided = Divided.of(source, parts, groups, settings)
        refuse_more_than_outcomes(settings.grades, table.target[parts["train"]])
        del parts, groups
        people = [] if table.beside is None else attributes_of(table.beside, settings.fairness)
        with threadpool_limits(1, user_api="blas"), _engine(settings, divided, out) as engine:
            finished = _finished(settings, divided, engine, people, own_rows, progress)
        with progress.step("Writing the report"):
            return save(folder, finished)


@contextmanager
def _engine(settings: Settings, divided: Divided, out: Path) -> Iterator[Engine]:
    """The engine of the settings, with a folder that is removed in the end; what killed runs have left goes before."""
    place = out.parent if settings.engine.cache is None else Path(settings.engine.cache)
    place.mkdir(parents=True, exist_ok=True)
    target = place.absolute() / ROWS_ON_DISK
    clean_beside(target)
    with scratch_beside(target) as folder:
        if settings.engine.on_cluster:
            from training.in_parts.cluster import cluster_of

            with cluster_of(settings, divided, folder) as cluster:
                yield cluster
        else:
            yield ExternalMemory(settings, divided, folder)


def _finished(
    settings: Settings,
    divided: Divided,
    engine: Engine,
    people: Sequence[Attribute],
    own_rows: pd.DataFrame | None,
    progress: Progress,
) -> FinishedRun:
    preparation: Preparation = assemble(settings)[0]
    with progress.step("Looking at the columns") as show:
        learnt = engine.learn(preparation, show)
    preparation.fit_levels(learnt.levels)
    positions, frame = learnt.frame()
    for remark in (remarks := remarks_of(frame, settings.schema)):
        progress.say(f"  {escaped(remark)}")
    pools = pools_of_counts(settings, preparation, learnt.levels)
    refuse_pools_of_all(settings, pools)
    for pool in pools:
        progress.say(f"  {escaped(in_words(pool))}")
    progress.say(f"  {escaped(engine.refuse_small_room(preparation.width))}")
    of_train = divided.fold[positions] != TEST
    seen = frame[of_train].reset_index(drop=True)
    wanted = Wanted(
        {feature.name: bins_of(seen[feature.name].to_numpy(), feature.type) for feature in settings.features},
        Chance.of(seen, len(divided.train)),
        settings.costs.amount,
    )
    drawn_train = Labelled(seen, divided.target[positions[of_train]], _some(divided.weight, positions[of_train]))
    with explored_beside(settings, drawn_train) as explored:
        with progress.step("Preparing the rows") as show:
            counted = engine.prepare(preparation, wanted, show)
            copies, amounts = _of_rows(divided, counted, wanted)
        trees = settings.xgboost["n_estimators"]
        rows = len(divided.train)
        with progress.step(f"Fitting {settings.model.folds} × {trees:,} trees on {rows:,} rows"):
            [_, (_, classifier)] = assemble(settings).steps
            boosters = engine.fit(classifier.estimator)
        with progress.step("Evaluating"):
            fitted = fitted_on(settings, preparation, boosters, divided, engine.margins(boosters))
            shown = _shown(settings, divided, fitted, positions, frame)
            answers = _answers(settings, divided, people, fitted)
            pipeline, unseen = fitted.pipeline, fitted.unseen
            del fitted  # its probabilities are in the answers
            bins = {name: (its, *counted.train[name]) for name, its in wanted.bins.items()}
            train = answers["train"]
            reference = reference_of_counts(bins, train.score, settings.stability, train.weight)
            by_unseen = train.probability if unseen is None else unseen
            grades = grades_of(settings.grades, train.target, by_unseen, train.weight)
            if grades is not None:
                reference["grades"] = counts_of(grades, train.probability, train.weight)
            if settings.data.weight is not None:
                reference["weight"] = settings.data.weight
            test = answers["test"]
            features = OfFeatures(
                shifts_of_counts(reference, counted.test, test.score, settings.stability, test.weight),
                copies,
                {name: missing / len(divided.train) for name, missing in learnt.missing.items()},
                amounts,
            )
            evidence = gather(settings, pipeline, answers, shown, features, pools, explored, own_rows, grades)
    test_first = pd.concat([shown["test"].frame, shown["train"].frame], ignore_index=True)
    return FinishedRun(
        settings=settings,
        table=divided.source.table,
        rows={"train": divided.train, "test": divided.test},
        tuning=None,
        pipeline=pipeline,
        pools=pools,
        reference=reference,
        parts=answers,
        shown=shown,
        ranges=learnt.ranges,
        sample=test_first.head(SAMPLE_ROWS),
        evidence=evidence,
        own_rows=own_rows,
        in_parts={
            "engine": engine.name,
            "train_rows": len(shown["train"].target),
            "test_rows": len(shown["test"].target),
        },
        remarks=remarks,
    )


def _answers(
    settings: Settings, divided: Divided, people: Sequence[Attribute], fitted: Fitted
) -> dict[str, AnsweredRows]:
    found = {}
    for name, rows in (("train", divided.train), ("test", divided.test)):
        probability = fitted.probability[rows]
        score = scores_of(probability, settings.score)
        groups = tuple(its.of(rows) for its in people)
        found[name] = AnsweredRows(divided.target[rows], probability, score, _some(divided.weight, rows), groups)
    return found


def _shown(
    settings: Settings, divided: Divided, fitted: Fitted, positions: NDArray[np.intp], frame: pd.DataFrame
) -> dict[str, Part]:
    """The rows drawn, as parts with features."""
    is_test = divided.fold[positions] == TEST
    found = {}
    for name, those in (("train", ~is_test), ("test", is_test)):
        rows = positions[those]
        probability = fitted.probability[rows]
        score = scores_of(probability, settings.score)
        its = frame[those].reset_index(drop=True)
        found[name] = Part(its, divided.target[rows], probability, score, _some(divided.weight, rows))
    return found


def _of_rows(divided: Divided, counted: Counted, wanted: Wanted) -> tuple[Copies, NDArray[np.float64] | None]:
    """The copies among the rows, and the amounts of the test's; their keys are given up, before there are boosters."""
    keys, unlikely, amounts = counted.columns()
    counted.rows.clear()
    target, rows = divided.target, divided.test
    seen, chance = divided.train, wanted.chance
    copies = copies_among(keys[seen], target[seen], keys[rows], target[rows], unlikely[rows], by_chance=not chance.fine)
    return copies, _some(amounts, rows)


def _some(column: NDArray[np.float64] | None, rows: NDArray[np.intp]) -> NDArray[np.float64] | None:
    return None if column is None else column[rows]
