"""CSV files: separators, quotes, line ends, and numbers that are read alike on both ways."""

import csv
import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cli.errors import UserError
from table.cells import MISSING
from table.csv_file import find_separator
from tests.table.tables import BASE, GOOD_AND_BAD, HEADER, table_of, with_column
from tests.tiers import examples


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_endings_byte_order_mark_and_blank_lines_change_nothing(ending: str, mark: str, tmp_path: Path) -> None:
    text = (mark + HEADER + GOOD_AND_BAD + "\n\n").replace("\n", ending)
    assert len(table_of(tmp_path, text).frame) == 8


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_separators_are_found(separator: str, tmp_path: Path) -> None:
    assert len(table_of(tmp_path, (HEADER + GOOD_AND_BAD).replace(";", separator)).frame) == 8


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_excel_s_line_of_the_separator_is_no_header(line: str, mark: str, ending: str, tmp_path: Path) -> None:
    plain = HEADER + GOOD_AND_BAD
    table = table_of(tmp_path, (mark + line + "\n" + plain).replace("\n", ending).encode())
    assert table.frame.equals(table_of(tmp_path, plain.encode()).frame)
    with pytest.raises(UserError, match=r"line 11: expected 5 fields"):
        table_of(tmp_path, f"{mark}{line}\n{plain}a;30\n".encode())


def test_the_header_decides_on_the_separator() -> None:
    text = b"id;age;owner,really;purpose\n1;2,5;3,5;x,y,z,,,\n"
    assert find_separator(text, {"id", "age", "purpose"}) == ";"


def test_where_no_wanted_column_is_there_the_rows_decide() -> None:
    assert find_separator(b"a|b;c\n1|2\n3|4;\n", {"age"}) == "|"
    assert find_separator(b'"a;b",c\n"1;2;3",d\n', {"age"}) == ","


def test_a_separator_that_is_set(tmp_path: Path) -> None:
    settings = replace(BASE, data=replace(BASE.data, separator=":"))
    assert len(table_of(tmp_path, (HEADER + GOOD_AND_BAD).replace(";", ":"), settings).frame) == 8


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
optional_numbers = st.none() | st.floats(-3e38, 3e38)


@given(
    rows=st.lists(st.tuples(optional_numbers, st.none() | st.booleans(), cells), min_size=8, max_size=12),
    separator=st.sampled_from(";,\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    ending=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(150))
def test_what_is_written_as_csv_is_read_back(
    tmp_path: Path,
    rows: list[tuple[float | None, bool | None, str]],
    separator: str,
    quoting: Any,
    ending: str,
    mark: str,
) -> None:
    """Tables of Python's csv module are read back: float64 to the last bit, text without the blanks around it."""
    if any("\r" in text for _, _, text in rows):
        quoting = csv.QUOTE_ALL  # the csv module leaves a lone carriage return unquoted, where it ends a line
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=ending)
    writer.writerow(["id", "age", "owner", "purpose", "bad"])
    for index, (number, truth, text) in enumerate(rows):
        shown = "" if number is None else repr(number)
        writer.writerow([f"r{index}", shown, "" if truth is None else str(truth), text, index % 2])
    table = table_of(tmp_path, mark + out.getvalue())
    expected = pd.DataFrame(rows, columns=["age", "owner", "purpose"])
    np.testing.assert_array_equal(table.frame["age"], expected["age"].astype(float))
    np.testing.assert_array_equal(table.frame["owner"], expected["owner"].astype(float))
    texts = [None if text.strip() in MISSING else text.strip() for _, _, text in rows]
    assert table.frame["purpose"].tolist() == texts
    assert table.target.tolist() == [index % 2 for index in range(len(rows))]
    assert table.ids == [f"r{index}" for index in range(len(rows))]


@given(st.lists(st.sampled_from([*MISSING, " NA ", "1.5", " 2 ", "-1e3", "nan"]), min_size=1, max_size=6))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_are_read_alike_on_the_fast_and_on_the_exact_way(tmp_path: Path, texts: list[str]) -> None:
    values = {"1.5": 1.5, " 2 ": 2.0, "-1e3": -1000.0}
    frame = table_of(tmp_path, with_column("age", texts)).frame
    np.testing.assert_array_equal(frame["age"][: len(texts)], [values.get(text, math.nan) for text in texts])
