"""The search: no result is worse than the settings, bad trials are pruned, large tables are searched in part."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.progress import Progress
from table import Table, read_table
from tests.training.tuning.searching import SETTINGS, XGBOOST, found
from training import tuning
from training.settings import Split
from training.tuning import trials
from training.tuning.growth import Folds
from training.tuning.space import KNOWN

pytestmark = pytest.mark.tier("land")


def test_the_first_trial_is_the_settings_and_none_is_worse_than_the_result(table: Table, tmp_path: Path) -> None:
    result = found(table, tmp_path / "a.study")
    record, history = result.record, result.record["history"]
    for trial, known in zip(history[1:], KNOWN, strict=False):
        assert {name: trial["parameters"][name] for name in known} == known
    assert (record["trials"], record["rows"], record["folds"], len(history)) == (6, 500, 3, 6)
    assert {**history[0]["parameters"], "n_estimators": 25} == XGBOOST
    assert record["best_value"] == min(trial["value"] for trial in history if not trial["pruned"])
    assert record["best_value"] <= history[0]["value"] <= record["baseline_value"]
    assert record["parameters"] == result.settings.xgboost == history[record["best_trial"]]["parameters"]
    assert replace(result.settings, xgboost=XGBOOST) == SETTINGS
    X = table.frame.iloc[:500].to_numpy(dtype=np.float32)
    grown = Folds(X, table.target[:500], None, folds=3, seed=3, fixed={**XGBOOST, "random_state": 3}, calibrated=True)
    with grown:
        assert dict(grown.losses({}, [3, 25]))[25] == pytest.approx(record["baseline_value"], abs=1e-12)


def test_the_number_of_trees_is_where_the_loss_is_lowest(table: Table, tmp_path: Path) -> None:
    best = found(table, tmp_path / "a.study").settings.xgboost
    X = table.frame.iloc[:500].to_numpy(dtype=np.float32)
    with Folds(X, table.target[:500], None, folds=3, seed=3, fixed={"random_state": 3}, calibrated=True) as grown:
        size = round(trials.STEP / best["learning_rate"])
        curve = dict(grown.losses(best, range(size, best["n_estimators"] + 4 * size, size)))
    assert min(curve, key=lambda rounds: curve[rounds]) == best["n_estimators"]


def test_trees_are_limited(table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "MOST_TREES", 10)
    limited = [t["parameters"]["n_estimators"] for t in found(table, tmp_path / "a.study").record["history"]]
    assert max(limited) <= 25  # as set


def test_bad_trials_are_pruned(table: Table, tmp_path: Path) -> None:
    record = found(table, tmp_path / "a.study", trials=25).record
    pruned = [trial for trial in record["history"] if trial["pruned"]]
    assert record["pruned"] == len(pruned) > 0
    assert all(trial["value"] is None for trial in pruned)


def test_large_tables_are_searched_in_part(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(trials, "MOST_ROWS", 300)
    settings = replace(SETTINGS, tuning=replace(SETTINGS.tuning, trials=1))
    result = tuning.search(settings, table, np.arange(500), tmp_path / "a.study", Progress())
    assert result.record["rows"] == 300
    assert "The search takes 300 of the 500 training rows, stratified" in capsys.readouterr().err
    rows = trials._rows(np.arange(500), table.target, 3)
    assert abs(table.target[rows].mean() - table.target[:500].mean()) < 0.005


def test_groups_are_kept_together(csv: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, data=replace(SETTINGS.data, file=str(csv)), split=Split(0.25, 3, "group", group="who"))
    grouped = read_table(settings.schema)
    assert (
        found(grouped, tmp_path / "a.study", settings, trials=1).record["best_value"]
        != (
            found(read_table(replace(settings, split=SETTINGS.split).schema), tmp_path / "b.study", trials=1).record[
                "best_value"
            ]
        )
    )
