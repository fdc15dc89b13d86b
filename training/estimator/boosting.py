"""XGBoost as this project uses it: its answer is a margin, the log-odds before any calibration."""

from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray
from sklearn.base import clone
from xgboost import XGBClassifier


def margin(booster: XGBClassifier, X: Any) -> NDArray[np.float32]:
    """The raw float32 score [N] of a fitted binary classifier: base margin plus leaves, in log-odds."""
    return np.asarray(booster.predict(X, output_margin=True), dtype=np.float32)


class MarginXGBClassifier(XGBClassifier):  # type: ignore[misc]
    """An XGBClassifier that shows scikit-learn its margin.

    `CalibratedClassifierCV` prefers a decision function to probabilities. XGBClassifier has none, so its sigmoid
    is fitted on probabilities, where it cannot reach small ones; with this class it is fitted on log-odds.
    """

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """The margin [N], in log-odds."""
        return margin(self, X)


def grow(template: XGBClassifier, rows: xgboost.DMatrix, unseen: xgboost.DMatrix | None) -> xgboost.Booster:
    """Fit a booster with the parameters of `template`, as its own `fit` does, on rows that are a matrix already.

    `unseen` is watched for early stopping; None without it.
    """
    return xgboost.train(
        template.get_xgb_params(),
        rows,
        template.get_num_boosting_rounds(),
        evals=[] if unseen is None else [(unseen, "unseen")],
        early_stopping_rounds=template.early_stopping_rounds,
        verbose_eval=False,
    )


def fitted_classifier(template: XGBClassifier, booster: xgboost.Booster) -> XGBClassifier:
    """A copy of an unfitted classifier with trees that were fitted elsewhere, in the state after its own `fit`.

    Both attributes have no public way that leaves the parameters as they are: `load_model` changes some of them.
    XGBoost's own estimators for Dask set these two.
    """
    classifier = clone(template)
    classifier._Booster = booster
    classifier.n_classes_ = 2
    return classifier
