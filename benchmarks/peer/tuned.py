"""What ours is ranked against: three kinds of model, each searched with Optuna on the same folds for log loss."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import mean
from typing import Any

import lightgbm
import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray
from optbinning import BinningProcess
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline

from benchmarks.sets import Trial

FOLDS = 4
MOST_ROUNDS, PATIENCE = 2_000, 50
Fitted = Callable[[pd.DataFrame], NDArray[np.float64]]
# Fits on rows with parameters; may watch other rows to stop early. Gives the fitted model and the rounds it took.
Fit = Callable[[Mapping[str, Any], pd.DataFrame, Any, "tuple[pd.DataFrame, Any] | None"], "tuple[Fitted, int]"]


def answer(contender: str, trial: Trial, count: int) -> NDArray[np.float64]:
    """Probabilities [N] of the test applicants from the best of `count` trials, fitted on all training rows."""
    space, fit = CONTENDERS[contender]
    train, test = as_categories(trial.train, trial.test)
    target = trial.train_target
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=trial.settings.split.seed).split(train, target))

    def objective(attempt: Any) -> float:
        parameters, losses, rounds = space(attempt), [], []
        for step, (seen, unseen) in enumerate(folds):
            watched = train.iloc[unseen], target[unseen]
            fitted, took = fit(parameters, train.iloc[seen], target[seen], watched)
            losses.append(log_loss(watched[1], fitted(watched[0]), labels=[0, 1]))
            rounds.append(took)
            attempt.report(mean(losses), step)
            if attempt.should_prune():
                raise optuna.TrialPruned
        attempt.set_user_attr("rounds", round(mean(rounds)))
        return float(mean(losses))

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=trial.settings.split.seed), pruner=optuna.pruners.MedianPruner()
    )
    with quiet():
        study.optimize(objective, n_trials=count)
        best = {**space(optuna.trial.FixedTrial(study.best_params)), "rounds": study.best_trial.user_attrs["rounds"]}
        return fit(best, train, target, None)[0](test)


def as_categories(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Texts as pandas' categories of the training rows, which the boosters read as such."""
    train, test = train.copy(), test.copy()
    for name in train.columns:
        if train[name].dtype == object:
            levels = sorted(set(train[name].dropna()))
            train[name] = pd.Categorical(train[name], categories=levels)
            test[name] = pd.Categorical(test[name].where(test[name].isin(levels)), categories=levels)
    return train, test


def _lightgbm_space(attempt: Any) -> dict[str, Any]:
    return {
        "learning_rate": attempt.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "num_leaves": attempt.suggest_int("num_leaves", 2, 64, log=True),
        "min_child_samples": attempt.suggest_int("min_child_samples", 5, 200, log=True),
        "subsample": attempt.suggest_float("subsample", 0.5, 1.0),
        "colsample_bytree": attempt.suggest_float("colsample_bytree", 0.3, 1.0),
        "reg_lambda": attempt.suggest_float("reg_lambda", 1e-3, 100.0, log=True),
        "reg_alpha": attempt.suggest_float("reg_alpha", 1e-3, 10.0, log=True),
    }


def _fit_lightgbm(parameters: Mapping[str, Any], x: pd.DataFrame, y: Any, watched: Any) -> tuple[Fitted, int]:
    rounds = parameters.get("rounds", MOST_ROUNDS)
    rest = {name: value for name, value in parameters.items() if name != "rounds"}
    model = lightgbm.LGBMClassifier(n_estimators=rounds, subsample_freq=1, random_state=0, verbosity=-1, **rest)
    if watched is None:
        model.fit(x, y)
        return lambda rows: np.asarray(model.predict_proba(rows)[:, 1]), rounds
    model.fit(x, y, eval_set=[watched], callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)])
    return lambda rows: np.asarray(model.predict_proba(rows)[:, 1]), int(model.best_iteration_ or rounds)


def _histogram_space(attempt: Any) -> dict[str, Any]:
    return {
        "learning_rate": attempt.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "max_iter": attempt.suggest_int("max_iter", 50, 600, log=True),
        "max_leaf_nodes": attempt.suggest_int("max_leaf_nodes", 2, 64, log=True),
        "min_samples_leaf": attempt.suggest_int("min_samples_leaf", 5, 200, log=True),
        "l2_regularization": attempt.suggest_float("l2_regularization", 1e-3, 100.0, log=True),
        "max_features": attempt.suggest_float("max_features", 0.3, 1.0),
    }


def _fit_histogram(parameters: Mapping[str, Any], x: pd.DataFrame, y: Any, watched: Any) -> tuple[Fitted, int]:
    rest = {name: value for name, value in parameters.items() if name != "rounds"}
    model = HistGradientBoostingClassifier(
        early_stopping=False, categorical_features="from_dtype", random_state=0, **rest
    ).fit(x, y)
    return lambda rows: np.asarray(model.predict_proba(rows)[:, 1]), rest["max_iter"]


def _scorecard_space(attempt: Any) -> dict[str, Any]:
    return {
        "C": attempt.suggest_float("C", 1e-3, 10.0, log=True),
        "max_n_prebins": attempt.suggest_int("max_n_prebins", 5, 20),
        "min_prebin_size": attempt.suggest_float("min_prebin_size", 0.01, 0.1, log=True),
        "trend": attempt.suggest_categorical("trend", ["auto", "auto_asc_desc", "none"]),
    }


def _fit_scorecard(parameters: Mapping[str, Any], x: pd.DataFrame, y: Any, watched: Any) -> tuple[Fitted, int]:
    categories = [name for name in x.columns if isinstance(x[name].dtype, pd.CategoricalDtype)]
    trend = None if parameters["trend"] == "none" else parameters["trend"]
    # Levels of less than 2 % are taken together: the solver takes seconds for fifty of them.
    fit_params = {
        name: {"cat_cutoff": 0.02} if name in categories else {"monotonic_trend": trend} for name in x.columns
    }
    binning = BinningProcess(
        list(x.columns),
        categorical_variables=categories or None,
        binning_fit_params=fit_params,
        max_n_prebins=parameters["max_n_prebins"],
        min_prebin_size=parameters["min_prebin_size"],
        binning_transform_params={name: {"metric_missing": "empirical"} for name in x.columns},
    )
    model = Pipeline([("woe", binning), ("logistic", LogisticRegression(C=parameters["C"], max_iter=1_000))])
    model.fit(_as_texts(x, categories), y)
    return lambda rows: np.asarray(model.predict_proba(_as_texts(rows, categories))[:, 1]), 0


def _as_texts(rows: pd.DataFrame, categories: list[str]) -> pd.DataFrame:
    return rows.assign(**{name: rows[name].astype(object) for name in categories})


@contextmanager
def quiet() -> Iterator[None]:
    """What optbinning and LightGBM warn of does not concern a comparison."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


CONTENDERS: dict[str, tuple[Callable[[Any], dict[str, Any]], Fit]] = {
    "HistGradientBoosting": (_histogram_space, _fit_histogram),
    "LightGBM": (_lightgbm_space, _fit_lightgbm),
    "WoE scorecard": (_scorecard_space, _fit_scorecard),
}
