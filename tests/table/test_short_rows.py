"""Rows with too few cells: completed where they are left out, in any writing, and refused everywhere else."""

import csv
import io

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.errors import UserError
from table.cells import Source
from table.csv_file import CsvFile, records
from table.outcomes import excluded_rows
from table.short_rows import cells_of, completed_rows, excluded_by, place_of
from table.words import Missing

COLUMNS = ["id", "age", "job"]
CELLS = st.sampled_from(
    ["", "Total", " total", "1", "1.0", "NA", "true", "TRUE", "é", "e\u0301", "a\nb", 'c"d', "e;f", "x\r\ny"]
)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=3).filter(lambda row: any(map(str.strip, row))), max_size=8)


@given(ROWS, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]), st.booleans(), st.booleans())
def test_short_rows_that_are_wanted_get_empty_cells_and_nothing_else_changes(
    rows: list[list[str]], end: str, mark: str, ends: bool, spaced: bool
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator=end + (end if spaced else ""))
    writer.writerows([COLUMNS, *rows])
    content = (mark + (text.getvalue() if ends else text.getvalue().rstrip("\r\n"))).encode()
    found, completed = completed_rows(content, ";", COLUMNS, lambda cells: "Total" in cells.values())
    wanted = {at: row for at, row in enumerate(rows) if len(row) < 3 and "Total" in row}
    assert {at: list(cells.values()) for at, cells in completed.items()} == wanted
    whole = [row + [""] * (3 - len(row)) if at in wanted else row for at, row in enumerate(rows)]
    its, before = list(records(found, ";")), list(records(content, ";"))
    assert [record for _, record in its] == [COLUMNS, *whole]
    assert [line for line, _ in its] == [line for line, _ in before]
    assert completed or found is content


@given(
    st.lists(CELLS, min_size=1, max_size=2),
    st.dictionaries(st.sampled_from(COLUMNS), st.lists(CELLS, min_size=1, max_size=3), max_size=2),
    st.booleans(),
)
def test_a_row_is_completed_where_training_leaves_it_out(
    row: list[str], exclude: dict[str, list[str]], nfc: bool
) -> None:
    """By a cell that it has: one that is missing leaves out rows of all cells alone."""
    missing, cells = Missing.of(["NA"]), dict(zip(COLUMNS, row, strict=False))
    columns = {name: pa.chunked_array([pa.array([cells.get(name)], pa.string())]) for name in COLUMNS}
    source = Source("book.csv", "", columns, lambda rows: [], missing, nfc=nfc)
    named = {column: [value for value in values if value.strip()] for column, values in exclude.items()}
    excluded, exclusions, _ = excluded_rows(source, named)
    place = place_of(cells, exclude, missing, nfc=nfc)
    assert (place >= 0) == excluded[0]
    if place >= 0:
        values = [(column, value) for column, its in exclude.items() for value in its]
        [counted] = [each for each in exclusions if each.rows]
        assert values[place] == (counted.column, counted.value)
    assert excluded_by({}, missing, nfc=nfc) is None


def test_cells_of_a_line() -> None:
    assert cells_of('"a;\nb";2', ";", COLUMNS) == {"id": "a;\nb", "age": "2"}
    assert cells_of("1;2;3;4", ";", COLUMNS) == {}
    assert cells_of("", ";", COLUMNS) == {}
    assert cells_of('"' + "x" * 200_000, ";", COLUMNS) == {}  # more than csv takes


BOOK = b"id;age;job\na;30;staff\nTotal;1\nb;x;\n"


def by(name: str, value: str, content: bytes = BOOK) -> CsvFile:
    completes = excluded_by({name: [value]}, Missing(), nfc=False)
    return CsvFile("book.csv", content, None, (), completes=completes)


def test_a_completed_row_is_empty_beyond_its_cells() -> None:
    file = by("id", "Total")
    assert file.read(["id", "age", "job"], ()) == {
        "id": pa.chunked_array([["a", "Total", "b"]]),
        "age": pa.chunked_array([["30", "1", "x"]]),
        "job": pa.chunked_array([["staff", None, None]]),
    }
    assert file.short == {1: {"id": "Total", "age": "1"}}
    assert file.places([0, 2]) == ["line 2", "line 4"]
    with pytest.raises(UserError, match=r"book\.csv: line 3: expected 3 fields, as in the header, got 2; is it cut"):
        file.refuse_short(1)


def test_numbers_stay_numbers_where_a_row_was_completed() -> None:
    read = by("id", "Total", BOOK.replace(b"x", b"7")).read(["age"], ["age"])
    assert read == {"age": pa.chunked_array([[30.0, 1.0, 7.0]])}


FEW = "line 3: expected 3 fields, as in the header, got 2; is it cut short, or a separator or a quote out of place?"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (BOOK, f"{FEW} If it is a note or a total, leave it out by data.exclude"),
        (BOOK.replace(b"Total;1", b"sum;1\nb;2;3;4"), FEW),
        (BOOK.replace(b"Total;1", b"sum;1;2;3"), FEW.replace("got 2", "got 4")),
        (
            BOOK.replace(b"Total;1\n", b"") + b'"c;' + b"1;2\n" * 40_000,
            "after line 3: a quote is opened and not closed",
        ),
    ],
)
def test_other_rows_are_refused(content: bytes, problem: str) -> None:
    with pytest.raises(UserError) as caught:
        by("id", "staff", content).read(["id"], ())
    assert str(caught.value).startswith(f"book.csv: {problem}")
