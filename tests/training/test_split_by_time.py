"""The split by time: the latest rows are the test, and the line of each time that cannot be read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cli.errors import UserError
from table import synthetic_table
from tests.training.splits import BASE, BY_TIME, DAYS, from_moment, mistake_in, parquet_of, table_of
from training.settings import Feature, Settings, Split
from training.split import split, split_facts


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
