"""The table: what a CSV, a Parquet file and the built-in population become, and the lines of faults."""

import csv
import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
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

from cli.errors import UserError
from table import Applicants, Table, read_applicants, read_table, synthetic_table
from table.cells import MISSING, OTHER_WORDS
from table.csv_file import ANOTHER_ENCODING, find_separator
from tests.tiers import examples
from training.settings import Data, Feature, Model, Settings, Split, load_settings

EXAMPLES = Path(__file__).parents[2] / "examples"
FEATURES = (Feature("age", "number"), Feature("owner", "boolean"), Feature("purpose", "category"))
BASE = Settings(
    data=Data(id="id", target="bad"),
    features=FEATURES,
    row_max={},
    split=Split(test_size=0.5),
    model=Model(folds=2),
)
HEADER = "id;age;owner;purpose;bad\n"
GOOD_AND_BAD = "a;30;true;car;0\nb;40;false;tv;1\n" * 4


def table_of(folder: Path, content: str | bytes, settings: Settings = BASE, name: str = "rows.csv") -> Table:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(replace(settings, data=replace(settings.data, file=str(file))).schema)


def mistake_in(folder: Path, content: str | bytes, settings: Settings = BASE, name: str = "rows.csv") -> str:
    with pytest.raises(UserError) as caught:
        table_of(folder, content, settings, name)
    assert caught.value.exit_status == 1
    return str(caught.value).removeprefix(f"{folder}/")


def with_column(column: str, cells: Sequence[str], separator: str = ";") -> str:
    """Eight good rows and above them some whose column has the given cells; the first of them is line 2."""
    names = HEADER.strip().split(";")
    rows = [["x", "1", "yes", "car", "0"] for _ in cells]
    for row, cell in zip(rows, cells, strict=True):
        row[names.index(column)] = cell
    return (HEADER + "".join(";".join(row) + "\n" for row in rows) + GOOD_AND_BAD).replace(";", separator)


def parquet_of(folder: Path, columns: dict[str, Any], settings: Settings = BASE, rows: int = 8) -> Table:
    """The table of a Parquet file of 8 rows in which some columns are given and the others are good."""
    good: dict[str, Any] = {
        "id": [str(row) for row in range(rows)],
        "age": [30.0] * rows,
        "owner": [True] * rows,
        "purpose": ["car"] * rows,
        "bad": [row % 2 for row in range(rows)],
    }
    pq.write_table(pa.table(good | columns), folder / "rows.parquet")
    return table_of(folder, (folder / "rows.parquet").read_bytes(), settings, "rows.parquet")


# ---------------------------------------------------------------- examples


def test_a_table_has_columns_of_the_declared_types(tmp_path: Path) -> None:
    content = (
        HEADER
        + "a;30;true;car;0\nb;;;;1\nc;NA;No;none;\n"
        + 'd;1e3;1;"tv; hi-fi";0\ne; -2.5 ;YES;n/a;1\n;NaN;null;None;NA\n'
        + GOOD_AND_BAD
    )
    table = table_of(tmp_path, content)
    assert list(table.frame.columns) == ["age", "owner", "purpose"]
    assert [str(dtype) for dtype in table.frame.dtypes] == ["float64", "float64", "object"]
    np.testing.assert_array_equal(table.frame["age"][:4], [30, math.nan, 1000, -2.5])
    np.testing.assert_array_equal(table.frame["owner"][:4], [1, math.nan, 1, 1])
    assert table.frame["purpose"].tolist()[:4] == ["car", None, "tv; hi-fi", "n/a"]
    assert table.target.dtype == np.int8
    assert table.target.tolist() == [0, 1, 0, 1] + [0, 1] * 4
    assert table.ids is not None
    assert table.ids[:4] == ["a", "b", "d", "e"]
    assert table.dropped_rows == 2
    assert table.frame.index.tolist() == list(range(12))
    assert table.sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert table.source == f"{tmp_path}/rows.csv"


def test_levels_that_look_like_nothing_stay(tmp_path: Path) -> None:
    levels = ["none", "None", "n/a", "N/A", "nan", "NULL", "-", "?"]
    frame = table_of(tmp_path, with_column("purpose", levels)).frame
    assert frame["purpose"].tolist()[: len(levels)] == levels


def test_quoted_or_not_the_words_for_missing_are_missing(tmp_path: Path) -> None:
    for column in ("age", "owner", "purpose"):
        frame = table_of(tmp_path, with_column(column, [*MISSING, '""', '"NA"'])).frame
        assert frame[column][:6].isna().all()
        assert not frame[column][6:].isna().any()


def test_a_table_may_have_no_id(tmp_path: Path) -> None:
    settings = replace(BASE, data=replace(BASE.data, id=None))
    assert table_of(tmp_path, HEADER + GOOD_AND_BAD, settings).ids is None


def test_a_row_without_id_has_an_empty_one(tmp_path: Path) -> None:
    assert table_of(tmp_path, with_column("id", [""])).ids == ["", *["a", "b"] * 4]


def test_a_column_may_be_missing_in_every_row(tmp_path: Path) -> None:
    text = HEADER + "a;;;;0\nb;NA;NA;NA;1\n" * 4
    assert table_of(tmp_path, text).frame.isna().all(axis=None)
    nothing = pa.nulls(8)
    assert parquet_of(tmp_path, {"age": nothing, "owner": nothing, "purpose": nothing}).frame.isna().all(axis=None)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_endings_byte_order_mark_and_blank_lines_change_nothing(ending: str, mark: str, tmp_path: Path) -> None:
    text = (mark + HEADER + GOOD_AND_BAD + "\n\n").replace("\n", ending)
    assert len(table_of(tmp_path, text).frame) == 8


@pytest.mark.parametrize(("positive", "cells"), [("1", ["1.0", "0.0"]), ("1", ["1", "0"]), ("bad", ["bad", "good"])])
def test_a_target_may_be_written_in_many_ways(positive: str, cells: list[str], tmp_path: Path) -> None:
    text = HEADER + "".join(f"a;1;1;car;{cell}\n" for cell in cells * 4)
    settings = replace(BASE, data=replace(BASE.data, positive=(positive,)))
    assert table_of(tmp_path, text, settings).target.tolist() == [1, 0] * 4


def test_a_target_may_be_true_or_false(tmp_path: Path) -> None:
    settings = replace(BASE, data=replace(BASE.data, positive=("true",)))
    text = HEADER + "a;1;1;car;True\na;1;1;car;False\n" * 4
    assert table_of(tmp_path, text, settings).target.tolist() == [1, 0] * 4
    assert parquet_of(tmp_path, {"bad": [True, False] * 4}, settings).target.tolist() == [1, 0] * 4


@pytest.mark.parametrize(("example", "rows", "bad"), [("german_credit", 1000, 300), ("lending_club", 9857, 517)])
def test_each_example_reads_whole(example: str, rows: int, bad: int) -> None:
    settings = load_settings(EXAMPLES / example / "settings.toml", {})
    table = read_table(settings.schema)
    assert (len(table.frame), int(table.target.sum()), table.dropped_rows, table.ids) == (rows, bad, 0, None)
    assert not table.frame.isna().any(axis=None)
    if example == "german_credit":
        assert set(table.frame["telephone"]) == {"none", "yes, registered under the customers name"}


def test_the_built_in_population_is_a_table() -> None:
    table = synthetic_table(Settings().schema)
    assert table.frame.shape == (90_000, 24)
    assert [str(dtype) for dtype in table.frame.dtypes].count("float64") == 23
    assert set(np.unique(table.frame["has_paid"])) == {0.0, 1.0}
    assert table.ids is not None
    assert (len(set(table.ids)), table.dropped_rows, table.source) == (90_000, 0, "built-in population")
    assert 0.013 < table.target.mean() < 0.016
    assert table.sha256 == synthetic_table(replace(Settings(), split=Split(seed=1)).schema).sha256


# ---------------------------------------------------------------- separators


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_separators_are_found(separator: str, tmp_path: Path) -> None:
    assert len(table_of(tmp_path, (HEADER + GOOD_AND_BAD).replace(";", separator)).frame) == 8


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


# ---------------------------------------------------------------- Parquet


@pytest.mark.parametrize(
    "ages",
    [
        pa.array([1, 2, None, 4] * 2, pa.int64()),
        pa.array([1, 2, None, 4] * 2, pa.uint8()),
        pa.array([1.0, 2.0, None, 4.0] * 2, pa.float32()),
        pa.array([1.0, 2.0, math.nan, 4.0] * 2),
        pa.array([Decimal("1.00"), Decimal("2.00"), None, Decimal("4.00")] * 2, pa.decimal128(8, 2)),
        pa.array(["1", " 2.0", "", "4e0"] * 2),
        pa.array(["1", "2", None, "4"] * 2).dictionary_encode(),
        pa.array(["1", "2", "NA", "4"] * 2, pa.large_string()),
    ],
    ids=lambda column: str(column.type),
)
def test_each_number_type_of_parquet_is_read(ages: Any, tmp_path: Path) -> None:
    np.testing.assert_array_equal(parquet_of(tmp_path, {"age": ages}).frame["age"], [1, 2, math.nan, 4] * 2)


def test_a_decimal_becomes_the_nearest_float(tmp_path: Path) -> None:
    text = "0.1234567890123456789012345678"
    decimals = pa.array([Decimal(text)] * 8, pa.decimal128(38, 28))
    assert parquet_of(tmp_path, {"age": decimals}).frame["age"][0] == float(text)


def test_a_large_integer_becomes_the_nearest_float(tmp_path: Path) -> None:
    assert parquet_of(tmp_path, {"age": [2**53 + 3] * 8}).frame["age"][0] == float(2**53 + 3)


@pytest.mark.parametrize(
    "owners",
    [
        pa.array([True, False, None, True] * 2),
        pa.array([1, 0, None, 1] * 2, pa.int8()),
        pa.array([1.0, 0.0, math.nan, 1.0] * 2),
        pa.array(["yes", "NO", "", "True"] * 2),
        pa.array(["yes", "no", None, "1"] * 2).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_each_boolean_type_of_parquet_is_read(owners: Any, tmp_path: Path) -> None:
    np.testing.assert_array_equal(parquet_of(tmp_path, {"owner": owners}).frame["owner"], [1, 0, math.nan, 1] * 2)


@pytest.mark.parametrize(
    ("purposes", "expected"),
    [
        (pa.array(["car", "", None, "none"] * 2), ["car", None, None, "none"]),
        (pa.array(["car", "NA", None, "none"] * 2).dictionary_encode(), ["car", "NA", None, "none"]),
        (pa.array([1, 2, None, -3] * 2), ["1", "2", None, "-3"]),
        (pa.array([1.0, 2.5, math.nan, None] * 2), ["1", "2.5", None, None]),
        (pa.array([True, False, None, True] * 2), ["true", "false", None, "true"]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_each_category_type_of_parquet_is_read(purposes: Any, expected: list[str | None], tmp_path: Path) -> None:
    assert parquet_of(tmp_path, {"purpose": purposes}).frame["purpose"].tolist() == expected * 2


def test_parquet_is_known_by_its_content(tmp_path: Path) -> None:
    parquet_of(tmp_path, {})
    content = (tmp_path / "rows.parquet").read_bytes()
    assert len(table_of(tmp_path, content, name="rows.csv").frame) == 8


def test_columns_with_a_dot_in_their_names(tmp_path: Path) -> None:
    settings = replace(BASE, features=(*FEATURES, Feature("loan.amount", "number")))
    assert parquet_of(tmp_path, {"loan.amount": [5.0] * 8}, settings).frame["loan.amount"].tolist() == [5.0] * 8


def test_csv_and_parquet_give_the_same_table(tmp_path: Path) -> None:
    from_csv = table_of(tmp_path, with_column("purpose", ["", "none"]))
    frame = pd.read_csv(tmp_path / "rows.csv", sep=";", keep_default_na=False, na_values=[""])
    frame.to_parquet(tmp_path / "same.parquet")
    from_parquet = table_of(tmp_path, (tmp_path / "same.parquet").read_bytes(), name="same.parquet")
    pd.testing.assert_frame_equal(from_csv.frame, from_parquet.frame)
    assert from_csv.target.tolist() == from_parquet.target.tolist()
    assert from_csv.ids == from_parquet.ids


# ---------------------------------------------------------------- applicants


def applicants_of(folder: Path, content: str, *, must_have_outcomes: bool = False) -> Applicants:
    (folder / "new.csv").write_text(content)
    settings = replace(BASE, data=replace(BASE.data, file=str(folder / "new.csv")))
    return read_applicants(settings.schema, must_have_outcomes=must_have_outcomes)


def test_applicants_with_outcomes_of_which_some_are_not_known_yet(tmp_path: Path) -> None:
    found = applicants_of(tmp_path, HEADER + "a;30;true;car;0\nb;;;;\nc;40;false;tv;1\n")
    assert found.outcome is not None
    np.testing.assert_array_equal(found.outcome, [0, math.nan, 1])
    np.testing.assert_array_equal(found.frame["age"], [30, math.nan, 40])
    assert found.frame["purpose"].tolist() == ["car", None, "tv"]
    assert found.source == f"{tmp_path}/new.csv"


def test_applicants_need_no_outcomes(tmp_path: Path) -> None:
    """Neither the target nor the id has to be there, and one class alone is no fault."""
    found = applicants_of(tmp_path, "age;owner;purpose\n30;true;car\n")
    assert (found.outcome, len(found.frame)) == (None, 1)
    good = applicants_of(tmp_path, "age;owner;purpose;bad\n30;true;car;0\n").outcome
    assert good is not None
    assert good.tolist() == [0]
    with pytest.raises(UserError, match=r"no column bad \(data\.target\)"):
        applicants_of(tmp_path, "age;owner;purpose\n30;true;car\n", must_have_outcomes=True)
    with pytest.raises(UserError, match="expected two values, found: 0, 1, 2"):
        applicants_of(tmp_path, HEADER + "a;1;1;x;0\na;1;1;x;1\na;1;1;x;2\n")


# ---------------------------------------------------------------- mistakes


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


REMEDY = "; correct the file or leave the cell empty"
TRUTHS = "expected true or false, yes or no, on or off, 1 or 0"


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


def test_invalid_parquet_is_refused(tmp_path: Path) -> None:
    assert mistake_in(tmp_path, HEADER + GOOD_AND_BAD, name="rows.parquet") == (
        "rows.parquet: is not Parquet, despite its name; expected Parquet, or a CSV named .csv"
    )
    parquet_of(tmp_path, {})
    content = (tmp_path / "rows.parquet").read_bytes()
    for length in (5, len(content) // 2, len(content) - 1):
        assert mistake_in(tmp_path, content[:length], name="rows.parquet") == (
            "rows.parquet: the Parquet file is cut short: its footer is missing; copy it again"
        )
    damaged = content[:4] + bytes(len(content) - 12) + content[-8:]
    message = mistake_in(tmp_path, damaged, name="rows.parquet")
    assert message.startswith("rows.parquet: the Parquet file is damaged: ")
    assert message.endswith("; copy it again")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"age": pd.date_range("2020-01-01", periods=8, unit="ms")},
            "column age: expected numbers, got values of type timestamp[ms]; convert the column",
        ),
        (
            {"purpose": [["a"]] * 8},
            "column purpose: expected text, got values of type list<element: string>; convert the column",
        ),
        (
            {"age": ["1"] * 7 + ["x"]},
            f'column age: expected a number, with a decimal point, got "x" (row 8){REMEDY}',
        ),
        ({"owner": [0, 2] * 4}, None),
    ],
)
def test_wrong_columns_of_parquet_are_refused(columns: dict[str, Any], message: str | None, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        parquet_of(tmp_path, columns)
    places = '"2" (row 2), "2" (row 4), "2" (row 6) and 1 more'
    message = message or f"column owner: {TRUTHS}, got {places}; {OTHER_WORDS}"
    assert str(caught.value).removeprefix(f"{tmp_path}/") == f"rows.parquet: {message}"


def test_the_population_has_its_own_columns_only() -> None:
    settings = load_settings(None, {"numbers": ("time_hour",)})
    with pytest.raises(UserError) as caught:
        synthetic_table(settings.schema)
    assert str(caught.value).startswith(
        "built-in population: no column time_hour (features.time_hour); did you mean time_hours? its columns: uuid, "
    )
