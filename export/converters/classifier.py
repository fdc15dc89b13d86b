"""A fitted classifier as a whole: boosters, calibrators, and the mean over them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import TensorProto
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from export.converters.calibration import as_float64, convert_booster_probability, convert_calibrator, mean
from export.converters.graph import Graph
from export.refusal import ExportRefused
from training.estimator.boosting import margin
from training.estimator.crossfit import CrossFittedClassifier

MOST_VOTERS = 7  # numpy's sum of eight terms or more may be in pairs


@dataclass(frozen=True)
class Answers:
    """Names of tensors [N, 1]."""

    calibrations: list[tuple[Any, str, str]]  # each fitted calibrator, the tensor that it reads, what it makes of it
    second: str  # probability of the second class, float64 (float32 for a bare XGBClassifier)
    first: str  # probability of the first class where it was asked for, else ""


def unwrapped(estimator: Any) -> Any:
    """The fitted estimator inside a FrozenEstimator, a search, or a tuned threshold.

    None of these wrappers changes a probability. Raises ExportRefused for a search that kept no estimator.
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
    if isinstance(classifier, VotingClassifier):
        return [booster for member in members_of(classifier) for booster in boosters_of(member)]
    raise ExportRefused(
        f"{type(classifier).__name__} is not supported: expected CrossFittedClassifier, CalibratedClassifierCV over "
        "XGBClassifier, XGBClassifier, or VotingClassifier of them"
    )


def members_of(classifier: VotingClassifier) -> list[Any]:
    """The fitted classifiers whose probabilities a soft vote takes the mean of, without their pipelines."""
    if len(classifier.estimators_) > MOST_VOTERS:
        raise ExportRefused(
            f"VotingClassifier of {len(classifier.estimators_)} members is not supported: expected {MOST_VOTERS} or "
            "fewer, since NumPy adds more of them in another order"
        )
    found = []
    for member in map(unwrapped, classifier.estimators_):
        while isinstance(member, Pipeline):
            member = unwrapped(member[-1])
        found.append(member)
    return found


def convert_classifier(graph: Graph, classifier: Any, margins: list[str], *, both_classes: bool = False) -> Answers:
    """Convert a fitted binary classifier's steps after its boosters' margins, float32 [N, 1] each.

    `both_classes` asks for the first class too.
    """
    classifier = unwrapped(classifier)
    boosters = boosters_of(classifier)
    if isinstance(classifier, CrossFittedClassifier):
        x = mean(graph, [as_float64(graph, tensor, np.float32) for tensor in margins])
        second = convert_calibrator(graph, classifier.calibrator_, x, np.float64)
        first = _complement(graph, second, np.float64) if both_classes else ""
        return Answers([(classifier.calibrator_, x, second)], second, first)
    if isinstance(classifier, VotingClassifier):
        return _convert_vote(graph, classifier, margins, both_classes=both_classes)
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
        # Interpolation in float32 can exceed 1, and scikit-learn clips it.
        one = graph.constant(np.array(1.0))
        seconds.append(graph.node("Min", p, one) if fold.method == "isotonic" else p)
    return Answers(calibrations, mean(graph, seconds), mean(graph, firsts) if both_classes else "")


def _convert_vote(graph: Graph, classifier: VotingClassifier, margins: list[str], *, both_classes: bool) -> Answers:
    """numpy.average of the members' probabilities: float32 where all of them are, and there are no weights."""
    members, answers, first = members_of(classifier), [], 0
    for member in members:
        count = len(boosters_of(member))
        answers.append(convert_classifier(graph, member, margins[first : first + count], both_classes=both_classes))
        first += count
    weights = classifier._weights_not_none
    is_float32 = weights is None and all(isinstance(member, XGBClassifier) for member in members)

    def average(names: list[str]) -> str:
        dtype: type[np.floating[Any]] = np.float32 if is_float32 else np.float64
        terms = names if is_float32 else [graph.node("Cast", name, to=TensorProto.DOUBLE) for name in names]
        if weights is not None:
            scales = [graph.constant(np.array(weight, dtype=dtype)) for weight in weights]
            terms = [graph.node("Mul", term, scale) for term, scale in zip(terms, scales, strict=True)]
        total = terms[0]
        for term in terms[1:]:
            total = graph.node("Add", total, term)
        count = len(names) if weights is None else np.asarray(weights).sum(dtype=dtype)
        return graph.node("Div", total, graph.constant(np.array(count, dtype=dtype)))

    calibrations = [calibration for answer in answers for calibration in answer.calibrations]
    firsts = average([answer.first for answer in answers]) if both_classes else ""
    return Answers(calibrations, average([answer.second for answer in answers]), firsts)


def answers_margin(booster: XGBClassifier) -> bool:
    """True if scikit-learn calibrates this booster's margin (it has a decision function), False for its probability.

    A decision function may compute anything, so it is evaluated on random rows, with some values missing.
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
    if len(boosters) != 1 or isinstance(estimator, CalibratedClassifierCV | CrossFittedClassifier | VotingClassifier):
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
