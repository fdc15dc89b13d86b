"""A kind of model that ours is ranked against: where its parameters are searched, and how it is fitted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST_ROUNDS, PATIENCE = 2_000, 50
Fitted = Callable[[pd.DataFrame], NDArray[np.float64]]
Watched = tuple[pd.DataFrame, Any] | None
# Fits on rows with parameters; may watch other rows to stop early. Gives the fitted model and the rounds it took.
Fit = Callable[[Mapping[str, Any], pd.DataFrame, Any, Watched], tuple[Fitted, int]]


@dataclass(frozen=True)
class Contender:
    """Parameters of an Optuna trial, the fit, the library's own defaults and the distribution that is installed."""

    package: str
    space: Callable[[Any], dict[str, Any]]
    fit: Fit
    defaults: Mapping[str, Any]
    """The first trial: the library's own, or the nearest place in the space."""


def probabilities(model: Any) -> Fitted:
    """Probability of the second class by scikit-learn's interface."""
    return lambda rows: np.asarray(model.predict_proba(rows)[:, 1], dtype=np.float64)


def without_rounds(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the library knows."""
    return {name: value for name, value in parameters.items() if name != "rounds"}


def categories_of(x: pd.DataFrame) -> list[str]:
    """The columns that hold categories."""
    return [name for name in x.columns if isinstance(x[name].dtype, pd.CategoricalDtype)]
