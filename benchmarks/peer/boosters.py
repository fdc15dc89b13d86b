"""Gradient boosting by others: LightGBM, CatBoost and scikit-learn's histograms, categories as each reads them."""

from collections.abc import Mapping
from typing import Any

import lightgbm
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.peer.contender import (
    MOST_ROUNDS,
    PATIENCE,
    Contender,
    Fitted,
    Watched,
    categories_of,
    probabilities,
    without_rounds,
)


def _lightgbm_space(attempt: Any) -> dict[str, Any]:
    return {
        "learning_rate": attempt.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "num_leaves": attempt.suggest_int("num_leaves", 2, 128, log=True),
        "min_child_samples": attempt.suggest_int("min_child_samples", 5, 200, log=True),
        "subsample": attempt.suggest_float("subsample", 0.5, 1.0),
        "colsample_bytree": attempt.suggest_float("colsample_bytree", 0.3, 1.0),
        "reg_lambda": attempt.suggest_float("reg_lambda", 1e-3, 100.0, log=True),
        "reg_alpha": attempt.suggest_float("reg_alpha", 1e-3, 10.0, log=True),
    }


def _fit_lightgbm(parameters: Mapping[str, Any], x: pd.DataFrame, y: Any, watched: Watched) -> tuple[Fitted, int]:
    rounds = parameters.get("rounds", MOST_ROUNDS)
    rest = without_rounds(parameters)
    model = lightgbm.LGBMClassifier(n_estimators=rounds, subsample_freq=1, random_state=0, verbosity=-1, **rest)
    if watched is None:
        model.fit(x, y)
        return probabilities(model), rounds
    model.fit(x, y, eval_set=[watched], callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)])
    return probabilities(model), int(model.best_iteration_ or rounds)


def _catboost_space(attempt: Any) -> dict[str, Any]:
    return {
        "learning_rate": attempt.suggest_float("learning_rate", 0.02, 0.3, log=True),
        "depth": attempt.suggest_int("depth", 2, 8),
        "l2_leaf_reg": attempt.suggest_float("l2_leaf_reg", 0.1, 30.0, log=True),
        "random_strength": attempt.suggest_float("random_strength", 0.1, 10.0, log=True),
        "bagging_temperature": attempt.suggest_float("bagging_temperature", 0.0, 1.0),
        "rsm": attempt.suggest_float("rsm", 0.3, 1.0),
        "one_hot_max_size": attempt.suggest_int("one_hot_max_size", 2, 64, log=True),
    }


def _fit_catboost(parameters: Mapping[str, Any], x: pd.DataFrame, y: Any, watched: Watched) -> tuple[Fitted, int]:
    from catboost import CatBoostClassifier  # of this benchmark alone: requirements/ranking.txt

    rounds, named = parameters.get("rounds", MOST_ROUNDS), categories_of(x)
    model = CatBoostClassifier(
        iterations=rounds,
        bootstrap_type="Bayesian",
        cat_features=named,
        random_seed=0,
        verbose=False,
        allow_writing_files=False,
        **without_rounds(parameters),
    )
    if watched is None:
        model.fit(_texts(x, named), y)
        return (lambda rows: probabilities(model)(_texts(rows, named))), rounds
    model.fit(_texts(x, named), y, eval_set=(_texts(watched[0], named), watched[1]), early_stopping_rounds=PATIENCE)
    return (lambda rows: probabilities(model)(_texts(rows, named))), int(model.tree_count_)


def _texts(rows: pd.DataFrame, named: list[str]) -> pd.DataFrame:
    """CatBoost takes a missing category as a text of its own, not as NaN."""
    return rows.assign(**{name: rows[name].astype(object).where(rows[name].notna(), "") for name in named})


def _histogram_space(attempt: Any) -> dict[str, Any]:
    return {
        "learning_rate": attempt.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "max_iter": attempt.suggest_int("max_iter", 50, 600, log=True),
        "max_leaf_nodes": attempt.suggest_int("max_leaf_nodes", 2, 64, log=True),
        "min_samples_leaf": attempt.suggest_int("min_samples_leaf", 5, 200, log=True),
        "l2_regularization": attempt.suggest_float("l2_regularization", 1e-3, 100.0, log=True),
        "max_features": attempt.suggest_float("max_features", 0.3, 1.0),
    }


def _fit_histogram(parameters: Mapping[str, Any], x: pd.DataFrame, y: Any, watched: Watched) -> tuple[Fitted, int]:
    """Fit with the number of rounds that was searched: this booster cannot watch rows for early stopping."""
    rest = without_rounds(parameters)
    model = HistGradientBoostingClassifier(
        early_stopping=False, categorical_features="from_dtype", random_state=0, **rest
    ).fit(x, y)
    return probabilities(model), rest["max_iter"]


LIGHTGBM = Contender(
    "lightgbm",
    _lightgbm_space,
    _fit_lightgbm,
    {
        "learning_rate": 0.1,
        "num_leaves": 31,
        "min_child_samples": 20,
        "subsample": 1.0,
        "colsample_bytree": 1.0,
        "reg_lambda": 1e-3,
        "reg_alpha": 1e-3,
    },
)
CATBOOST = Contender(
    "catboost",
    _catboost_space,
    _fit_catboost,
    {
        "learning_rate": 0.06,
        "depth": 6,
        "l2_leaf_reg": 3.0,
        "random_strength": 1.0,
        "bagging_temperature": 1.0,
        "rsm": 1.0,
        "one_hot_max_size": 2,
    },
)
HISTOGRAM = Contender(
    "scikit-learn",
    _histogram_space,
    _fit_histogram,
    {
        "learning_rate": 0.1,
        "max_iter": 100,
        "max_leaf_nodes": 31,
        "min_samples_leaf": 20,
        "l2_regularization": 1e-3,
        "max_features": 1.0,
    },
)
