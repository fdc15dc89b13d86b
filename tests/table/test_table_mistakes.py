"""Mistakes in a table: each is one line that names the file, the column and the cell."""

from dataclasses import replace
from pathlib import Path

import pytest

from cli.errors import UserError
from table import read_table
from table.cells import OTHER_WORDS
from table.csv_file import ANOTHER_ENCODING
from tests.table.tables import BASE, FEATURES, GOOD_AND_BAD, HEADER, REMEDY, TRUTHS, mistake_in, with_column
from training.settings import Feature

NO_TEXT = "is neither text nor Parquet; expected a CSV file in UTF-8, or a Parquet file; or set data.encoding"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; expected a header and rows"),
        ("\n \n", "is empty; expected a header and rows"),
        (HEADER, "has a header and no rows; expected rows"),
        (HEADER.strip(), "has a header and no rows; expected rows"),
        ("id;owner\n1;2\n", 'no column age (features.age); its columns, separated by ";": id, owner'),
        (
            HEADER.replace("purpose", "purpos") + GOOD_AND_BAD,
            "no column purpose (features.purpose); did you mean purpos? "
            'its columns, separated by ";": id, age, owner, purpos, bad',
        ),
        (
            HEADER.replace("id", "row") + GOOD_AND_BAD,
            'no column id (data.id); its columns, separated by ";": row, age, owner, purpose, bad; '
            'set data.id to "" where rows have no id',
        ),
        (
            HEADER.replace("purpose", "age") + GOOD_AND_BAD,
            "column age is there 2 times; name each column once",
        ),
        (
            HEADER + GOOD_AND_BAD + "a;30;true;car\n",
            "line 10: expected 5 fields, as in the header, got 4; "
            "is it cut short, or a separator or a quote out of place?",
        ),
        (
            HEADER + GOOD_AND_BAD + 'a;30;true;"car;0\n',
            "line 10: expected 5 fields, as in the header, got 4; "
            "is it cut short, or a separator or a quote out of place?",
        ),
        (
            HEADER + '"a\n\nb";30;true;car;0\n' + "a;30;true;a;b;0\n",
            "line 5: expected 5 fields, as in the header, got 6; "
            "is it cut short, or a separator or a quote out of place?",
        ),
        (
            HEADER + GOOD_AND_BAD + 'a;"' + "1;2;3\n" * 30_000,
            "after line 9: a quote is opened and not closed; close it",
        ),
        (
            (HEADER + GOOD_AND_BAD).encode() + b"a;1;1;caf\xe9;0\n",
            "line 10 is not UTF-8 text; " + ANOTHER_ENCODING,
        ),
        (b"id;\xe9ge\n1;2\n", "line 1 is not UTF-8 text; " + ANOTHER_ENCODING),
        ((HEADER + GOOD_AND_BAD).encode("utf-16-le"), NO_TEXT),
        (
            b"\x7fELF\0\0",
            NO_TEXT,
        ),
        ('"id;age' + ";1" * 100_000, "at the start: a quote is opened and not closed; close it"),
        (b"PAR1", "the Parquet file is cut short: its footer is missing; copy it again"),
    ],
)
def test_a_broken_file_is_one_line(content: str | bytes, message: str, tmp_path: Path) -> None:
    assert mistake_in(tmp_path, content) == f"rows.csv: {message}"


@pytest.mark.parametrize(
    ("column", "cells", "message"),
    [
        ("age", ["old"], 'expected a number, with a decimal point, got "old" (line 2)'),
        ("age", ["1", "1,5"], 'expected a number, with a decimal point, got "1,5" (line 3)'),
        ("age", ["1_0"], 'expected a number, with a decimal point, got "1_0" (line 2)'),
        ("age", ["0x10"], 'expected a number, with a decimal point, got "0x10" (line 2)'),
        ("age", ["true"], 'expected a number, with a decimal point, got "true" (line 2)'),
        (
            "age",
            ["a", "1", "b", "", "c", "d", "e"],
            'expected a number, with a decimal point, got "a" (line 2), "b" (line 4), "c" (line 6) and 2 more',
        ),
        ("age", ["1", "inf"], "expected a number within ±3.4e38, as float32 holds, got inf (line 3)"),
        ("age", ["-Infinity"], "expected a number within ±3.4e38, as float32 holds, got -inf (line 2)"),
        ("age", ["1e39"], "expected a number within ±3.4e38, as float32 holds, got 1e+39 (line 2)"),
        ("owner", ["maybe"], f'{TRUTHS}, got "maybe" (line 2)'),
        ("owner", ["yes", "2"], f'{TRUTHS}, got "2" (line 3)'),
    ],
)
def test_a_wrong_cell_is_named(column: str, cells: list[str], message: str, tmp_path: Path) -> None:
    remedy = f"; {OTHER_WORDS}" if column == "owner" else REMEDY
    if cells == ["1", "1,5"]:
        remedy = '; set data.decimal = ","'
    assert mistake_in(tmp_path, with_column(column, cells)) == f"rows.csv: column {column}: {message}{remedy}"


def test_a_line_is_counted_as_an_editor_does(tmp_path: Path) -> None:
    text = HEADER + '\n"two\nlines";1;yes;car;0\n\n' + "x;old;yes;car;0\n" + GOOD_AND_BAD
    assert mistake_in(tmp_path, text) == (
        f'rows.csv: column age: expected a number, with a decimal point, got "old" (line 6){REMEDY}'
    )


def test_log1p_needs_numbers_above_minus_one(tmp_path: Path) -> None:
    settings = replace(BASE, features=(Feature("age", "number", log1p=True), *FEATURES[1:]))
    message = mistake_in(tmp_path, with_column("age", ["-0.5", "-1", "-7.5"]), settings)
    assert message == (
        f"rows.csv: column age: expected numbers above -1, for log1p, got -1 (line 3), -7.5 (line 4){REMEDY}"
    )


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (["", "NA"], "every row is missing; expected two values"),
        (["1", "1"], "expected two values, found only: 1; add rows of the other class"),
        (
            ["0", "1", "2"],
            "expected two values, found: 0, 1, 2; name those who repaid as data.negative, "
            "and rows with any other value are left out",
        ),
        (
            ["good", "bad"],
            'no row has "1" (data.positive), found: bad, good; set data.positive to one of them',
        ),
    ],
)
def test_an_invalid_target_is_refused(targets: list[str], message: str, tmp_path: Path) -> None:
    text = HEADER + "".join(f"a;30;yes;car;{target}\n" for target in targets * 4)
    assert mistake_in(tmp_path, text) == f"rows.csv: target bad: {message}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "applicants.csv").touch()

    def mistake(name: str) -> str:
        with pytest.raises(UserError) as caught:
            read_table(replace(BASE, data=replace(BASE.data, file=f"{tmp_path}/{name}")).schema)
        return str(caught.value).replace(f"{tmp_path}/", "")

    remedy = "name an existing CSV, Parquet or Excel file"
    assert mistake("aplicants.csv") == (f"aplicants.csv: no such file (did you mean applicants.csv?); {remedy}")
    assert mistake("zzz") == f"zzz: no such file; {remedy}"
    assert mistake("applicants.csv") == "applicants.csv: is empty; expected a header and rows"
    (tmp_path / "folder").mkdir()
    assert mistake("folder") == "folder: the folder holds no file; expected CSV or Parquet files"
