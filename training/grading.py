"""The grades of a run; if the settings name only their number, they are derived from out-of-fold probabilities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from runtime.grades import Grades
from training.estimator.boosting import margin
from training.estimator.calibration import calibrated
from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.folds import folds_of
from training.estimator.spread import brought_to
from training.labelled import Labelled
from training.settings import MasterScale
from validation.grades import grades_of


def grades_of_run(
    scale: MasterScale,
    pipeline: Pipeline,
    train: Labelled,
    probability: NDArray[np.float64],
    groups: NDArray[Any] | None = None,
) -> Grades | None:
    """The grades of a fitted pipeline, None for none; `train` are its training rows, with their groups [N].

    Boosters are too confident about rows that they have seen: there, default rates rise faster than anywhere else. So
    grades are derived from out-of-fold probabilities, and only for CalibratedClassifierCV, which keeps none, on the
    pipeline's own answers, `probability` [N]. Raises UserError for more grades than the rows support.
    """
    if scale.count is not None and isinstance(pipeline[1], CrossFittedClassifier):
        probability = out_of_fold(pipeline, train, groups)
    return grades_of(scale, train.target, probability, train.weight)


def out_of_fold(pipeline: Pipeline, train: Labelled, groups: NDArray[Any] | None) -> NDArray[np.float64]:
    """The probability [N] that each training row has by the booster that has not seen it."""
    classifier: CrossFittedClassifier = pipeline[1]
    X = pipeline[0].transform(train.frame)
    margins = np.empty(len(train.target))
    folds = folds_of(train.target, groups, classifier.folds, classifier.random_state)
    for booster, (_, unseen) in zip(classifier.estimators_, folds, strict=True):
        margins[unseen] = margin(booster, X[unseen])
    if classifier.spread_ != 1:  # the margins that the calibrator was fitted on
        brought_to(classifier.spread_, margins, train.weight, out=margins)
    return calibrated(classifier.calibrator_, margins)
