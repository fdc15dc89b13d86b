"""The loss of a trial: that of boosters fitted at once, in the same folds, by any number of threads."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from xgboost import XGBClassifier

from tests.applicants import draw, pipeline
from training.tuning import growth
from training.tuning.growth import Folds, best_line, log_loss_of

pytestmark = pytest.mark.tier("land")


@given(st.integers(0, 10_000), st.floats(0.05, 3), st.floats(-6, 6), st.sampled_from([40, 400]))
def test_the_best_line_is_that_of_a_logistic_regression(seed: int, scale: float, shift: float, rows: int) -> None:
    rng = np.random.default_rng(seed)
    margins = rng.normal(size=rows) * scale + shift
    target = (rng.random(rows) < expit(margins / scale - shift)).astype(float)
    if not 2 <= target.sum() <= rows - 2:
        return
    good, bad = margins[target == 0], margins[target == 1]
    if good.max() <= bad.min() or bad.max() <= good.min():  # no line is the best: the steeper, the better
        return
    slope, intercept = best_line(margins, target)
    oracle = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10).fit(margins[:, None], target)
    expected = log_loss(target, oracle.predict_proba(margins[:, None])[:, 1])
    assert log_loss_of(slope * margins + intercept, target) == pytest.approx(expected, abs=1e-9)
    again = best_line(margins, target, (slope, intercept))
    assert again == pytest.approx((slope, intercept), rel=1e-6)


def test_the_best_line_where_all_margins_are_equal() -> None:
    target = np.array([0.0, 0, 0, 1])
    slope, intercept = best_line(np.full(4, 2.0), target)
    assert expit(slope * 2 + intercept) == pytest.approx(0.25)


def folds(groups: Any = None, **changes: Any) -> tuple[Folds, Any, Any]:
    frame, target = draw(600)
    X = pipeline()[0].fit(frame).transform(frame)
    options: dict[str, Any] = {"folds": 3, "seed": 5, "fixed": {"n_jobs": 1, "random_state": 5}, "calibrated": False}
    return Folds(X, target, groups, **(options | changes)), X, target


@pytest.mark.parametrize("method", ["hist", "exact"])
def test_the_loss_is_that_of_boosters_fitted_at_once(method: str) -> None:
    parameters = {"max_depth": 3, "learning_rate": 0.3}
    fixed = {"n_jobs": 1, "random_state": 5, "tree_method": method, "monotone_constraints": (-1, 1, 0)}
    grown, X, target = folds(fixed=fixed)
    with grown:
        losses = dict(grown.losses(parameters, [4, 10]))
    for rounds in (4, 10):
        p = np.empty(len(target))
        for seen, unseen in StratifiedKFold(3, shuffle=True, random_state=5).split(X, target):
            booster = XGBClassifier(**fixed, **parameters, n_estimators=rounds).fit(X[seen], target[seen])
            p[unseen] = booster.predict_proba(X[unseen])[:, 1]
        assert losses[rounds] == pytest.approx(log_loss(target, p), abs=1e-7)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads_change_no_bit(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and columns are drawn from generators that belong to threads in some versions of XGBoost."""
    parameters = {"max_depth": 4, "subsample": 0.5, "colsample_bynode": 0.5, "colsample_bytree": 0.7}
    alone, _, _ = folds()
    with alone:
        expected = list(alone.losses(parameters, [3, 6, 20]))
    monkeypatch.setattr(growth, "effective_n_jobs", lambda _: workers)
    grown, _, _ = folds()
    with grown:
        list(grown.losses({"max_depth": 2, "subsample": 0.9}, [7]))
        assert list(grown.losses(parameters, [3, 6, 20])) == expected


def test_weights_of_a_class_do_not_spoil_the_loss_of_a_calibrated_model() -> None:
    weighted = {"n_jobs": 1, "random_state": 5, "scale_pos_weight": 20.0}
    losses = []
    for calibrated in (True, False):
        grown, _, target = folds(fixed=weighted, calibrated=calibrated)
        with grown:
            losses += [loss for _, loss in grown.losses({"max_depth": 2}, [10])]
    base = target.mean()
    assert losses[0] < -(base * np.log(base) + (1 - base) * np.log(1 - base)) < losses[1]


def test_groups_are_in_one_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "MOST_DRAWS", 4)
    groups = np.arange(600) // 4
    grown, _, _ = folds(groups)
    with grown:
        assert grown.draws == 4
        rows = [fold.rows for fold in grown._folds]
    assert sorted(np.concatenate(rows)) == list(range(2_400))
    for unseen in rows:
        assert (np.bincount(groups[unseen % 600])[np.unique(groups[unseen % 600])] == 4).all()
