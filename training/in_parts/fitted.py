"""The pipeline of boosters fitted on parts, and its answers for every row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from training.estimator.assembly import assemble
from training.estimator.calibration import calibrated
from training.estimator.crossfit import mean_margin
from training.estimator.preparation import Preparation
from training.estimator.spread import disagreement, step_between
from training.in_parts.divided import Divided
from training.settings import Settings
from validation.weights import masses, per_mean

Margins = Iterable[tuple[NDArray[np.intp], NDArray[np.float32]]]
CHUNK = 1_000_000  # probabilities that are made at a time


@dataclass(frozen=True)
class Fitted:
    """A pipeline, and its probability [N] of default for every row of the table."""

    pipeline: Pipeline
    probability: NDArray[np.float64]
    unseen: NDArray[np.float64] | None = None
    """Margin of each training row by the booster that has not seen it, if grades are to be found."""


def fitted_on(
    settings: Settings,
    preparation: Preparation,
    boosters: Sequence[XGBClassifier],
    divided: Divided,
    margins: Margins,
) -> Fitted:
    """The settings' pipeline around boosters, calibrated on `margins` [R, k] of rows at positions [R], all once."""
    fold, rows = divided.fold, len(divided.fold)
    mean, unseen = np.empty(rows), np.empty(rows, dtype=np.float32)
    compared = _compared(divided)
    between = np.empty((len(compared), len(boosters)), dtype=np.float32)
    for positions, its in margins:
        mean[positions] = mean_margin(its)
        own = fold[positions]
        unseen[positions] = its[np.arange(len(its)), np.maximum(own, 0)]
        place = np.searchsorted(compared, positions)
        hit = place < len(compared)
        hit[hit] = compared[place[hit]] == positions[hit]
        between[place[hit]] = its[hit]
    del positions, its, own, place, hit  # the first of them holds the places of a whole fold
    weight = divided.weight
    noise = 0.0
    if len(boosters) > 2:
        noise = disagreement(between, fold[compared], masses(weight, rows)[compared])
    [_, (_, classifier)] = assemble(settings).steps
    of_train = None if weight is None else per_mean(weight[divided.train])
    out_of_fold = unseen[divided.train].astype(np.float64)
    del unseen, between
    classifier.fit_margins(boosters, out_of_fold, divided.target[divided.train], noise, of_train)
    by_unseen = None if settings.grades.count is None else calibrated(classifier.calibrator_, out_of_fold)
    del out_of_fold
    for first in range(0, rows, CHUNK):  # overwrites the margins
        some = slice(first, first + CHUNK)
        mean[some] = calibrated(classifier.calibrator_, mean[some])
    return Fitted(Pipeline([("prepare", preparation), ("classify", classifier)]), mean, by_unseen)


def _compared(divided: Divided) -> NDArray[np.intp]:
    """The training rows on which boosters are compared, ascending."""
    step = step_between(len(divided.train))
    chosen = [np.flatnonzero(divided.fold == fold)[::step] for fold in range(divided.folds)]
    found: NDArray[np.intp] = np.sort(np.concatenate(chosen))
    return found
