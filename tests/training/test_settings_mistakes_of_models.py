"""Mistakes in [model] and [xgboost]: each is one line. `@` stands for MINIMAL."""

from pathlib import Path

import pytest

from tests.training.settings_read import MINIMAL, mistake_in

MISTAKES = [
    (
        "[model]\nestimator = 'crossfit'",
        'model.estimator: expected "cross-fit" or "calibrated-cv", got "crossfit"; for example estimator = "cross-fit"',
    ),
    (
        "[model]\ncalibration = 'temperature'",
        'model.calibration: expected "auto" or "sigmoid" or "isotonic" or "none", got "temperature"; for '
        'example calibration = "auto"',
    ),
    (
        "[model]\nfolds = 1",
        "model.folds: expected a whole number of at least 2, got 1; for example folds = 10",
    ),
    (
        "[model]\nensemble = 'no'",
        'model.ensemble: expected true or false, got "no"; for example ensemble = true',
    ),
    (
        "[model]\nestimator = 'calibrated-cv'\ncalibration = 'none'",
        'model.calibration: "none" contradicts model.estimator = "calibrated-cv"; calibrate, or use "cross-fit"',
    ),
    (
        "[model]\nestimator = 'calibrated-cv'\n[xgboost]\nearly_stopping_rounds = 5",
        'xgboost.early_stopping_rounds: contradicts model.estimator = "calibrated-cv", which watches '
        'no rows; use "cross-fit"',
    ),
    (
        "[model]\ncalibrate_on = 'probability'",
        'model.calibrate_on: "probability" contradicts model.estimator = "cross-fit"; use "margin" or "calibrated-cv"',
    ),
    (
        "[model]\nensemble = false",
        'model.ensemble: false contradicts model.estimator = "cross-fit"; leave it out or use "calibrated-cv"',
    ),
    (
        "[xgboost]\nbooster = 'dart'",
        'xgboost.booster: "dart" is not among what training fits: lastbit.export_model takes a fitted pipeline with '
        'dropout; leave it out, or "gbtree"',
    ),
    (
        "[xgboost]\nbooster = 'gblinear'",
        'xgboost.booster: "gblinear" cannot be exported exactly: its score is not a plain sum over '
        'trees; leave it out, or "gbtree"',
    ),
    (
        "[xgboost]\nnum_parallel_tree = 0",
        "xgboost.num_parallel_tree: expected a whole number from 1 to 1000, got 0; for example num_parallel_tree = 4",
    ),
    (
        "[xgboost]\nenable_categorical = true",
        "xgboost.enable_categorical: true cannot be exported exactly: splits on native categories "
        "have no counterpart in the graph; use category features; leave it out, or false",
    ),
    (
        "[xgboost]\nmissing = 0",
        "xgboost.missing: 0 cannot be exported exactly: missing is NaN, in training and in the graph; leave it out",
    ),
    (
        "[xgboost]\nobjective = 'multi:softprob'",
        'xgboost.objective: "multi:softprob" cannot be exported exactly: the model answers one '
        'probability, of default; leave it out, or "binary:logistic"',
    ),
    (
        "[xgboost]\nnum_class = 3",
        "xgboost.num_class: 3 cannot be exported exactly: there are two classes; leave it out",
    ),
    (
        "[xgboost]\neta = 0.1",
        "xgboost.eta: unknown key; it is called xgboost.learning_rate here",
    ),
    (
        "[xgboost]\nrandom_state = 1",
        "xgboost.random_state: unknown key; it is called split.seed here",
    ),
    (
        "[xgboost]\nmax_dept = 3",
        "xgboost.max_dept: unknown key; did you mean max_depth?",
    ),
    (
        "[xgboost]\nmax_depth = 101",
        "xgboost.max_depth: expected a whole number from 0 to 100, got 101; for example max_depth = 4",
    ),
    (
        "[xgboost]\nmax_depth = 0",
        "xgboost.max_depth: 0 (no limit) needs a max_leaves above 0; set it, or a depth of at least 1",
    ),
    (
        "[xgboost]\nmax_depth = 0\nmax_leaves = 8\ntree_method = 'exact'",
        'xgboost.max_depth: 0 (no limit) needs a tree_method other than "exact"; set it, or a depth of at least 1',
    ),
    (
        "[xgboost]\ntree_method = 'exact'\ngrow_policy = 'lossguide'",
        'xgboost.grow_policy: "lossguide" contradicts tree_method = "exact"; use "hist" or "approx"',
    ),
    (
        "[xgboost]\ntree_method = 'gpu_hist'",
        'xgboost.tree_method: expected "auto" or "exact" or "approx" or "hist", got "gpu_hist"; for '
        'example tree_method = "auto"',
    ),
    (
        "[xgboost]\nlearning_rate = 0",
        "xgboost.learning_rate: expected a number above 0 and of at most 1, got 0; for example learning_rate = 0.1",
    ),
    (
        "[xgboost]\nsubsample = 1.1",
        "xgboost.subsample: expected a number above 0 and of at most 1, got 1.1; for example subsample = 1.0",
    ),
    (
        "[xgboost]\nreg_alpha = -1",
        "xgboost.reg_alpha: expected a number of at least 0, got -1; for example reg_alpha = 1.0",
    ),
    (
        "[xgboost]\nbase_score = 1",
        "xgboost.base_score: expected a number above 0 and below 1, got 1; for example base_score = 0.5",
    ),
    (
        "[xgboost]\nscale_pos_weight = 0",
        "xgboost.scale_pos_weight: expected a number above 0, got 0; for example scale_pos_weight = 1.0",
    ),
    (
        "[xgboost]\nmonotone_constraints = [1, 0]",
        "xgboost.monotone_constraints: expected a table of features, each 1 (rising) or -1 "
        "(falling), got [1, 0]; for example monotone_constraints = { recovery_debt = 1 }",
    ),
    (
        "@[xgboost]\nmonotone_constraints = { age = 2 }",
        "xgboost.monotone_constraints: expected a table of features, each 1 (rising) or -1 "
        "(falling), got { age = 2 }; for example monotone_constraints = { recovery_debt = 1 }",
    ),
    (
        "@[xgboost]\nmonotone_constraints = { agee = 1 }",
        "xgboost.monotone_constraints.agee: no such feature; did you mean age?",
    ),
    (
        "@[xgboost]\nmonotone_constraints = { purpose = 1 }",
        "xgboost.monotone_constraints.purpose: a category has no order to rise or fall along; leave it out",
    ),
    (
        "[xgboost]\nmonotone_constraints = { account_worst_status_0_3m = 1 }",
        "xgboost.monotone_constraints.account_worst_status_0_3m: the model sees only its row "
        "maximum; constrain account_worst_status_max_0_24m instead",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_in_the_model_s_settings_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    assert mistake_in(tmp_path, text.replace("@", MINIMAL)) == f"settings.toml: {message}"
