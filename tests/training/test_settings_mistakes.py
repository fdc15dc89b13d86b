"""Mistakes in a TOML: each is one line. `@` stands for MINIMAL."""

from pathlib import Path

import pytest

from cli.errors import UserError
from cli.words import nearest
from tests.training.settings_read import MINIMAL, mistake_in, mistake_in_flags

MISTAKES = [
    (
        "[split",
        "not valid TOML: Expected ']' at the end of a table declaration (at end of document); correct it there",
    ),
    (
        "[modle]",
        "modle: unknown table; did you mean model?",
    ),
    (
        "split = 3",
        "split: expected a table, [split], got 3",
    ),
    (
        "[split]\ntest_sise = 0.3",
        "split.test_sise: unknown key; did you mean test_size?",
    ),
    (
        "[split]\nfoo = 0.3",
        "split.foo: unknown key; known here: group, method, seed, test_from, test_size, time, time_format",
    ),
    (
        '[split]\ntest_size = "a quarter"',
        'split.test_size: expected a number above 0 and below 1, got "a quarter"; for example test_size = 0.25',
    ),
    (
        "[split]\ntest_size = 1.0",
        "split.test_size: expected a number above 0 and below 1, got 1.0; for example test_size = 0.25",
    ),
    (
        "[split]\ntest_size = nan",
        "split.test_size: expected a number above 0 and below 1, got nan; for example test_size = 0.25",
    ),
    (
        "[split]\nseed = -1",
        "split.seed: expected a whole number from 0 to 4294967295, got -1; for example seed = 99",
    ),
    (
        "[split]\nseed = 1.5",
        "split.seed: expected a whole number from 0 to 4294967295, got 1.5; for example seed = 99",
    ),
    (
        "[split]\nseed = true",
        "split.seed: expected a whole number from 0 to 4294967295, got true; for example seed = 99",
    ),
    (
        "[data]\nfile = 3",
        'data.file: expected text that is not empty, got 3; for example file = "loans.csv"',
    ),
    (
        '[data]\nfile = ""',
        'data.file: expected text that is not empty, got ""; for example file = "loans.csv"',
    ),
    (
        '[data]\nseparator = ";;"',
        'data.separator: expected one character, got ";;"; leave it out to have it detected',
    ),
    (
        '[data]\ntarget = ""',
        'data.target: expected text that is not empty, got ""; for example target = "default"',
    ),
    (
        "[data]\npositive = [[1]]",
        "data.positive: expected text, a number, true or false, or a list of them, got [[1]]; "
        'for example positive = ["1"]',
    ),
    (
        "[data]\nid = 2020-01-01",
        'data.id: expected text, got "2020-01-01"; for example id = "uuid"',
    ),
    (
        "[features]",
        'features: expected at least one feature, got none; for example age = "number"',
    ),
    (
        "[features]\nage = 3",
        'features.age: expected a type or a table with one, got 3; for example age = "number"',
    ),
    (
        '[features]\nage = "numeric"',
        'features.age.type: expected "number" or "boolean" or "category", got "numeric"; for example type = "number"',
    ),
    (
        "[features]\nage = { log1p = true }",
        'features.age: expected a type or a table with one, got { log1p = true }; for example age = "number"',
    ),
    (
        '[features]\nage = { type = "number", log1 = true }',
        "features.age.log1: unknown key; did you mean log1p?",
    ),
    (
        '[features]\nage = { type = "number", log1p = 1 }',
        "features.age.log1p: expected true or false, got 1; for example log1p = false",
    ),
    (
        '[features]\n"" = "number"',
        'features: expected the name of a column, got ""',
    ),
    (
        '[features]\na = { type = "category", vocabulary = "x" }',
        'features.a.vocabulary: expected a list of texts, got "x"; for example vocabulary = ["a", "b"]',
    ),
    (
        '[features]\na = { type = "category", vocabulary = ["x", 1] }',
        'features.a.vocabulary: expected a list of texts, got ["x", 1]; for example vocabulary = ["a", "b"]',
    ),
    (
        '[features]\na = { type = "category", vocabulary = ["x", "y", "x"] }',
        'features.a.vocabulary: "x" is listed 2 times; list it once',
    ),
    (
        '[features]\na = { type = "category", vocabulary = ["x", ""] }',
        'features.a.vocabulary: expected texts that are not empty, got ""; leave it out',
    ),
    (
        '[features]\na = { type = "number", vocabulary = ["x"] }',
        "features.a.vocabulary: needs a category feature, got a number; leave the vocabulary out",
    ),
    (
        '[features]\na = { type = "boolean", log1p = true }',
        "features.a.log1p: needs a number feature, got a boolean; leave log1p out",
    ),
    (
        '[features]\na = { type = "category", log1p = true }',
        "features.a.log1p: needs a number feature, got a category; leave log1p out",
    ),
    (
        '[features]\na = { type = "number", description = 1 }',
        'features.a.description: expected text, got 1; for example description = "euros"',
    ),
    (
        "@[data]\ntarget = 'age'",
        "features.age: is data.target, which a model must not see; take it out of the features",
    ),
    (
        "@[data]\nid = 'age'",
        "features.age: is data.id, which names rows; take it out of the features, or change data.id",
    ),
    (
        "[data]\nid = 'default'",
        'data.id: "default" is data.target too; name another column, or "" for none',
    ),
    (
        "@[row_max]\nworst = 'age'",
        'row_max.worst: expected a list of texts, got "age"; for example worst = ["late_1", "late_2"]',
    ),
    (
        "@[row_max]\nworst = []",
        "row_max.worst: expected at least one feature, got none; name one or leave the group out",
    ),
    (
        "@[row_max]\nworst = ['agee']",
        "row_max.worst: expected number features, got agee; did you mean age?",
    ),
    (
        "@[row_max]\nworst = ['owner']",
        "row_max.worst: expected number features, got owner, a boolean; leave it out",
    ),
    (
        "@[row_max]\nworst = ['age', 'age']",
        'row_max.worst: "age" is listed 2 times; list it once',
    ),
    (
        "@[row_max]\none = ['age']\ntwo = ['age']",
        "row_max.two: age is in row_max.one already; keep it in one group",
    ),
    (
        "@[row_max]\nage = ['age']",
        "row_max.age: is the name of a feature; give the group a name of its own",
    ),
    (
        '[features]\na = { type = "number", log1p = true }\n[row_max]\nworst = ["a"]',
        "row_max.worst: a has log1p, which a row maximum cannot have; leave out one of the two",
    ),
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
        '[data]\nid = "key"\n[features]\nuuid = "category"',
        "features.uuid: is how every request names itself; give the column another name in the table",
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
    (
        "[score]\nodds = 0",
        "score.odds: expected a number above 0, got 0; for example odds = 50.0",
    ),
    (
        "[score]\npoints_to_double = -20",
        "score.points_to_double: expected a number above 0, got -20; for example points_to_double = 20.0",
    ),
    (
        "[score]\npoints = inf",
        "score.points: expected a number, got inf; for example points = 600.0",
    ),
    (
        "[score]\nprobability_limits = [0, 1]",
        "score.probability_limits: expected two numbers, lowest and highest, with 0 < lowest < "
        "highest < 1, got [0, 1]; for example probability_limits = [1e-08, 0.99999999]",
    ),
    (
        "[score]\nprobability_limits = 0.5",
        "score.probability_limits: expected two numbers, lowest and highest, with 0 < lowest < "
        "highest < 1, got 0.5; for example probability_limits = [1e-08, 0.99999999]",
    ),
    (
        "[evaluation]\nthreshold = 50",
        "evaluation.threshold: expected a number above 0 and below 1, got 50; for example threshold = 0.5",
    ),
    (
        "[evaluation]\nplots = 1",
        "evaluation.plots: expected true or false, got 1; for example plots = true",
    ),
    (
        f"[evaluation]\nthreshold = 1{'0' * 400}",
        "evaluation.threshold: expected a number above 0 and below 1, got "
        "10000000000000000000000000000000000000000000000000000000000…; for example threshold = 0.5",
    ),
    (
        f"[evaluation]\nthreshold = {'[' * 10_000}",
        "not valid TOML: lists or tables in each other, too deep to read; correct it there",
    ),
    (
        f"[evaluation]\nthreshold = 1{'0' * 5_000}",
        "not valid TOML: a number of thousands of digits; correct it there",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_in_the_file_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    assert mistake_in(tmp_path, text.replace("@", MINIMAL)) == f"settings.toml: {message}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").touch()
    remedy = "give --config an existing TOML file"
    assert mistake_in_flags(f"--config {tmp_path}/setings.toml") == (
        f"{tmp_path}/setings.toml: no such file (did you mean {tmp_path}/settings.toml?); {remedy}"
    )
    assert mistake_in_flags(f"--config {tmp_path}/other") == f"{tmp_path}/other: no such file; {remedy}"
    assert mistake_in_flags(f"--config {tmp_path}/no/s.toml") == (
        f"{tmp_path}/no/s.toml: no such file (and no folder {tmp_path}/no); {remedy}"
    )
    assert mistake_in_flags(f"--config {tmp_path}") == (
        f"{tmp_path}: expected a TOML file, got a folder; give --config the file in it"
    )


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_bytes(b"[data]\nfile = '\xff'")
    assert mistake_in_flags(f"--config {tmp_path}/s.toml") == (
        f"{tmp_path}/s.toml: not UTF-8 text (byte 16); save it as UTF-8"
    )


def test_the_message_of_an_error_is_one_line() -> None:
    error = UserError("two\nlines")
    assert (str(error), error.exit_status) == ("two lines", 1)


def test_the_nearest_name_minds_no_case() -> None:
    assert nearest("Target", ["target", "id"]) == "target"
    assert nearest("creditibility", ["creditability", "housing"]) == "creditability"
    assert nearest("x", ["creditability"]) is None
