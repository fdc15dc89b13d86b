"""The scorecard of the trade: weight of evidence by optimal bins (optbinning), then logistic regression."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from optbinning import BinningProcess
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from benchmarks.peer.contender import Contender, Fitted, Watched, categories_of, probabilities


def _space(attempt: Any) -> dict[str, Any]:
    return {
        "C": attempt.suggest_float("C", 1e-3, 10.0, log=True),
        "max_n_prebins": attempt.suggest_int("max_n_prebins", 5, 20),
        "min_prebin_size": attempt.suggest_float("min_prebin_size", 0.01, 0.1, log=True),
        "trend": attempt.suggest_categorical("trend", ["auto", "auto_asc_desc", "none"]),
    }


def _fit(parameters: Mapping[str, Any], x: pd.DataFrame, y: Any, watched: Watched) -> tuple[Fitted, int]:
    categories = categories_of(x)
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
    return lambda rows: probabilities(model)(_as_texts(rows, categories)), 0


def _as_texts(rows: pd.DataFrame, categories: list[str]) -> pd.DataFrame:
    return rows.assign(**{name: rows[name].astype(object) for name in categories})


SCORECARD = Contender(
    "optbinning", _space, _fit, {"C": 1.0, "max_n_prebins": 20, "min_prebin_size": 0.05, "trend": "auto"}
)
