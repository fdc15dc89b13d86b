"""Contribution of each feature of a pipeline to the margin, by XGBoost."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from training.estimator.preparation import Preparation
from validation.importance import Contributions


def contributions_of(pipeline: Pipeline, frame: pd.DataFrame) -> Contributions:
    """The contributions to the margin of the rows of `frame` [N].

    They are XGBoost's (exact path-dependent TreeSHAP, Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9), averaged
    over the boosters, as the margin is. Contributions of a category's indicators are added up; a row maximum is one
    feature.
    """
    preparation, classifier = pipeline
    by_column = _mean_over(boosters_of(classifier), preparation.transform(frame))
    names, feature_of = _features(preparation)
    of_feature = np.zeros((len(feature_of), len(names)))
    of_feature[np.arange(len(feature_of)), feature_of] = 1
    return Contributions(names, by_column[:, :-1] @ of_feature, by_column[:, -1])


def boosters_of(classifier: Any) -> list[XGBClassifier]:
    """The fitted boosters of a classifier that training.estimator.assembly makes."""
    if hasattr(classifier, "estimators_"):
        return list(classifier.estimators_)
    return [fold.estimator for fold in classifier.calibrated_classifiers_]


def _mean_over(boosters: Sequence[XGBClassifier], matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean over boosters of each column's contribution, and last of what no column contributes, [N, m + 1]."""
    data = xgboost.DMatrix(matrix, nthread=1)

    def ask(booster: XGBClassifier) -> NDArray[np.float32]:
        rounds = booster.best_iteration + 1 if booster.early_stopping_rounds else 0  # 0: all
        return np.asarray(
            booster.get_booster().predict(data, pred_contribs=True, iteration_range=(0, rounds)), dtype=np.float32
        )

    with ThreadPoolExecutor() as threads:
        return np.asarray(np.mean(list(threads.map(ask, boosters)), axis=0, dtype=np.float64))


def _features(preparation: Preparation) -> tuple[list[str], list[int]]:
    """The features that a person would name, and which of them each column of the matrix belongs to."""
    names = [*preparation.single_, *(preparation.row_max or {}), *preparation.vocabularies_]
    columns = list(range(len(names) - len(preparation.vocabularies_)))
    for number, levels in enumerate(preparation.indicators().values(), len(columns)):
        columns += [number] * len(levels)
    return names, columns
