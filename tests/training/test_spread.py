"""The spread of a mean of boosters: estimated on rows that have been seen, right on new ones, and in the calibrator."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from xgboost import XGBClassifier

from training.estimator.calibration import fit_calibrator
from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.folds import folds_of
from training.estimator.spread import SMALLEST, brought_to, spread_of_mean
from validation.calibration import log_odds, regress

NOISY = {"n_estimators": 40, "max_depth": 5, "learning_rate": 0.1, "n_jobs": 1}
Rows = tuple[NDArray[np.float32], NDArray[np.int64]]


def draw(rows: int, seed: int) -> Rows:
    """Weak features, most of them noise: boosters that disagree."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 8)).astype(np.float32)
    return X, (rng.random(rows) < expit(0.6 * X[:, 0] + 0.4 * X[:, 1] - 1.5)).astype(np.int64)


def fitted(rows: Rows, **options: Any) -> CrossFittedClassifier:
    return CrossFittedClassifier(XGBClassifier(**NOISY), calibration="sigmoid", random_state=0, **options).fit(*rows)


@pytest.fixture(scope="module")
def seen() -> Rows:
    return draw(1_500, 1)


@pytest.fixture(scope="module")
def new() -> Rows:
    return draw(20_000, 2)


@pytest.mark.parametrize("folds", [3, 5])
def test_rows_that_were_seen_show_most_of_the_spread_of_new_rows_and_no_more(folds: int, seen: Rows, new: Rows) -> None:
    model = fitted(seen, folds=folds)
    margins = model.margins(new[0]).astype(np.float64)
    of_new = margins.mean(axis=1).var() / margins.var(axis=0).mean()  # λ: the share of the variance that the mean keeps
    assert of_new < 0.85
    assert 0.5 < (1 - model.spread_) / (1 - of_new) <= 1


def test_the_answers_are_less_cautious_and_lose_less(seen: Rows, new: Rows) -> None:
    slopes, losses = {}, {}
    for corrected in (False, True):
        model = fitted(seen, folds=4, correct_spread=corrected)
        p = model.predict_proba(new[0])[:, 1]
        slopes[corrected] = regress(new[1].astype(np.int8), log_odds(p, (1e-8, 1 - 1e-8)))[1]
        losses[corrected] = -np.log(np.where(new[1] == 1, p, 1 - p)).mean()
    assert slopes[False] > 1.1
    assert abs(slopes[True] - 1) < abs(slopes[False] - 1)
    assert losses[True] < losses[False]


def test_the_calibrator_is_fitted_on_margins_of_that_spread(seen: Rows) -> None:
    X, y = seen
    model, plain = fitted(seen), fitted(seen, correct_spread=False)
    margins = np.empty(len(y))
    for booster, (_, unseen) in zip(model.estimators_, folds_of(y, None, 3, 0), strict=True):
        margins[unseen] = booster.predict(X[unseen], output_margin=True)
    for each, spread in ((model, model.spread_), (plain, 1.0)):
        expected = fit_calibrator("sigmoid", brought_to(spread, margins), y)
        assert each.spread_ == spread
        assert (each.calibrator_.a_, each.calibrator_.b_) == pytest.approx((expected.a_, expected.b_), rel=1e-12)
    assert abs(model.calibrator_.a_) > abs(plain.calibrator_.a_)


def test_two_boosters_cannot_be_compared_and_are_taken_as_they_are(seen: Rows) -> None:
    assert fitted(seen, folds=2).spread_ == 1


def test_weights_of_one_change_nothing_and_others_do(seen: Rows) -> None:
    X, y = seen
    model = CrossFittedClassifier(XGBClassifier(**NOISY), random_state=0)
    plain = model.fit(X, y).spread_
    assert model.fit(X, y, sample_weight=np.ones(len(y))).spread_ == plain
    assert model.fit(X, y, sample_weight=np.where(X[:, 0] > 0, 2.0, 1.0)).spread_ != plain


def test_the_slope_of_noise_alone_is_hardly_magnified(seen: Rows) -> None:
    X, y = seen
    model = fitted(seen)
    unseen = [its for _, its in folds_of(y, None, 3, 0)]
    margins = model.decision_function(X)
    assert SMALLEST < spread_of_mean(model.estimators_, X, unseen, margins) < 1
    assert spread_of_mean(model.estimators_, X, unseen, 0.2 * margins) == SMALLEST  # less than the boosters disagree
    assert spread_of_mean(model.estimators_, X, unseen, np.zeros(len(y))) == 1
