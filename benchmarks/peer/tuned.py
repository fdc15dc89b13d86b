"""The search that each contender of the ranking goes through: Optuna, the same folds and rows, log loss.

The first trial is the library's own defaults, the rest are TPE's; a trial whose folds are worse than the median of
the earlier ones is pruned after each fold. The best is fitted on all training rows.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import mean
from typing import Any

import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from benchmarks.peer.boosters import CATBOOST, HISTOGRAM, LIGHTGBM
from benchmarks.peer.contender import Contender
from benchmarks.peer.scorecard import SCORECARD
from benchmarks.sets import Trial

FOLDS = 4
VERSION = 1
"""Of all here and in the contenders that decides on an answer: raise it with every change that does."""
CONTENDERS: Mapping[str, Contender] = {
    "LightGBM": LIGHTGBM,
    "CatBoost": CATBOOST,
    "HistGradientBoosting": HISTOGRAM,
    "WoE scorecard": SCORECARD,
}


def answer(
    contender: Contender, trial: Trial, count: int, show: Callable[[int], None]
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Probabilities [N] of the test applicants from the best of `count` trials, and the best parameters.

    `show` is called with the number of each trial as it begins.
    """
    train, test = as_categories(trial.train, trial.test)
    target, seed = trial.train_target, trial.settings.split.seed
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(train, target))

    def objective(attempt: Any) -> float:
        show(attempt.number)
        parameters, losses, rounds = contender.space(attempt), [], []
        for step, (seen, unseen) in enumerate(folds):
            watched = train.iloc[unseen], target[unseen]
            fitted, took = contender.fit(parameters, train.iloc[seen], target[seen], watched)
            losses.append(log_loss(watched[1], fitted(watched[0]), labels=[0, 1]))
            rounds.append(took)
            attempt.report(mean(losses), step)
            if attempt.should_prune():
                raise optuna.TrialPruned
        attempt.set_user_attr("rounds", round(mean(rounds)))
        return float(mean(losses))

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), pruner=optuna.pruners.MedianPruner())
    study.enqueue_trial(dict(contender.defaults))
    with quiet():
        study.optimize(objective, n_trials=count)
        best = contender.space(optuna.trial.FixedTrial(study.best_params))
        best["rounds"] = study.best_trial.user_attrs["rounds"]
        found = {**best, "cross-validated log loss": study.best_value}
        return contender.fit(best, train, target, None)[0](test), found


def as_categories(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Texts as pandas' categories of the training rows, which the boosters read as such."""
    train, test = train.copy(), test.copy()
    for name in train.columns:
        if not pd.api.types.is_numeric_dtype(train[name]):
            levels = sorted(set(train[name].dropna()))
            train[name] = pd.Categorical(train[name], categories=levels)
            test[name] = pd.Categorical(test[name].where(test[name].isin(levels)), categories=levels)
    return train, test


@contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings of optbinning and LightGBM, which do not concern a comparison."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
