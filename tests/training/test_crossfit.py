"""The estimator: scikit-learn's own checks, and what cross-fitting and calibrating promise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from xgboost import XGBClassifier

from tests.applicants import draw, pipeline
from training.estimator.calibration import choose
from training.estimator.crossfit import CrossFittedClassifier, mean_margin

SMALL = {"n_estimators": 10, "max_depth": 3, "n_jobs": 1}


# Rows fall into other folds where a row is repeated; of each fold the equivalence holds (test_weights.py).
EXPECTED = {"check_sample_weight_equivalence_on_dense_data": "folds are made of rows"}


@pytest.mark.filterwarnings("ignore")  # of the checks themselves
@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [CrossFittedClassifier(XGBClassifier(**SMALL))], expected_failed_checks=lambda estimator: EXPECTED
)
def test_estimator_checks_of_scikit_learn_pass(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def table() -> tuple[Any, Any]:
    frame, target = draw()
    return pipeline()[0].fit(frame).transform(frame), target


def test_the_margin_is_the_mean_of_the_boosters() -> None:
    X, y = table()
    model = CrossFittedClassifier(XGBClassifier(**SMALL), folds=4).fit(X, y)
    margins = model.margins(X)
    assert margins.dtype == np.float32
    assert margins.shape == (len(X), 4)
    assert np.array_equal(margins[:, 2], model.estimators_[2].predict(X, output_margin=True))
    assert np.array_equal(model.decision_function(X), mean_margin(margins))
    assert np.allclose(model.decision_function(X), margins.astype(np.float64).mean(axis=1), rtol=0, atol=1e-15)


@pytest.mark.parametrize("calibration", ["sigmoid", "isotonic", "none"])
def test_probabilities_come_from_the_calibrator(calibration: str) -> None:
    X, y = table()
    model = CrossFittedClassifier(XGBClassifier(**SMALL), calibration=calibration).fit(X, y)
    x, p = model.decision_function(X), model.predict_proba(X)[:, 1]
    if calibration == "sigmoid":
        assert np.array_equal(p, expit(-(model.calibrator_.a_ * x + model.calibrator_.b_)))
    elif calibration == "isotonic":
        assert isinstance(model.calibrator_, IsotonicRegression)
        assert model.calibrator_.X_thresholds_.dtype == np.float64
        assert np.array_equal(p, np.interp(x, model.calibrator_.X_thresholds_, model.calibrator_.y_thresholds_))
    else:
        assert np.array_equal(p, expit(x))
    assert np.array_equal(model.predict(X), model.classes_[(p > 0.5).astype(int)])


def test_auto_is_the_calibration_that_it_chooses() -> None:
    X, y = table()
    model = CrossFittedClassifier(XGBClassifier(**SMALL), random_state=3).fit(X, y)
    assert [entry["method"] for entry in model.comparison_] == ["none", "sigmoid", "isotonic"]
    assert model.calibration_ == choose(model.comparison_)
    told = CrossFittedClassifier(XGBClassifier(**SMALL), calibration=model.calibration_, random_state=3).fit(X, y)
    assert np.array_equal(model.predict_proba(X), told.predict_proba(X))
    assert told.comparison_ == model.comparison_


def test_the_calibrator_sees_out_of_fold_margins_only() -> None:
    """Labels without any relation to the columns: in-sample margins would promise one, out-of-fold ones cannot."""
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(2_000, 8)).astype(np.float32), rng.integers(0, 2, 2_000)
    deep = XGBClassifier(n_estimators=60, max_depth=8, n_jobs=1)
    model = CrossFittedClassifier(deep, random_state=0).fit(X, y)
    assert roc_auc_score(y, model.decision_function(X)) > 0.9  # fits its noise …
    assert model.predict_proba(X)[:, 1].std() < 0.1  # … and knows that it has learnt nothing


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_seed_gives_the_same_bits_whatever_runs_side_by_side(jobs: int) -> None:
    X, y = table()
    booster = XGBClassifier(**SMALL, subsample=0.7, random_state=5)
    first = CrossFittedClassifier(booster, random_state=7, n_jobs=1).fit(X, y).predict_proba(X)
    assert np.array_equal(CrossFittedClassifier(booster, random_state=7, n_jobs=jobs).fit(X, y).predict_proba(X), first)
    other = CrossFittedClassifier(booster, random_state=8, n_jobs=1).fit(X, y).predict_proba(X)
    assert not np.array_equal(other, first)


def test_groups_stay_in_one_fold() -> None:
    X, y = table()
    groups = np.arange(len(X)) // 3
    model = CrossFittedClassifier(XGBClassifier(**SMALL), random_state=0)
    grouped = model.fit(X, y, groups=groups).predict_proba(X)
    named = CrossFittedClassifier(XGBClassifier(**SMALL), random_state=0).fit(X, y, [f"g{g:04}" for g in groups])
    assert np.array_equal(named.predict_proba(X), grouped)
    assert not np.array_equal(
        CrossFittedClassifier(XGBClassifier(**SMALL), random_state=0).fit(X, y).predict_proba(X), grouped
    )
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, y, groups=groups[:-1])
    with pytest.raises(ValueError, match="groups: expected one for each of 3 folds at least, got 2"):
        model.fit(X, y, groups=np.arange(len(X)) % 2)


def test_out_of_fold_means_out_of_group() -> None:
    """Each row three times, labels at random: boosters that saw a twin would know the label."""
    rng = np.random.default_rng(1)
    X, y = np.repeat(rng.normal(size=(700, 8)), 3, axis=0), np.repeat(rng.integers(0, 2, 700), 3)
    deep = XGBClassifier(n_estimators=60, max_depth=8, n_jobs=1)
    model = CrossFittedClassifier(deep, random_state=0)
    assert model.fit(X, y).predict_proba(X)[:, 1].std() > 0.2
    assert model.fit(X, y, groups=np.repeat(np.arange(700), 3)).predict_proba(X)[:, 1].std() < 0.1


def test_early_stopping_watches_the_unseen_fold() -> None:
    X, y = table()
    booster = XGBClassifier(n_estimators=400, learning_rate=0.5, early_stopping_rounds=5, n_jobs=1)
    model = CrossFittedClassifier(booster).fit(X, y)
    assert all(fitted.best_iteration < 399 for fitted in model.estimators_)


def test_string_classes_keep_their_order() -> None:
    X, y = table()
    names = np.where(y == 1, "bad", "good")
    model = CrossFittedClassifier(XGBClassifier(**SMALL), random_state=0).fit(X, names)
    assert model.classes_.tolist() == ["bad", "good"]
    assert roc_auc_score(y, model.predict_proba(X)[:, 0]) > 0.7
    assert set(model.predict(X)) <= {"bad", "good"}


def test_wrong_settings_are_named() -> None:
    X, y = table()
    with pytest.raises(ValueError, match="calibration: expected auto, none, sigmoid, isotonic, got 'beta'"):
        CrossFittedClassifier(calibration="beta").fit(X, y)
    with pytest.raises(ValueError, match="expected two classes, got one class"):
        CrossFittedClassifier().fit(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match="folds: expected at most one per row of the rarer class"):
        CrossFittedClassifier(folds=5).fit(X, np.arange(len(X)) < 3)
