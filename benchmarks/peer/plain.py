"""The script that many start from: scikit-learn's calibrated XGBoost with the reference parameters, and its AUC.

`python -m benchmarks.peer.plain` reads, prepares, fits and scores the built-in population, and nothing else.
"""

import sys

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

import population
from training.estimator.assembly import assemble
from training.settings import Settings
from training.settings.xgboost_parameters import REFERENCE

SEED = 99


def model() -> CalibratedClassifierCV:
    """The script's model: sigmoid on probabilities, 3 folds, averaged."""
    return CalibratedClassifierCV(XGBClassifier(**REFERENCE), method="sigmoid", cv=3)


def main() -> None:
    """Fit on three quarters of the built-in population and print the AUC of the rest."""
    frame = population.draw()
    target = frame["default"].to_numpy()
    x = assemble(Settings())[0].fit_transform(frame)
    train, test = train_test_split(np.arange(len(target)), test_size=0.25, random_state=SEED, stratify=target)
    fitted = model().fit(x[train], target[train])
    sys.stdout.write(f"{roc_auc_score(target[test], fitted.predict_proba(x[test])[:, 1]):.4f}\n")


if __name__ == "__main__":
    main()
