"""What a score hangs on: the contribution of each feature, in points."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from runtime.score import Scale
from training.estimator.preparation import Preparation
from validation.bands import scores_of

MOST_ROWS = 1_000


def importance(pipeline: Pipeline, frame: pd.DataFrame, scale: Scale, seed: int) -> pd.DataFrame:
    """Feature, mean absolute contribution to the score in points, and its share of all in %; the largest first.

    Contributions are XGBoost's (exact path-dependent TreeSHAP, Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9) to
    the margin, averaged over the boosters as the margin is, for up to MOST_ROWS of `frame` [N]. Those of a category's
    indicators are added up, a row maximum is a feature of its own. Points are margin times the slope of the score
    along it: the same for everybody where one sigmoid or nothing calibrates the margin, elsewhere that of a straight
    line through the applicants.
    """
    rows = sampled_rows(len(frame), MOST_ROWS, seed)
    preparation, classifier = pipeline
    matrix = preparation.transform(frame.iloc[rows])
    contributions, base = _contributions(boosters_of(classifier), matrix)
    score = scores_of(pipeline.predict_proba(frame.iloc[rows])[:, 1], scale)
    points = contributions * _slope(contributions.sum(axis=1) + base, score)
    names, columns = _features(preparation)
    of_feature = np.zeros((len(columns), len(names)))
    of_feature[np.arange(len(columns)), columns] = 1
    mean = np.abs(points @ of_feature).mean(axis=0)
    order = np.argsort(-mean, kind="stable")
    total = mean.sum() or 1.0
    return pd.DataFrame(
        {"Feature": [names[i] for i in order], "Mean points": mean[order], "Share": 100 * mean[order] / total}
    )


def sampled_rows(rows: int, most: int, seed: int) -> NDArray[np.int64]:
    """Ascending places of up to `most` of so many rows."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:most])


def boosters_of(classifier: Any) -> list[XGBClassifier]:
    """The fitted boosters of a classifier that training.estimator.assembly makes."""
    if hasattr(classifier, "estimators_"):
        return list(classifier.estimators_)
    return [fold.estimator for fold in classifier.calibrated_classifiers_]


def _contributions(
    boosters: list[XGBClassifier], matrix: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean over boosters of each column's contribution [N, m] to the margin, and of what none contributes [N]."""
    data = xgboost.DMatrix(matrix, nthread=1)

    def ask(booster: XGBClassifier) -> NDArray[np.float32]:
        rounds = booster.best_iteration + 1 if booster.early_stopping_rounds else 0  # 0: all
        return np.asarray(
            booster.get_booster().predict(data, pred_contribs=True, iteration_range=(0, rounds)), dtype=np.float32
        )

    with ThreadPoolExecutor() as threads:
        mean = np.asarray(np.mean(list(threads.map(ask, boosters)), axis=0, dtype=np.float64))
    return mean[:, :-1], mean[:, -1]


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Of the straight line through points; 0 where all have the same x."""
    deviation = x - x.mean()
    return float(deviation @ y / (deviation @ deviation)) if deviation.any() else 0.0


def _features(preparation: Preparation) -> tuple[list[str], list[int]]:
    """The features that a person would name, and which of them each column of the matrix belongs to."""
    names = [*preparation.single_, *(preparation.row_max or {}), *preparation.vocabularies_]
    columns = list(range(len(names) - len(preparation.vocabularies_)))
    for number, levels in enumerate(preparation.vocabularies_.values(), len(columns)):
        columns += [number] * len(levels)
    return names, columns
