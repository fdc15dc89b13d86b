"""Rows that are no customers: the draft names their lines and leaves them out, and training reads the others alone."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from table import Table, read_table
from tests.training.drafts import read_by_its_draft
from training import draft
from training.settings import load_settings

ROWS = 60
NAMES = ["loan_id", "opened", "income", "age", "job", "default"]


def loans(rows: int = ROWS, marks: str = ",.") -> list[str]:
    """The lines of a table, the header first; `marks` are those of thousands and of decimals."""
    rng = np.random.default_rng(3)
    income = [f"{value:,.2f}".translate({44: marks[0], 46: marks[1]}) for value in rng.lognormal(8, 1, rows)]
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D")
    frame = pd.DataFrame(
        {
            "loan_id": [f"L{row:04d}" for row in range(rows)],
            "opened": days.strftime("%Y-%m-%d"),
            "income": income,
            "age": rng.integers(18, 80, rows),
            "job": rng.choice(["staff", "worker", ""], rows),
            "default": (np.arange(rows) % 4 == 0).astype(int),
        }
    )
    return str(frame.to_csv(sep=";", index=False)).splitlines()


def total(marks: str = ",.") -> str:
    """The sum of the incomes as the table writes them."""
    its = [float(line.split(";")[2].replace(marks[0], "").replace(marks[1], ".")) for line in loans(marks=marks)[1:]]
    return f"{sum(its):,.2f}".translate({44: marks[0], 46: marks[1]})


def read(lines: list[str], folder: Path) -> tuple[str, Table]:
    """The draft of a file with these lines, and the table that it reads."""
    (folder / "book.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text, _, table = read_by_its_draft(folder / "book.csv")
    return text, table


def mean(column: int, decimals: int) -> str:
    """The mean of a column of the table, with so many decimals."""
    its = [float(line.split(";")[column].replace(",", "")) for line in loans()[1:]]
    return f"{sum(its) / len(its):,.{decimals}f}"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """The table without strays."""
    return read(loans(), tmp_path_factory.mktemp("clean"))[1]


HEADER = ";".join(NAMES)
STRAYS = {
    "totals": ([61], [f"Total;;{total()};;;15"], "line 62 seems to be totals", 'loan_id = ["Total"]'),
    "totals in every cell": ([61], [f"TOTAL;to date;{total()};2890;all;15"], "line 62 seems to be totals", '["TOTAL"]'),
    "subtotals": ([30, 60], ["Subtotal;;;;;"], "line 31, line 62 seem to be totals", '["Subtotal"]'),
    "sum without a word": ([61], [f";;{total()};;;15"], "line 62 seems to be totals", 'loan_id = [""]'),
    "totals without an outcome": ([61], [f"Gesamt:;;{total()};;;"], "line 62 seems to be totals", '["Gesamt:"]'),
    "mean": ([61], [";;;;;", "Mittelwert;;3,120.5;44.2;;0.25"], "line 63 seems to be totals", '["Mittelwert", ""]'),
    "mean without a word": (
        [61],
        [f";;{mean(2, 2)};{mean(3, 1)};;0.25"],
        "line 62 seems to be totals",
        'loan_id = [""]',
    ),
    "sums, then means": (
        [61],
        [f";;{total()};;;15", f"All;;{mean(2, 2)};{mean(3, 2)};;0.25"],
        "line 62, line 63 seem to be totals",
        '["All", ""]',
    ),
    "note of two cells": ([61], ["Printed on;2022-01-31;;;;"], "line 62 seems to be a note", '["Printed on"]'),
    "notes": (
        [61],
        ["Source:;core banking;;;;", "Confidential;;;;;"],
        "line 62, line 63 seem to be a note",
        '["Source:", "Confidential"]',
    ),
    "note": ([61], ['"Source: core; as of 2021";;;;;'], "line 62 seems to be a note", '["Source: core; as of 2021"]'),
    "empty": ([20], [";;;;;"], "line 21 seems to be empty", 'loan_id = [""]'),
    "header": ([20, 40], [HEADER], "line 21, line 42 seem to be the header again", 'loan_id = ["loan_id"]'),
    "units": ([1], [";date;EUR;years;;0/1"], "line 2 seems to be units or names", 'loan_id = [""]'),
    "names": ([1], ["Contract;Opened on;Net income;Age;Job;Bad"], "line 2 seems to be units or names", '["Contract"]'),
}  # lines before which each of the rows stands


@pytest.mark.parametrize("kind", STRAYS)
def test_rows_that_are_no_customers_are_named_and_left_out(kind: str, clean: Table, tmp_path: Path) -> None:
    at, rows, said, values = STRAYS[kind]
    lines = loans()
    for place in reversed(at):
        lines[place:place] = rows
    text, table = read(lines, tmp_path)
    assert said in text
    assert f"exclude = {{ loan_id = {values.removeprefix('loan_id = ')} }}" in text
    assert 'id = "loan_id"' in text
    assert '# time = "opened"' in text
    pd.testing.assert_frame_equal(table.frame, clean.frame)
    assert (table.ids, table.target.tolist()) == (clean.ids, clean.target.tolist())
    assert table.dropped_rows == len(at) * len(rows)


def test_a_split_by_time_reads_the_times_of_customers_alone(tmp_path: Path) -> None:
    lines = loans()
    read([*lines[:30], HEADER, *lines[30:], f"Total;until today;{total()};;;15"], tmp_path)
    own = tmp_path / "own.toml"
    own.write_text(
        own.read_text("utf-8").replace('# method = "time"', 'method = "time"').replace("# time = ", "time = ")
    )
    table = read_table(load_settings(own, {}).schema)
    assert table.time is not None
    assert table.time.kind == "a date or time without a time zone"
    assert len(table.time.values) == ROWS


def test_totals_are_known_by_any_marks(tmp_path: Path) -> None:
    text, table = read([*loans(marks=".,"), f";;{total('.,')};;;15"], tmp_path)
    assert "line 62 seems to be totals" in text
    assert len(table.target) == ROWS


def test_a_total_is_known_below_a_customer_who_lacks_something(tmp_path: Path) -> None:
    lines = loans()
    lines[60] = ";".join([*lines[60].split(";")[:3], "", *lines[60].split(";")[4:]])
    text, table = read([*lines, f";;{total()};;;15"], tmp_path)
    assert "line 62 seems to be totals" in text
    assert len(table.target) == ROWS


@pytest.mark.parametrize(
    "last",
    [
        "L9999;2022-01-01;1.00;40;total;1",  # a job of that name
        "TOTAL;2022-01-01;1.00;40;staff;1",  # no sum
        "L9999;;1.00;40;staff;1",  # a time is missing
        "L9999;2022-01-01;;40;count;0",
        ";2022-01-01;77.10;40;staff;1",
        f";2022-01-01;{mean(2, 2)};40;staff;1",  # the mean of one column alone
        "L9999;;;;;1",  # an application without anything else
    ],
)
def test_a_customer_at_the_end_is_no_stray(last: str, tmp_path: Path) -> None:
    jobs = [line.replace(";staff;", ";count;") for line in loans()]
    text, table = read([*jobs, last], tmp_path)
    assert "# exclude = {" in text
    assert len(table.target) == ROWS + 1


def test_strays_that_no_value_distinguishes_are_named_to_be_deleted(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.integers(0, 9, 50), "b": rng.integers(0, 9, 50), "bad": np.arange(50) % 2})
    frame = frame.astype(object).astype(str)
    frame.iloc[5:20, 0], frame.iloc[20:30, 1], frame.iloc[30:33, 2] = "", "", ""
    out = io.StringIO()
    pd.concat([frame, pd.DataFrame([["", "", ""]], columns=frame.columns)]).to_csv(
        out, index=False, lineterminator="\n"
    )
    (tmp_path / "book.csv").write_text(out.getvalue())
    assert draft.main([str(tmp_path / "book.csv"), "--out", str(tmp_path / "own.toml"), "--quiet"]) == 0
    assert "# line 52 seems to be empty, not a customer: delete it" in (tmp_path / "own.toml").read_text()
