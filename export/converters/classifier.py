"""A fitted classifier as a whole: boosters, calibrators, and the mean over them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from export.converters.calibration import as_float64, convert_booster_probability, convert_calibrator, mean
from export.converters.graph import Graph
from export.refusal import ExportRefused
from training.estimator.boosting import margin
from training.estimator.crossfit import CrossFittedClassifier


@dataclass(frozen=True)
class Answers:
    """Names of tensors [N, 1]."""

    calibrations: list[tuple[Any, str, str]]  # each fitted calibrator, the tensor that it reads, what it makes of it
    second: str  # probability of the second class, float64 (float32 for a bare XGBClassifier)
    first: str  # probability of the first class where it was asked for, else ""


def unwrapped(estimator: Any) -> Any:
    """The fitted estimator that answers for another: of a FrozenEstimator, a search, or a tuned threshold.

    None of them changes a probability. Raises ExportRefused for a search that kept no estimator.
    """
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif isinstance(estimator, TunedThresholdClassifierCV | FixedThresholdClassifier):
            estimator = getattr(estimator, "estimator_", estimator.estimator)
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "best_params_"):
            raise ExportRefused(f"{type(estimator).__name__} has no best_estimator_: fit it with refit=True")
        else:
            return estimator


def boosters_of(classifier: Any) -> list[XGBClassifier]:
    """The fitted boosters of a classifier that can be converted, in the order of their margins.

    Raises ExportRefused for any other classifier.
    """
    classifier = unwrapped(classifier)
    if isinstance(classifier, Pipeline):
        return boosters_of(classifier[-1])
    if len(getattr(classifier, "classes_", "ab")) != 2:
        raise ExportRefused(f"multi-class is not supported: expected two classes, got {len(classifier.classes_)}")
    if isinstance(classifier, CrossFittedClassifier):
        return list(classifier.estimators_)
    if isinstance(classifier, CalibratedClassifierCV):
        if classifier.method not in ("sigmoid", "isotonic"):
            raise ExportRefused(
                f"CalibratedClassifierCV(method={classifier.method!r}) is not supported: expected sigmoid or isotonic"
            )
        return [_booster_of(fold.estimator) for fold in classifier.calibrated_classifiers_]
    if isinstance(classifier, XGBClassifier):
        return [classifier]
    raise ExportRefused(
        f"{type(classifier).__name__} is not supported: expected CrossFittedClassifier, CalibratedClassifierCV over "
        "XGBClassifier, or XGBClassifier"
    )


def convert_classifier(graph: Graph, classifier: Any, margins: list[str], *, both_classes: bool = False) -> Answers:
    """Converts what a fitted binary classifier makes of its boosters' margins, float32 [N, 1] each.

    `both_classes` asks for the first class too.
    """
    classifier = unwrapped(classifier)
    boosters = boosters_of(classifier)
    if isinstance(classifier, CrossFittedClassifier):
        x = mean(graph, [as_float64(graph, tensor, np.float32) for tensor in margins])
        second = convert_calibrator(graph, classifier.calibrator_, x, np.float64)
        first = _complement(graph, second, np.float64) if both_classes else ""
        return Answers([(classifier.calibrator_, x, second)], second, first)
    if not isinstance(classifier, CalibratedClassifierCV):
        second = convert_booster_probability(graph, margins[0])
        return Answers([], second, _complement(graph, second, np.float32) if both_classes else "")
    firsts, seconds, calibrations = [], [], []
    answers = margins if answers_margin(boosters[0]) else _booster_probabilities(graph, margins)
    for fold, x in zip(classifier.calibrated_classifiers_, answers, strict=True):
        p = convert_calibrator(graph, fold.calibrators[0], x, np.float32)
        calibrations.append((fold.calibrators[0], x, p))
        if both_classes:  # scikit-learn takes the mean of the complements, not the complement of the mean
            firsts.append(_complement(graph, p, np.float64))
        # What interpolation in float32 leaves above 1, scikit-learn takes back.
        one = graph.constant(np.array(1.0))
        seconds.append(graph.node("Min", p, one) if fold.method == "isotonic" else p)
    return Answers(calibrations, mean(graph, seconds), mean(graph, firsts) if both_classes else "")


def answers_margin(booster: XGBClassifier) -> bool:
    """Whether scikit-learn calibrates this booster's margin (it has a decision function) or its probability.

    A decision function may be anybody's, so it is asked on random rows, some of their values missing.
    """
    if not hasattr(booster, "decision_function"):
        return False
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(256, booster.n_features_in_)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    if not np.array_equal(booster.decision_function(rows), margin(booster, rows)):
        raise ExportRefused(
            f"{type(booster).__name__}.decision_function is not the margin: expected predict(X, output_margin=True)"
        )
    return True


def _booster_of(estimator: Any) -> XGBClassifier:
    boosters, estimator = boosters_of(estimator), unwrapped(estimator)
    if len(boosters) != 1 or isinstance(estimator, CalibratedClassifierCV | CrossFittedClassifier):
        raise ExportRefused(
            f"CalibratedClassifierCV over {type(estimator).__name__} is not supported: expected XGBClassifier"
        )
    return boosters[0]


def _booster_probabilities(graph: Graph, margins: list[str]) -> list[str]:
    """Each booster's probability; all at once, since the operators cost more by their number than by the elements."""
    if len(margins) == 1:
        return [convert_booster_probability(graph, margins[0])]
    together = convert_booster_probability(graph, graph.node("Concat", *margins, axis=1))
    columns = [graph.constant(np.array([i], dtype=np.int64)) for i in range(len(margins))]
    return [graph.node("Gather", together, column, axis=1) for column in columns]


def _complement(graph: Graph, p: str, dtype: type[np.floating[Any]]) -> str:
    return graph.node("Sub", graph.constant(np.array(1, dtype=dtype)), p)
