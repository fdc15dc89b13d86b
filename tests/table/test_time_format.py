"""Formats of dates: detected, asked for, set; and numbers that are dates in disguise."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.errors import UserError
from table import Table, read_table
from table.time_format import TEXTS, UNORDERED, TimeFormat, fitting, misleading, misleading_of_two_figures
from training.settings import settings_from_dict


def table_of(folder: Path, cells: Sequence[object], *, missing: Sequence[str] = (), **split: str) -> Table:
    content = {
        "data": {"file": str(folder / "t.csv"), "id": "", "target": "bad", "missing": list(missing)},
        "features": {"age": "number"},
        "split": {"method": "time", "time": "when", **split},
    }
    frame = pd.DataFrame({"age": 1, "when": cells, "bad": [row % 2 for row in range(len(cells))]})
    frame.to_csv(folder / "t.csv", index=False, sep=";")
    return read_table(settings_from_dict(content).schema)


def mistake(folder: Path, cells: Sequence[object], **split: str) -> str:
    with pytest.raises(UserError) as caught:
        table_of(folder, cells, **split)
    assert caught.value.exit_status == 1
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/")


def shown(table: Table) -> list[str]:
    assert table.time is not None
    return [table.time.shown(value) for value in table.time.values]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["Mar-2011", "DEC-2010", "may-2012"], ["2011-03-01", "2010-12-01", "2012-05-01"]),
        (["March 2011", "September 2010", "Sept. 2012"], ["2011-03-01", "2010-09-01", "2012-09-01"]),
        (["Feb-98", "Jan-07"], ["1998-02-01", "2007-01-01"]),
        (["07FEB2019", "31dec2018"], ["2019-02-07", "2018-12-31"]),
        (["Aug 3, 2019", "Nov 21, 2018"], ["2019-08-03", "2018-11-21"]),
        (["2012Q4", "2011q1"], ["2012-10-01", "2011-01-01"]),
        (["Q2 2012", "Q3 2011"], ["2012-04-01", "2011-07-01"]),
        (["3.7.2015", "12.11.2014"], ["2015-07-03", "2014-11-12"]),
        (["3/14/2015", "2/1/2014"], ["2015-03-14", "2014-02-01"]),
        (["14/3/2015", "2/1/2014"], ["2015-03-14", "2014-01-02"]),
        (["11/2015", "2/2014"], ["2015-11-01", "2014-02-01"]),
        (["2015/03/14", "2014/02/01"], ["2015-03-14", "2014-02-01"]),
        (["25.12.2015 07:30", "1.2.2014 23:59"], ["2015-12-25T07:30:00", "2014-02-01T23:59:00"]),
        (["5/5/2015", "6/6/2014"], ["2015-05-05", "2014-06-06"]),  # both readings are the same days
    ],
)
def test_a_format_that_alone_fits_is_found_out(cells: list[str], expected: list[str], tmp_path: Path) -> None:
    assert shown(table_of(tmp_path, [f" {cell} " for cell in cells])) == expected


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["3/4/2015", "2/1/2014"], ["%m/%d/%Y", "%d/%m/%Y"]),
        (["3-4-2015", "2-1-2014"], ["%m-%d-%Y", "%d-%m-%Y"]),
        (["3/4/15 10:00", "12/1/14 11:30"], ["%m/%d/%y %H:%M", "%d/%m/%y %H:%M"]),
    ],
)
def test_dates_that_more_than_one_format_fits_are_asked_for(
    cells: list[str], formats: list[str], tmp_path: Path
) -> None:
    message = mistake(tmp_path, cells)
    assert message.startswith(f't.csv: column when: dates such as "{cells[0]}", "{cells[1]}" may be dates written as ')
    assert message.endswith("; set split.time_format to it")
    for text in formats:
        assert f'"{text}"' in message
        table_of(tmp_path, cells, time_format=text)


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (["072019", "122018", "012020"], "%m%Y"),
        ([72019, 122018, 12020], "%m%Y"),
        ([72019.0, 122018.0, None, 12020.0], "%m%Y"),
        (["31122018", "01012019", "15062018"], "%d%m%Y"),
        (["12312018", "01012019", "06152018"], "%m%d%Y"),
        (["0719", "1218", "0120"], "%m%y"),
        (["311218", "010119", "150618"], "%d%m%y"),
    ],
)
def test_dates_written_as_numbers_are_never_ordered_as_numbers_in_silence(
    cells: list[object], text: str, tmp_path: Path
) -> None:
    given_ = [cell for cell in cells if cell is not None]
    message = mistake(tmp_path, given_)
    assert f'"{text}"' in message
    assert message.endswith('; set split.time_format to it, or to "number" to order them as numbers')
    moments = shown(table_of(tmp_path, given_, time_format=text))
    assert all(moment[4] == "-" for moment in moments)
    table = table_of(tmp_path, given_, time_format="number")
    assert table.time is not None
    assert table.time.kind == "a number"


def test_months_as_numbers_are_seen_in_parquet_and_beside_a_stray_cell(tmp_path: Path) -> None:
    months = [month * 10_000 + year for year in range(2014, 2017) for month in range(1, 13)]
    when = pa.array([*months, 0], pa.int32())
    bad = [row % 2 for row in range(len(when))]
    pq.write_table(pa.table({"age": [1.0] * len(when), "when": when, "bad": bad}), tmp_path / "t.parquet")
    content = {
        "data": {"file": str(tmp_path / "t.parquet"), "id": "", "target": "bad"},
        "features": {"age": "number"},
        "split": {"method": "time", "time": "when"},
    }
    with pytest.raises(UserError, match=r'may be dates written as "%m%Y"; set split\.time_format'):
        read_table(settings_from_dict(content).schema)


@pytest.mark.parametrize(
    "numbers",
    [
        [201801, 201812, 201902],
        [20180131, 20181231],
        list(range(1, 400)),
        [2018, 2019, 2020],
        [1_500_000_000, 1_600_000_000],
        [101, 102, 112],
        [42_005, 42_006, 43_100],
        [0.5, 12018.25],
        [12018],
    ],
)
def test_numbers_in_the_order_of_time_stay_numbers(numbers: list[float], tmp_path: Path) -> None:
    table = table_of(tmp_path, [*numbers, numbers[0]])
    assert table.time is not None
    assert table.time.kind == "a number"


def test_a_cell_of_another_format_is_named(tmp_path: Path) -> None:
    message = mistake(tmp_path, ["072019", "132018", "x", ""], time_format="%m%Y")
    assert message == (
        't.csv: column when: expected a date written as "%m%Y", got "132018" (line 3), "x" (line 4); '
        "correct the file, or set split.time_format to its format"
    )


def test_codes_for_a_missing_time_are_no_dates(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a time in every row, 1 row has none"):
        table_of(tmp_path, ["Mar-2011", "n/k", "Dec-2010"], missing=["n/k"])


def test_the_test_may_begin_at_a_moment_as_the_column_writes_it(tmp_path: Path) -> None:
    table = table_of(tmp_path, ["Mar-2011", "Dec-2010"])
    assert table.time is not None
    assert table.time.moment("Jan-2011") == table.time.moment("2011-01") == np.datetime64("2011-01-01")


@pytest.mark.parametrize(
    ("text", "fault"),
    [("%d.%m", "has no year"), ("%Y-%j", "%j is not supported"), ("%m/%m/%Y", "a directive occurs twice"), ("%", "%")],
)
def test_an_invalid_format_is_one_line(text: str, fault: str) -> None:
    with pytest.raises(UserError) as caught:
        settings_from_dict({"split": {"method": "time", "time": "time_hours", "time_format": text}})
    assert caught.value.exit_status == 2
    assert str(caught.value).startswith("command line: split.time_format: ")
    assert fault in str(caught.value)


@given(st.sampled_from([*TEXTS, *UNORDERED]), st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)))
def test_what_strptime_writes_is_read_as_it_was(text: str, moment: datetime) -> None:
    written = moment.strftime(text.replace("%q", str((moment.month + 2) // 3)))
    read = TimeFormat(text).read(written)
    assert read is not None
    assert read.strftime(text.replace("%q", str((read.month + 2) // 3))) == written


@given(st.lists(st.dates(date(1950, 1, 1), date(2050, 1, 1)), min_size=2, max_size=30, unique=True))
def test_days_as_numbers_are_misleading_where_their_order_is_another(days: list[date]) -> None:
    ordered = sorted(days, key=lambda day: int(f"{day:%d%m%Y}"))
    found = misleading(np.array([float(f"{day:%d%m%Y}") for day in days]))
    assert ("%d%m%Y" in found) == (ordered != sorted(days))


def test_a_format_stands_once_for_each_way_to_read_the_cells() -> None:
    assert fitting(["31/12/2018", "30/11/2018"]) == ["%d/%m/%Y"]
    assert fitting(["31 December", "x"]) == []


def numbers_of(moments: list[date], text: str) -> np.ndarray[Any, Any]:
    return np.array([float(moment.strftime(text)) for moment in moments])


@pytest.mark.parametrize("text", ["%m%y", "%d%m%y", "%m%d%y"])
def test_months_that_follow_one_another_are_dates_with_years_of_two_figures(text: str) -> None:
    moments = [date(2015 + month // 12, 1 + month % 12, 28 - month) for month in range(8, 20)]
    assert text in misleading_of_two_figures(np.append(numbers_of(moments, text), np.nan))
    assert misleading_of_two_figures(numbers_of(moments[:3], text)) == []  # too few to be a finding
    in_order = [date(2015, month, 1) for month in range(1, 13)]
    assert "%m%y" not in misleading_of_two_figures(numbers_of(in_order, text))


@pytest.mark.parametrize(
    "numbers",
    [
        np.arange(300, 851),  # a score
        np.arange(101, 1_300),  # days
        np.arange(1, 13) * 100,  # limits
        np.arange(150, 1_251, 50),
        np.arange(10_000, 90_000, 500),
        np.arange(0, 30),
        np.array([np.nan]),
    ],
)
def test_ordinary_numbers_are_no_dates(numbers: np.ndarray[Any, Any]) -> None:
    assert misleading_of_two_figures(numbers.astype(float)) == []
