"""Outcomes: defaults, repaid credits and rows that are left out, counted by value."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cli.errors import UserError
from table import Table, read_applicants, read_table
from table.outcomes import Exclusion
from training.settings import Data, Feature, Settings, Split

BASE = Settings(
    data=Data(id=None, target="state", positive=("written off", "arrears"), negative=("settled",)),
    features=(Feature("rent", "number"),),
    row_max={},
)
STATES = ["settled", "arrears", "open", "written off", "settled", "disputed", "open", "", "settled"]


def settings_for(folder: Path, rows: list[dict[str, str]], settings: Settings, **data: Any) -> Settings:
    names = list(rows[0])
    lines = [";".join(row[name] for name in names) for row in rows]
    (folder / "book.csv").write_text("\n".join([";".join(names), *lines]) + "\n")
    return replace(settings, data=replace(settings.data, file=str(folder / "book.csv"), **data))


def rows_of(states: list[str], **columns: list[str]) -> list[dict[str, str]]:
    return [
        {"rent": str(i), "state": state, **{name: cells[i] for name, cells in columns.items()}}
        for i, state in enumerate(states)
    ]


def table_of(folder: Path, rows: list[dict[str, str]], settings: Settings = BASE, **data: Any) -> Table:
    return read_table(settings_for(folder, rows, settings, **data).schema)


def mistake(folder: Path, rows: list[dict[str, str]], **data: Any) -> str:
    with pytest.raises(UserError) as caught:
        table_of(folder, rows, **data)
    assert caught.value.exit_status == 1
    return str(caught.value).removeprefix(f"{folder}/")


def test_rows_with_neither_outcome_are_left_out_and_counted_by_value(tmp_path: Path) -> None:
    table = table_of(tmp_path, rows_of(STATES))
    assert table.target.tolist() == [0, 1, 1, 0, 0]
    assert table.frame["rent"].tolist() == [0, 1, 3, 4, 8]
    assert table.dropped_rows == 4
    assert table.exclusions == (
        Exclusion("data.negative", "state", "open", 2),
        Exclusion("data.negative", "state", "disputed", 1),
    )
    assert table.dropped_note == (
        "1 row without a target left out (line 9); "
        '3 rows left out by state (2 "open", 1 "disputed") (line 4, line 7, line 8)'
    )  # fmt: skip


def test_one_other_value_is_who_repaid(tmp_path: Path) -> None:
    table = table_of(tmp_path, rows_of(["arrears", "paid", "written off", "paid"]), negative=())
    assert table.target.tolist() == [1, 0, 1, 0]
    assert (table.dropped_rows, table.dropped_note, table.exclusions) == (0, "", ())


def test_numbers_are_outcomes_however_they_are_written(tmp_path: Path) -> None:
    rows = rows_of(["2.0", "3", "7", "2", "-1.0", "3.00"])
    table = table_of(tmp_path, rows, positive=("3",), negative=("2",))
    assert table.target.tolist() == [0, 1, 0, 1]
    assert {(each.value, each.rows) for each in table.exclusions} == {("7", 1), ("-1", 1)}


def test_missing_words_of_the_target_are_no_outcome(tmp_path: Path) -> None:
    rows = rows_of(["1", "0", "unknown", " unknown ", "1", "0"])
    table = table_of(tmp_path, rows, positive=("1",), negative=(), missing=("unknown",))
    assert table.target.tolist() == [1, 0, 1, 0]
    assert table.dropped_note == "2 rows without a target left out (line 4, line 5)"


def test_rows_are_excluded_by_the_values_of_any_column(tmp_path: Path) -> None:
    rows = rows_of(
        ["settled", "arrears", "open", "settled", "arrears", "settled"],
        desk=["north", "trial", "trial", "", "south", "north"],
        pilot=["0", "1", "1.0", "0", "0", "1"],
    )
    table = table_of(tmp_path, rows, exclude={"desk": ("trial", ""), "pilot": ("1",)})
    assert table.frame["rent"].tolist() == [0, 4]
    assert table.exclusions == (
        Exclusion("data.exclude", "desk", "trial", 2),
        Exclusion("data.exclude", "desk", None, 1),
        Exclusion("data.exclude", "pilot", "1", 1),
    )
    assert table.dropped_note == (
        '3 rows left out by desk (2 "trial", 1 without one); 1 row left out by pilot (1 "1")'
    )  # fmt: skip


def test_a_third_outcome_may_be_excluded_instead(tmp_path: Path) -> None:
    rows = rows_of(["arrears", "settled", "open", "settled"])
    table = table_of(tmp_path, rows, negative=(), exclude={"state": ("open",)})
    assert table.target.tolist() == [1, 0, 0]


def test_a_named_value_that_no_row_has_is_remarked_on(tmp_path: Path) -> None:
    rows = rows_of(["arrears", "settled"], desk=["north", "trial"])
    remarks = table_of(tmp_path, rows, exclude={"desk": ("trail",)}).remarks
    assert remarks == (
        'data.exclude: no row has "trail" as desk; did you mean trial?',
        'target state: no row has "written off" (data.positive), found: arrears, settled',
    )


def test_outcomes_without_a_rule_are_asked_for(tmp_path: Path) -> None:
    assert mistake(tmp_path, rows_of(STATES), negative=()) == (
        "book.csv: target state: expected two values, found: arrears, disputed, open, settled, written off; "
        "name those who repaid as data.negative, and rows with any other value are left out"
    )
    assert mistake(tmp_path, rows_of(STATES), positive=("bad",), negative=()) == (
        'book.csv: target state: no row has "bad" (data.positive), found: arrears, disputed, open, settled, '
        "written off; set data.positive and data.negative to some of them, and rows with any other value are left out"
    )
    assert mistake(tmp_path, rows_of(STATES), negative=("paid",)) == (
        'book.csv: target state: no row has "paid" (data.negative), found: arrears, disputed, open, settled, '
        "written off; set data.negative to some of them"
    )
    everyone = {"state": tuple(STATES)}
    assert mistake(tmp_path, rows_of(STATES), exclude=everyone) == (
        "book.csv: data.exclude leaves out every row; exclude fewer"
    )


def test_the_line_of_totals_is_named_where_an_outcome_is_theirs_alone(tmp_path: Path) -> None:
    states = [*["settled", "arrears"] * 12, "12"]
    said = mistake(tmp_path, rows_of(states), positive=("arrears",), negative=())
    assert "expected two values, found: 12 (line 26), arrears, settled" in said
    table = table_of(tmp_path, rows_of(states), positive=("arrears",), negative=(), exclude={"state": ("12",)})
    assert table.dropped_note == '1 row left out by state (1 "12") (line 26)'


@pytest.mark.parametrize("row", [{"rent": "EUR", "state": "settled", "desk": ""}, {"rent": "rent", "state": ""}])
def test_what_is_left_out_need_not_be_readable(row: dict[str, str], tmp_path: Path) -> None:
    rows = rows_of(["settled", "arrears", "settled"], desk=["north"] * 3)
    table = table_of(tmp_path, [*rows, {"desk": "north", **row}], exclude={"desk": ("",)})
    assert table.frame["rent"].tolist() == [0, 1, 2]


def test_a_header_in_the_middle_is_named_as_one(tmp_path: Path) -> None:
    rows = [*rows_of(["settled", "arrears"]), {"rent": "rent", "state": "settled"}]
    assert mistake(tmp_path, rows).endswith(
        'got "rent" (line 4); that is the header again: delete such rows, or leave them out by data.exclude'
    )


def test_an_unknown_column_to_exclude_by_is_named(tmp_path: Path) -> None:
    rows = rows_of(["arrears", "settled"], desk=["north", "trial"])
    message = mistake(tmp_path, rows, exclude={"desks": ("trial",)})
    assert message.startswith("book.csv: no column desks (data.exclude.desks); did you mean desk? ")


def test_later_applicants_need_not_show_every_outcome(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, rows_of(["open", "settled", "open"]), BASE)
    outcome = read_applicants(settings.schema).outcome
    np.testing.assert_array_equal(outcome, [np.nan, 0, np.nan])


def test_rows_left_out_by_time_are_counted_apart_from_rows_without_outcome(tmp_path: Path) -> None:
    settings = replace(BASE, split=Split(0.5, method="time", time="month"))
    rows = rows_of(["settled", "arrears", "open", ""], month=["2020-01", "2020-02", "2020-05", "2020-04"])
    assert table_of(tmp_path, rows, settings).dropped_note == (
        "1 row without a target left out (line 5); all later than the last one with a target, 2020-02-01: "
        'the outcome is not known yet; 1 row left out by state (1 "open") (line 4)'
    )


def test_parquet_outcomes_are_those_of_a_csv(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    states = pa.array([1, 0, None, -1, 1, 0], pa.int8())
    pq.write_table(pa.table({"rent": [1.0] * 6, "state": states}), tmp_path / "book.parquet")
    data = replace(BASE.data, file=str(tmp_path / "book.parquet"), positive=("1",), negative=("0",))
    table = read_table(replace(BASE, data=data).schema)
    assert table.target.tolist() == [1, 0, 1, 0]
    assert table.exclusions == (Exclusion("data.negative", "state", "-1", 1),)
