"""Cross-fitted boosters with one calibrator: the estimator that the project ships.

k boosters are fitted on k folds, the margin is the mean of theirs, and one calibrator is fitted on the margins that
each booster gives to the fold that it has not seen. See docs/decisions/0001-calibrate-the-margin.md, and 0011 for the
spread of these margins.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, validate_data
from xgboost import XGBClassifier

from training.estimator.boosting import margin
from training.estimator.calibration import METHODS, calibrated, choose, cross_validated, fit_calibrator
from training.estimator.folds import folds_of
from training.estimator.spread import brought_to, spread_of_mean, spread_with


class CrossFittedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """k boosters on k folds, their mean margin, one calibrator fitted on out-of-fold margins.

    Parameters
    ----------
    estimator : the XGBClassifier to clone for each fold (None: its defaults). With `early_stopping_rounds` each
        clone watches the fold that it has not seen.
    calibration : "sigmoid" (Platt's, on the margin), "isotonic", "none" (the margin is taken for log-odds), or
        "auto" (the one that cross-validation on the out-of-fold margins prefers, see training.estimator.calibration).
    folds : number of boosters, at least 2.
    correct_spread : fit the calibrator on margins brought to the spread that the mean of the boosters has, which is
        smaller than that of each (see training.estimator.spread); False takes them as they are.
    random_state : seed of the folds' shuffling.
    n_jobs : folds fitted at the same time (None: all cores). It does not change the result.

    Attributes
    ----------
    classes_ : the two labels, the one whose probability is predicted last.
    estimators_ : the fitted boosters.
    calibration_ : "sigmoid", "isotonic" or "none", as given or chosen.
    spread_ : estimated spread of the mean margin, as a share of that of one booster's, 1 where it is not corrected.
    calibrator_ : scikit-learn's own fitted calibrator, None for "none".
    comparison_ : what each calibration loses in cross-validation, see training.estimator.calibration.cross_validated.

    """

    def __init__(
        self,
        estimator: XGBClassifier | None = None,
        *,
        calibration: str = "auto",
        folds: int = 3,
        correct_spread: bool = True,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.calibration = calibration
        self.folds = folds
        self.correct_spread = correct_spread
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
        """Fit on X [N, m] (NaN is missing) and y [N] with two classes; no group of `groups` [N] is in two folds.

        `sample_weight` [N] weighs the rows in every booster, in what it watches, and in the calibrator and its choice.
        """
        if self.calibration not in ("auto", *METHODS):
            raise ValueError(f"calibration: expected auto, {', '.join(METHODS)}, got {self.calibration!r}")
        X, y = validate_data(self, X, y, dtype=np.float32, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        self.classes_, target = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y: expected two classes, got one class: {self.classes_[0]!r}")
        if len(self.classes_) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(y)}: {len(self.classes_)} classes."
            )
        rarest = np.bincount(target).min()
        if rarest < self.folds:
            raise ValueError(
                f"folds: expected at most one per row of the rarer class (n_splits={self.folds} "
                f"with {rarest} such rows)"
            )
        if groups is not None:
            groups = check_array(groups, ensure_2d=False, dtype=None, input_name="groups")
            check_consistent_length(X, groups)
        weight = None if sample_weight is None else _checked_weight(X, sample_weight)
        template = XGBClassifier(n_jobs=1) if self.estimator is None else self.estimator
        folds = folds_of(target, groups, self.folds, self.random_state)
        together = min(self.folds, effective_n_jobs(-1 if self.n_jobs is None else self.n_jobs))
        fitted = Parallel(n_jobs=together, prefer="threads")(
            delayed(_fit_fold)(clone(template), X, target, weight, seen, unseen) for seen, unseen in folds
        )
        self.estimators_ = [booster for booster, _ in fitted]
        out_of_fold = np.empty(len(target))
        for (_, unseen), (_, margins) in zip(folds, fitted, strict=True):
            out_of_fold[unseen] = margins
        spread = 1.0
        if self.correct_spread:
            spread = spread_of_mean(self.estimators_, X, [its for _, its in folds], out_of_fold, weight)
        return self._calibrate(spread, out_of_fold, target, weight)

    def fit_margins(
        self,
        boosters: Sequence[XGBClassifier],
        out_of_fold: NDArray[np.float64],
        target: NDArray[np.int8],
        noise: float,
        weight: NDArray[np.float64] | None = None,
    ) -> Self:
        """Return the result of `fit` for boosters that are fitted already, with equally many columns.

        `out_of_fold` [N] are the margins of rows from the booster that has not seen them, `target` [N] is 0 or 1,
        `noise` is training.estimator.spread.disagreement. With `correct_spread` the margins are overwritten by those
        that the calibrator is fitted on.
        """
        self.classes_ = np.unique(target)
        self.n_features_in_ = int(boosters[0].n_features_in_)
        self.estimators_ = list(boosters)
        spread = spread_with(noise, len(boosters), out_of_fold, weight) if self.correct_spread else 1.0
        return self._calibrate(spread, out_of_fold, target, weight)

    def _calibrate(
        self,
        spread: float,
        out_of_fold: NDArray[np.float64],
        target: NDArray[Any],
        weight: NDArray[np.float64] | None,
    ) -> Self:
        self.spread_ = spread
        if self.correct_spread:
            brought_to(spread, out_of_fold, weight, out=out_of_fold)
        self.comparison_ = cross_validated(out_of_fold, target, seed=self.random_state, weight=weight)
        self.calibration_ = choose(self.comparison_) if self.calibration == "auto" else self.calibration
        self.calibrator_ = fit_calibrator(self.calibration_, out_of_fold, target, weight)
        return self

    def margins(self, X: Any) -> NDArray[np.float32]:
        """The margin of each booster, [N, folds] in log-odds before calibration."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, ensure_all_finite=False, reset=False)
        return np.column_stack([margin(booster, X) for booster in self.estimators_])

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """The mean margin [N], in log-odds before calibration."""
        return mean_margin(self.margins(X))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Calibrated probabilities [N, 2] in 0-1, in the order of `classes_`."""
        x = self.decision_function(X)
        p = calibrated(self.calibrator_, x)
        return np.column_stack([1 - p, p])

    def predict(self, X: Any) -> NDArray[Any]:
        """The likelier label of each row."""
        p = self.predict_proba(X)[:, 1]
        return np.asarray(self.classes_[(p > 0.5).astype(int)])

    def __sklearn_tags__(self) -> Any:
        """Missing values allowed, two classes only."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags


def mean_margin(margins: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean over boosters in float64, summed left to right: the order that the serving graph keeps."""
    total = margins[:, 0].astype(np.float64)
    for column in margins.T[1:]:
        total = total + column
    return np.asarray(total / margins.shape[1])


def _checked_weight(X: NDArray[np.float32], sample_weight: Any) -> NDArray[np.float64]:
    weight: NDArray[np.float64] = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weight.ndim != 1:
        raise ValueError(f"sample_weight: expected one weight a row, [N], got the shape {weight.shape}")
    check_consistent_length(X, weight)
    if (weight < 0).any() or not weight.any():
        raise ValueError("sample_weight: expected weights of 0 or more, not all zero")
    return weight


def _fit_fold(
    booster: XGBClassifier,
    X: NDArray[np.float32],
    target: NDArray[np.intp],
    weight: NDArray[np.float64] | None,
    seen: NDArray[np.intp],
    unseen: NDArray[np.intp],
) -> tuple[XGBClassifier, NDArray[np.float32]]:
    options: dict[str, Any] = {} if weight is None else {"sample_weight": weight[seen]}
    if booster.early_stopping_rounds:
        options["eval_set"] = [(X[unseen], target[unseen])]
        if weight is not None:
            options["sample_weight_eval_set"] = [weight[unseen]]
    booster.fit(X[seen], target[seen], verbose=False, **options)
    return booster, margin(booster, X[unseen])
