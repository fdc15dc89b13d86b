"""The nesting of a fitted pipeline, taken apart: for each booster the steps that run before it."""

import json
from dataclasses import dataclass
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from xgboost import Booster, XGBClassifier

from export.converters.classifier import boosters_of, unwrapped
from export.own.marked import marked_steps
from export.refusal import ExportRefused
from trees.dropout import DART

# The obstacle for other ensembles: the graph's trees compare and add in float32, as XGBoost's do.
OTHER_TREES = {
    "LGBMClassifier": "its thresholds and sums are float64, and a graph's trees add in float32",
    "HistGradientBoostingClassifier": "its thresholds and sums are float64, and a graph's trees add in float32",
    "GradientBoostingClassifier": "its sums are float64, and a graph's trees add in float32",
    "RandomForestClassifier": "it takes the mean of float64 shares, and a graph's trees add in float32",
    "ExtraTreesClassifier": "it takes the mean of float64 shares, and a graph's trees add in float32",
    "CatBoostClassifier": "its sums are float64, and a graph's trees add in float32",
    "StackingClassifier": "its final model's sum is left to BLAS, whose last bits differ by machine and number of rows",
    "BaggingClassifier": "its draws of columns are not converted; VotingClassifier is",
}


@dataclass(frozen=True)
class Branch:
    """One fitted booster and the fitted transformers in front of it, in order."""

    steps: tuple[tuple[str, Any], ...]
    booster: XGBClassifier

    @property
    def key(self) -> tuple[int, ...]:
        """Equal for branches that share their preparation."""
        return tuple(id(step) for _, step in self.steps)


def as_classifier(estimator: Any) -> Any:
    """A native Booster as the classifier of the same trees, all of them, as `Booster.predict` adds; else the object."""
    if not isinstance(estimator, Booster):
        return estimator
    content = json.loads(estimator.save_raw("json"))
    if content["learner"]["gradient_booster"]["name"] == DART:
        raise ExportRefused(
            "a Booster with dropout (DART) adds otherwise than XGBClassifier before XGBoost 3.4, in the last bit; load "
            "its file into an XGBClassifier (load_model) and give that, or fit it with 3.4"
        )
    classifier = XGBClassifier(n_jobs=1)
    classifier.load_model(estimator.save_raw("ubj"))
    classifier.get_booster().set_attr(best_iteration=None, best_score=None)  # what XGBClassifier would stop at
    return classifier


def refuse_unfitted(estimator: Any) -> None:
    """Raise ExportRefused for anything but a fitted classifier."""
    if isinstance(estimator, type) or not (hasattr(estimator, "fit") and hasattr(estimator, "predict_proba")):
        named = getattr(estimator, "__name__", type(estimator).__name__)
        remedy = "; set voting='soft'" if getattr(estimator, "voting", "") == "hard" else ""
        if getattr(estimator, "refit", True) is False:
            remedy = (
                "(refit=False), which keeps no fitted pipeline; set refit=True, or fit the pipeline with best_params_"
            )
        raise ExportRefused(
            f"pipeline: expected a fitted binary classifier of scikit-learn's kind, got {named}{remedy}"
        )
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise ExportRefused(f"pipeline: {type(estimator).__name__} is not fitted; call fit first") from None


def classifier_of(estimator: Any) -> Any:
    """The calibrated or bare classifier behind all pipelines and searches; what reads margins."""
    estimator = unwrapped(estimator)
    while isinstance(estimator, Pipeline):
        estimator = unwrapped(estimator[-1])
    if (why := OTHER_TREES.get(type(estimator).__name__)) is not None:
        raise ExportRefused(f"{type(estimator).__name__} is not supported: {why}; fit XGBClassifier in its place")
    boosters_of(estimator)  # raises ExportRefused for another classifier
    return estimator


def branches_of(estimator: Any, before: tuple[tuple[str, Any], ...] = ()) -> list[Branch]:
    """For each booster, in the order of the margins, the steps before it. Raises ExportRefused by name."""
    estimator = unwrapped(estimator)
    if isinstance(estimator, Pipeline):
        steps = tuple((name, step) for name, step in estimator.steps[:-1] if step not in (None, "passthrough"))
        return branches_of(estimator[-1], before + steps)
    if isinstance(estimator, VotingClassifier):
        return [branch for member in estimator.estimators_ for branch in branches_of(member, before)]
    if isinstance(estimator, CalibratedClassifierCV):
        return [branch for fold in estimator.calibrated_classifiers_ for branch in branches_of(fold.estimator, before)]
    return [Branch(before + marked_steps(booster), booster) for booster in boosters_of(estimator)]
