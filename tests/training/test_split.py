"""The split: by the target, by time and by group, and the line of each fault of the table."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from cli.errors import UserError
from table import Table, read_table, synthetic_table
from tests.applicants import draw
from training import run
from training.estimator import folds
from training.estimator.folds import FoldsRefused, folds_of, with_folds
from training.settings import Data, Feature, Model, Settings, Split, Tuning
from training.split import Parts, split, split_facts

BASE = Settings(
    data=Data(id=None, target="bad"),
    features=(Feature("age", "number"),),
    row_max={},
    split=Split(0.25, 3),
    model=Model(folds=2),
)
BY_TIME = replace(BASE, split=Split(0.25, 3, "time", "when"))
BY_GROUP = replace(BASE, split=Split(0.25, 3, "group", group="who"))


def table_of(folder: Path, settings: Settings, **columns: Any) -> Table:
    """The table of a CSV with some columns; where no others are given age is 1 and bad is 0 and 1 in turn."""
    rows = len(next(iter(columns.values())))
    frame = pd.DataFrame({"age": 1.0, "bad": np.arange(rows) % 2} | columns)
    frame.to_csv(folder / "rows.csv", index=False)
    return read_table(replace(settings, data=replace(settings.data, file=str(folder / "rows.csv"))).schema)


def parquet_of(folder: Path, settings: Settings, when: Any) -> Table:
    columns = {"age": [1.0] * len(when), "bad": [row % 2 for row in range(len(when))], "when": when}
    pq.write_table(pa.table(columns), folder / "rows.parquet")
    return read_table(replace(settings, data=replace(settings.data, file=str(folder / "rows.parquet"))).schema)


def mistake_in(folder: Path, settings: Settings, status: int = 1, **columns: Any) -> str:
    with pytest.raises(UserError) as caught:
        split(table_of(folder, settings, **columns), settings)
    assert caught.value.exit_status == status
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/")


def from_moment(moment: str) -> Settings:
    return replace(BY_TIME, split=replace(BY_TIME.split, test_from=moment))


# ---------------------------------------------------------------- by the target


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


# ---------------------------------------------------------------- by time

DAYS = [f"2024-{month:02}-0{day}" for month in range(1, 6) for day in range(1, 5)]


def test_the_latest_rows_are_the_test(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(20)
    when = np.array(DAYS)[order]
    parts = split(table_of(tmp_path, BY_TIME, when=when, bad=order % 2), BY_TIME)
    assert sorted(when[parts["test"]]) == DAYS[15:]
    assert (np.diff(parts["train"]) > 0).all()


def test_rows_at_the_boundary_are_all_in_the_test(tmp_path: Path) -> None:
    when = ["2024-01"] * 8 + ["2024-02"] * 8 + ["2024-03"] * 2
    assert split(table_of(tmp_path, BY_TIME, when=when), BY_TIME)["test"].tolist() == list(range(8, 18))
    settings = from_moment("2024-02-01")
    assert split(table_of(tmp_path, settings, when=when), settings)["test"].tolist() == list(range(8, 18))


@given(st.lists(st.integers(0, 20), min_size=12, max_size=60), st.floats(0.05, 0.9))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_row_of_the_test_is_before_one_of_training(tmp_path: Path, when: list[int], size: float) -> None:
    settings = replace(BY_TIME, split=replace(BY_TIME.split, test_size=size))
    times = np.array(when)
    try:
        parts = split(table_of(tmp_path, settings, when=when), settings)
    except UserError:
        return  # too few rows in one of the parts
    assert times[parts["train"]].max() < times[parts["test"]].min()
    assert sorted([*parts["train"], *parts["test"]]) == list(range(len(when)))
    assert len(parts["test"]) >= size * len(when) - 1e-9
    assert (times[parts["test"]] > times[parts["test"]].min()).sum() < size * len(when)


@pytest.mark.parametrize(
    ("cells", "first", "moment"),
    [
        ([f"{day}" for day in DAYS], "2024-01-01", "2024-05-01"),
        ([f"{day[:7]}" for day in DAYS], "2024-01-01", "2024-05"),
        ([f"{day} 10:30" for day in DAYS], "2024-01-01T10:30:00", "2024-05-01"),
        ([f"{day}T10:30:00.123456789" for day in DAYS], "2024-01-01T10:30:00.123456", "2024-05-01 00:00:00"),
        ([f"{day} 23:30-02:00" for day in DAYS], "2024-01-02T01:30:00Z", "2024-05-01T23:30:00-02:00"),
        ([f"{day}T00:00Z" for day in DAYS], "2024-01-01T00:00:00Z", "2024-05-01 01:00:00+01:00"),
        ([day.replace("-", "") for day in DAYS], "20240101", "20240501"),
        ([row / 2 for row in range(20)], "0", "8"),
        (["0001-01-01", "9999-12-31", *DAYS[:18]], "0001-01-01", "2024-05-01"),
    ],
)
def test_a_time_may_be_written_in_many_ways(tmp_path: Path, cells: list[Any], first: str, moment: str) -> None:
    settings = from_moment(moment)
    table = table_of(tmp_path, settings, when=cells)
    facts = split_facts(table, split(table, settings))
    assert facts["train"]["first_time"] == first
    assert facts["test"]["rows"] == (3 if cells[0] == "0001-01-01" else 4)


@pytest.mark.parametrize(
    "type_",
    [
        pa.timestamp("s"),
        pa.timestamp("ns"),
        pa.timestamp("us", "Europe/Berlin"),
        pa.date32(),
        pa.date64(),
        pa.int64(),
        pa.float32(),
        pa.string(),
        pa.dictionary(pa.int32(), pa.string()),
    ],
    ids=str,
)
def test_each_time_type_of_parquet_is_read(tmp_path: Path, type_: Any) -> None:
    days = pa.array(pd.date_range("2024-01-01", periods=20).astype("datetime64[us]"))
    if pa.types.is_temporal(type_):
        when = days.cast(type_, safe=False)
    elif pa.types.is_integer(type_) or pa.types.is_floating(type_):
        when = pa.array(range(20)).cast(type_)
    else:
        when = days.cast(pa.string()).cast(type_)
    assert split(parquet_of(tmp_path, BY_TIME, when), BY_TIME)["test"].tolist() == [15, 16, 17, 18, 19]


def test_the_time_may_be_a_feature(tmp_path: Path) -> None:
    settings = replace(BY_TIME, features=(Feature("when", "number"),))
    table = table_of(tmp_path, settings, when=range(20))
    assert table.frame["when"].tolist() == list(range(20))
    assert split(table, settings)["test"].tolist() == [15, 16, 17, 18, 19]


def test_the_built_in_population_splits_by_hour() -> None:
    settings = Settings(split=Split(method="time", time="time_hours", test_from="20"))
    table = synthetic_table(settings.schema)
    parts = split(table, settings)
    assert (table.frame["time_hours"].iloc[parts["test"]] >= 20).all()
    assert (table.frame["time_hours"].iloc[parts["train"]] < 20).all()


ANY_KIND = "a date or time such as 2025-07-31, 2025-07-31 12:30 or 2025-07-31T12:30Z, or a number"
LOCAL = 'a date or time without a time zone, as "2024-01-01" is'


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1st of May"] * 20, f'{ANY_KIND}, got "1st of May" (line 2), "1st of May" (line 3), '),
        ([*DAYS[:5], "31/12/2024", *DAYS[5:]], f'{LOCAL}, got "31/12/2024" (line 7)'),
        ([*DAYS[:5], "2024-02-30", *DAYS[5:]], f'{LOCAL}, got "2024-02-30" (line 7)'),
        ([*DAYS[:5], "2024", *DAYS[5:]], f'{LOCAL}, got "2024" (line 7)'),
        ([*DAYS[:5], "2024-05-05T00:00Z", *DAYS[5:]], f'{LOCAL}, got "2024-05-05T00:00Z" (line 7)'),
        ([20240101, *DAYS], 'a number, as "20240101" is, got "2024-01-01" (line 3), "2024-01-02" (line 4), '),
        (
            ["2024-01-01 10:00+01:00", *DAYS[:3]],
            'a time with a time zone, as "2024-01-01 10:00+01:00" is, got "2024-01-01" (line 3), ',
        ),
    ],
)
def test_a_time_that_does_not_parse_is_named(tmp_path: Path, cells: list[Any], expected: str) -> None:
    said = mistake_in(tmp_path, BY_TIME, when=cells)
    assert said.startswith(f"rows.csv: column when: expected {expected}")
    assert said.endswith("; use one format, or set split.time_format")


def test_missing_times_are_named(tmp_path: Path) -> None:
    cells: list[Any] = [*DAYS]
    cells[3] = None
    assert mistake_in(tmp_path, BY_TIME, when=cells) == (
        "rows.csv: column when: expected a time in every row, 1 row has none (line 5); fill it in, or leave such rows "
        "out"
    )
    cells[7:] = [None] * 13
    assert "14 rows have none (line 5, line 9, line 10 and 11 more)" in mistake_in(tmp_path, BY_TIME, when=cells)
    reported_only = replace(BASE, split=replace(BASE.split, time="when"))
    table = table_of(tmp_path, reported_only, when=cells)
    facts = split_facts(table, split(table, reported_only))
    assert min(str(facts[name]["first_time"]) for name in facts) == "2024-01-01"
    nothing = split_facts(table, {"train": np.array([3, 8])})
    assert nothing["train"] == {"rows": 2, "defaults": 1, "first_time": None, "last_time": None}


def test_types_that_are_no_time(tmp_path: Path) -> None:
    for when, type_ in ((pa.array([True] * 8), "bool"), (pa.array([[1]] * 8), "list<element: int64>")):
        with pytest.raises(UserError, match=f"column when: expected .*numbers, got values of type {type_}"):
            parquet_of(tmp_path, BY_TIME, when)


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        (
            "soon",
            'expected a date or time without a time zone, as 2024-01-01 in column when, got "soon"; write it as the '
            "column does",
        ),
        (
            "2024-02-01T00:00Z",
            'expected a date or time without a time zone, as 2024-01-01 in column when, got "2024-02-01T00:00Z"; '
            "write it as the column does",
        ),
        (
            "2024-06-01",
            "2024-06-01: no row is that late, and both parts need rows; column when goes from 2024-01-01 to "
            "2024-05-04; choose a time between",
        ),
        (
            "2024-01-01",
            "2024-01-01: no row is earlier, and both parts need rows; column when goes from 2024-01-01 to "
            "2024-05-04; choose a time between",
        ),
    ],
)
def test_a_wrong_first_moment_of_the_test_is_refused(tmp_path: Path, moment: str, message: str) -> None:
    assert mistake_in(tmp_path, from_moment(moment), 2, when=DAYS) == f"split.test_from: {message}"


def test_one_time_for_all_rows_is_refused(tmp_path: Path) -> None:
    assert mistake_in(tmp_path, BY_TIME, when=["2024-01-01"] * 20) == (
        "rows.csv: column when goes from 2024-01-01 to 2024-01-01: the latest 25% of the rows leave none before them, "
        "since rows of the same time stay together; set split.test_from, or a smaller split.test_size"
    )


def test_a_test_without_a_class_is_refused(tmp_path: Path) -> None:
    bad = [0, 1] * 8 + [0] * 4
    assert mistake_in(tmp_path, from_moment("2024-05-01"), when=DAYS, bad=bad) == (
        "rows.csv: target bad: expected a positive row for each of 2 folds and one for the test, got 8 and 0; "
        "add rows, or change model.folds or split.test_from"
    )


# ---------------------------------------------------------------- targets that are not known


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


# ---------------------------------------------------------------- by group


def in_one_part(parts: Parts, who: Any) -> bool:
    return not set(np.array(who)[parts["train"]]) & set(np.array(who)[parts["test"]])


def test_groups_stay_together_and_shares_are_near(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    who = rng.zipf(1.6, 4_000) % 300
    bad = (rng.random(4_000) < np.where(who % 3 == 0, 0.3, 0.05)).astype(int)
    for size in (0.25, 0.4):
        settings = replace(BY_GROUP, split=replace(BY_GROUP.split, test_size=size))
        table = table_of(tmp_path, settings, who=who, bad=bad)
        parts = split(table, settings)
        assert in_one_part(parts, who)
        facts = split_facts(table, parts)
        assert facts["test"]["rows"] / 4_000 == pytest.approx(size, abs=0.03)
        assert facts["test"]["defaults"] / bad.sum() == pytest.approx(size, abs=0.03)
        assert facts["train"]["groups"] + facts["test"]["groups"] == len(set(who))
        np.testing.assert_array_equal(split(table, settings)["test"], parts["test"])
    other = split(table, replace(settings, split=replace(settings.split, seed=4)))
    assert not np.array_equal(other["test"], parts["test"])


def test_missing_groups_are_named(tmp_path: Path) -> None:
    who = ["a", None, "b", "c"] * 5
    assert mistake_in(tmp_path, BY_GROUP, who=who) == (
        "rows.csv: column who: expected a group in every row, 5 rows have none (line 3, line 7, line 11 and 2 more); "
        "fill it in, or leave such rows out"
    )


def test_too_few_groups_are_refused(tmp_path: Path) -> None:
    assert mistake_in(tmp_path, BY_GROUP, who=["a"] * 20) == (
        "rows.csv: column who: expected two groups or more, got 1; name another column as split.group"
    )
    assert mistake_in(tmp_path, BY_GROUP, who=["a", "a", "b", "b"] * 5) == (
        "rows.csv: column who: expected a group with a negative row for each of 2 folds of the training part, got 1; "
        "add groups, or change model.folds"
    )


def test_groups_in_both_parts_of_time_are_refused(tmp_path: Path) -> None:
    settings = replace(BY_TIME, split=replace(BY_TIME.split, group="who"))
    who = [f"c{row % 10}" for row in range(20)]
    assert mistake_in(tmp_path, settings, when=DAYS, who=who) == (
        'rows.csv: column who: 5 groups have rows in both parts, such as "c5", "c6", "c7"; a group must be in one: '
        'choose another split.test_from, use split.method = "group", or leave split.group out'
    )
    table = table_of(tmp_path, settings, when=DAYS, who=[f"c{row // 2}" for row in range(15)] + ["z"] * 5)
    assert split_facts(table, split(table, settings))["test"]["groups"] == 1


@pytest.mark.parametrize("rows", [600, 3_000])
def test_folds_keep_groups_together(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways, by scikit-learn's StratifiedGroupKFold and, for large tables, its GroupKFold."""
    monkeypatch.setattr(folds, "STRATIFIED_GROUP_ROWS", 1_000)
    rng = np.random.default_rng(0)
    groups, target = rng.integers(0, 150, rows), rng.integers(0, 2, rows)
    found = folds_of(target, groups, 3, 7)
    assert sorted(np.concatenate([unseen for _, unseen in found])) == list(range(rows))
    for seen, unseen in found:
        assert not set(groups[seen]) & set(groups[unseen])
        assert len(seen) + len(unseen) == rows
        assert len(unseen) == pytest.approx(rows / 3, rel=0.1)
    again = folds_of(target, groups, 3, 7)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found, again, strict=True))


def test_groups_of_which_no_folds_can_be_made() -> None:
    target = np.array([0, 0, 0, 0, 1, 1])
    with pytest.raises(FoldsRefused, match="groups: expected one for each of 3 folds at least, got 2"):
        folds_of(target, np.array([0, 0, 0, 1, 1, 1]), 3, 0)
    with pytest.raises(FoldsRefused, match="all rows of a class fall into fold"):
        folds_of(target, np.array([0, 1, 2, 3, 4, 4]), 2, 0)


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


def test_rows_of_one_group_count_as_one_for_the_folds() -> None:
    target = np.arange(9_000) % 2
    assert with_folds(Settings(), target, np.arange(9_000) // 4).model.folds == 5
    assert with_folds(Settings(), target, np.arange(9_000) // 10).model.folds == 3


@pytest.mark.parametrize("folds", [2, 3, 10])
def test_folds_that_are_set_stay(folds: int) -> None:
    settings = Settings(model=Model(folds=folds))
    assert with_folds(settings, np.arange(9_000) % 2, None) is settings


# ---------------------------------------------------------------- the command


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
