"""The settings as an unfitted scikit-learn pipeline: Preparation, then a calibrated classifier."""

from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from training.estimator.boosting import MarginXGBClassifier
from training.estimator.calibrated_cv import AutoCalibratedClassifierCV
from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.preparation import Preparation
from training.settings import Settings


def assemble(settings: Settings) -> Pipeline:
    """A pipeline to be fitted on a DataFrame of the raw columns and a 0/1 target."""
    preparation = Preparation(
        numbers=[f.name for f in settings.features if f.type != "category"],
        categories={f.name: list(f.vocabulary) for f in settings.features if f.type == "category"},
        log1p=[f.name for f in settings.features if f.log1p],
        row_max={group: list(members) for group, members in settings.row_max.items()},
        rare={f.name: f.rare or settings.model.rare for f in settings.features if f.type == "category"},
    )
    return Pipeline([("prepare", preparation), ("classify", _classifier(settings, preparation))])


def booster_parameters(settings: Settings, preparation: Preparation) -> dict[str, Any]:
    """Arguments of XGBClassifier, with monotone signs by column of the prepared matrix."""
    # One thread a booster: its sums do not depend on the machine's cores, and folds are fitted side by side.
    parameters: dict[str, Any] = {**settings.xgboost, "n_jobs": 1, "random_state": settings.split.seed}
    if "monotone_constraints" in parameters:
        parameters["monotone_constraints"] = _directions(parameters["monotone_constraints"], preparation)
    return parameters


def _classifier(settings: Settings, preparation: Preparation) -> Any:
    model, seed = settings.model, settings.split.seed
    parameters = booster_parameters(settings, preparation)
    if model.estimator == "cross-fit":
        return CrossFittedClassifier(
            XGBClassifier(**parameters),
            calibration=model.calibration,
            folds=model.least_folds,
            correct_spread=model.correct_spread,
            random_state=seed,
        )
    booster = MarginXGBClassifier if model.calibrate_on == "margin" else XGBClassifier
    common = {
        "estimator": booster(**parameters),
        "cv": StratifiedKFold(model.least_folds, shuffle=True, random_state=seed),
        "ensemble": model.ensemble,
        "n_jobs": -1,
    }
    if model.calibration == "auto":
        return AutoCalibratedClassifierCV(**common)
    return CalibratedClassifierCV(method=model.calibration, **common)


def _directions(signs: dict[str, int], preparation: Preparation) -> tuple[int, ...]:
    """XGBoost's constraints, one for each number column of the matrix; it leaves the columns after them free."""
    grouped = {name for members in (preparation.row_max or {}).values() for name in members}
    names = [name for name in preparation.numbers if name not in grouped] + list(preparation.row_max or {})
    return tuple(signs.get(name, 0) for name in names)
