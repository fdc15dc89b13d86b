"""The space of a search follows the settings."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xgboost import XGBClassifier

from table import Table
from tests.training.tuning.searching import SETTINGS, XGBOOST, found, mistake
from training.estimator.folds import folds_of
from training.tuning.growth import Folds, log_loss_of
from training.tuning.space import KNOWN, SPACE, place, rounded, searched

pytestmark = pytest.mark.tier("land")


def test_parameters_are_placed_inside_the_space() -> None:
    where = place({"max_depth": 12, "gamma": 0.0, "learning_rate": 0.05, "subsample": 1.0}, SPACE)
    assert (where["max_depth"], where["gamma"], where["learning_rate"]) == (SPACE["max_depth"].high, 0.001, 0.05)
    assert (where["max_leaves"], where["max_bin"]) == (128, 256)  # no limit of leaves, XGBoost's own bins
    assert (where["reg_lambda"], where["colsample_bynode"], where["reg_alpha"]) == (1.0, 1.0, 0.001)
    assert rounded({"max_depth": 3, "gamma": 0.0123456}) == {"max_depth": 3, "gamma": 0.0123}


def test_settings_that_leave_nothing_to_search(table: Table, tmp_path: Path) -> None:
    settings = replace(SETTINGS, tuning=replace(SETTINGS.tuning, keep=tuple(SPACE)))
    assert mistake(table, tmp_path / "a.study", settings).startswith("tuning.keep: holds all of max_depth, ")
    assert not (tmp_path / "a.study").exists()


@pytest.mark.parametrize(
    ("its", "left_out"),
    [
        ({}, set()),
        ({"max_leaves": 9}, {"max_depth", "max_leaves"}),
        ({"grow_policy": "depthwise"}, {"max_leaves"}),
        ({"grow_policy": "lossguide"}, set()),
        ({"tree_method": "exact"}, {"max_leaves", "max_bin", "colsample_bynode"}),
        ({"tree_method": "approx"}, set()),
    ],
)
def test_how_trees_may_grow_follows_the_settings(its: dict[str, Any], left_out: set[str]) -> None:
    assert set(SPACE) - set(searched(replace(SETTINGS, xgboost=XGBOOST | its))) == left_out


@pytest.mark.parametrize("method", ["exact", "approx", "hist"])
def test_every_tree_method_is_searched(table: Table, tmp_path: Path, method: str) -> None:
    settings = replace(SETTINGS, xgboost=XGBOOST | {"tree_method": method})
    history = found(table, tmp_path / "a.study", settings, trials=3).record["history"]
    grown = {trial["parameters"].get("grow_policy") for trial in history[1:]}
    assert grown == {None if method == "exact" else "lossguide"}


def test_leaves_and_bins_of_a_trial_are_those_of_the_model_that_is_fitted(table: Table, tmp_path: Path) -> None:
    """Its matrices are binned anew for each trial: what the search measures is what XGBClassifier fits."""
    X, target = table.frame.iloc[:500].to_numpy(dtype=np.float32), table.target[:500]
    fixed = {"n_jobs": 1, "random_state": 3}
    tried = [{"max_bin": bins, "max_leaves": 6, "max_depth": 8, "grow_policy": "lossguide"} for bins in (4, 256, 4)]
    losses = []
    with Folds(X, target, None, folds=3, seed=3, fixed=fixed, calibrated=False) as grown:
        for parameters in tried:
            [(_, loss)] = grown.losses(parameters, [7])
            margins = np.empty(500)
            for seen, unseen in folds_of(target, None, 3, 3):
                model = XGBClassifier(**fixed, **parameters, n_estimators=7).fit(X[seen], target[seen])
                margins[unseen] = model.predict(X[unseen], output_margin=True)
            assert loss == pytest.approx(log_loss_of(margins, target.astype(float)), abs=1e-12)
            losses.append(loss)
    assert losses[0] == losses[2] != losses[1]


def test_what_is_kept_stays(table: Table, tmp_path: Path) -> None:
    xgboost = XGBOOST | {"reg_lambda": 7.0, "max_leaves": 5, "monotone_constraints": {"age": -1}}
    settings = replace(SETTINGS, xgboost=xgboost)
    result = found(table, tmp_path / "a.study", settings, keep=("reg_lambda", "learning_rate", "n_estimators"))
    for trial in result.record["history"]:
        kept = {name: trial["parameters"][name] for name in xgboost if name != "min_child_weight"}
        assert kept == {name: xgboost[name] for name in kept}
    tried = {known.get("min_child_weight", 1.0) for known in KNOWN[: len(result.record["history"]) - 1]}
    assert {trial["parameters"]["min_child_weight"] for trial in result.record["history"]} == {5.0} | tried
    assert result.settings.xgboost["max_leaves"] == 5
