"""The split by the target, the number of folds, and rows without a target."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from table import read_table
from tests.applicants import draw
from tests.training.splits import BASE, BY_TIME, DAYS, mistake_in, table_of
from training import run
from training.estimator.folds import with_folds
from training.settings import Model, Settings, Split, Tuning
from training.split import split


@pytest.mark.parametrize("seed", [0, 99])
def test_stratified_rows_are_those_of_scikit_learn(seed: int, tmp_path: Path) -> None:
    settings = replace(BASE, split=Split(0.3, seed))
    table = table_of(tmp_path, settings, bad=(np.arange(1_001) % 7 == 0).astype(int))
    train, test = train_test_split(np.arange(1_001), test_size=0.3, random_state=seed, stratify=table.target)
    parts = split(table, settings)
    np.testing.assert_array_equal(parts["train"], train)
    np.testing.assert_array_equal(parts["test"], test)


def test_a_class_needs_a_row_for_each_fold_and_the_test(tmp_path: Path) -> None:
    half = replace(BASE, split=Split(0.5))

    def told(good: int, bad: int, settings: Settings = half) -> str:
        return mistake_in(tmp_path, settings, bad=[0] * good + [1] * bad)

    expected = "rows.csv: target bad: expected a positive row for each of 2 folds and one for the test, got"
    remedy = "; add rows, or change model.folds or split.test_size"
    assert told(8, 3) == f"{expected} 1 and 2{remedy}"
    assert told(8, 1) == f"{expected} 1 and 0{remedy}"
    assert told(2, 2, replace(BASE, split=Split(0.01))) == (
        "rows.csv: target bad: expected a negative row for each of 2 folds and one for the test, got 2 and 0" + remedy
    )
    searching = replace(half, tuning=Tuning(trials=5, folds=4))
    assert told(8, 6, searching).endswith(
        "each of 4 folds and one for the test, got 3 and 3; add rows, or change tuning.folds or split.test_size"
    )


def test_rows_without_a_target_are_counted(tmp_path: Path) -> None:
    bad: list[Any] = [0, 1] * 10
    table = table_of(tmp_path, BASE, bad=bad)
    assert (table.dropped_rows, table.dropped_note) == (0, "")
    bad[4] = None
    assert table_of(tmp_path, BASE, bad=bad).dropped_note == "1 row without a target left out (line 6)"
    early = table_of(tmp_path, BY_TIME, bad=bad, when=DAYS).dropped_note
    assert early.endswith("left out (line 6); none is later than the last one with a target, 2024-05-04")
    bad[16:] = [None] * 4
    assert table_of(tmp_path, BY_TIME, bad=bad, when=DAYS).dropped_note == (
        "5 rows without a target left out (line 6, line 18, line 19 and 2 more); 4 of them later than the last one "
        "with a target, 2024-04-04: the outcome is not known yet"
    )
    bad[4] = 0
    table = table_of(tmp_path, BY_TIME, bad=bad, when=[*DAYS[:18], None, None])
    assert table.dropped_note.startswith("4 rows without a target left out (line 18, line 19, line 20 and 1 more); 2 ")
    assert len(table.target) == 16


def test_lines_are_counted_alike_with_and_without_quotes(tmp_path: Path) -> None:
    for text in ("age,bad\n1,0\n\n1,\n1,1\n", 'age,"bad"\n1,0\n\n1,\n1,1\n', "age,bad\r\n1,0\r\n\r\n1,\r\n1,1\r\n"):
        (tmp_path / "rows.csv").write_bytes(text.encode())
        table = read_table(replace(BASE, data=replace(BASE.data, file=str(tmp_path / "rows.csv"))).schema)
        assert table.dropped_note == "1 row without a target left out (line 4)"


@pytest.mark.parametrize(
    ("rows", "defaults", "expected"),
    [
        (50_000, 1_000, 5),
        (50_001, 1_000, 3),
        (50_000, 999, 3),
        (2_000, 1_001, 3),
        (2_000, 1_000, 5),
        (90_000, 1_288, 3),
    ],
)
def test_folds_follow_rows_and_outcomes(rows: int, defaults: int, expected: int) -> None:
    target = np.zeros(rows, dtype=np.int8)
    target[:defaults] = 1
    assert with_folds(Settings(), target, None).model == Model(folds=expected)
    assert with_folds(Settings(), target, np.arange(rows)).model.folds == expected


@pytest.mark.parametrize("folds", [2, 3, 10])
def test_folds_that_are_set_stay(folds: int) -> None:
    settings = Settings(model=Model(folds=folds))
    assert with_folds(settings, np.arange(9_000) % 2, None) is settings


def test_the_number_of_folds_stands_in_run_report_and_card(tmp_path: Path) -> None:
    frame, target = draw(10_000)
    frame.assign(default=target).to_csv(tmp_path / "rows.csv", index=False)
    defaults = int(np.bincount(target).min())
    assert 0.75 * defaults > 1_000, "too few outcomes for more folds"
    flags = ["--data", str(tmp_path / "rows.csv"), "--id", "", "--numbers", "age,income", "--n-estimators", "3"]
    assert run.main([*flags, "--out", str(tmp_path / "out"), "--quiet", "--resamples", "50"]) == 0
    content = json.loads((tmp_path / "out" / "run.json").read_bytes())
    assert content["settings"]["model"]["folds"] == 5
    for page in ("report.html", "model_card.md"):
        assert "5 XGBoost boosters" in (tmp_path / "out" / page).read_text(encoding="utf-8")
    assert "folds = 5" in (tmp_path / "out" / "settings.toml").read_text(encoding="utf-8")


def test_the_command_splits_by_time_and_by_group(tmp_path: Path) -> None:
    frame, target = draw(600)
    frame = frame.assign(default=target, who=np.arange(600) // 3, when=pd.date_range("2020-01-01", periods=600))
    frame["default"] = frame["default"].astype("Int64")
    frame.loc[590:, "default"] = pd.NA
    frame.to_csv(tmp_path / "table.csv", index=False)
    words = ["--data", str(tmp_path / "table.csv"), "--id", "", "--numbers", "income,age,debt", "--group-column", "who"]
    words += ["--calibration", "sigmoid", "--n-estimators", "5", "--no-plots", "--quiet"]
    by_time = ["--split", "time", "--time-column", "when", "--test-from", "2021-01-01"]
    for form in (by_time, ["--split", "group"]):
        assert run.main([*words, *form, "--out", str(tmp_path / "artifacts")]) == 0
        content = json.loads((tmp_path / "artifacts/run.json").read_text())
        train, test = content["split"]["train"], content["split"]["test"]
        assert train["rows"] + test["rows"] == 590
        if form is by_time:
            assert (train["last_time"], test["first_time"]) == ("2020-12-31", "2021-01-01")
            assert (train["groups"], test["groups"]) == (122, 75)
            assert content["data"]["dropped_note"].endswith(
                "all later than the last one with a target, 2021-08-12: the outcome is not known yet"
            )
