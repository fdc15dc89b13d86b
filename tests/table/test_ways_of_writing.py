"""Numbers as people write them, columns set apart by blanks, encodings, and files that are packed."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.errors import UserError
from table import Table, packed, read_table
from table.amounts import Amount, Marks, marks_that_fit
from table.blanks import with_tabs
from table.header import UNNAMED
from training.settings import settings_from_dict

FEATURES = {"rent": "number", "town": "category"}


def read(folder: Path, content: "str | bytes", name: str = "t.csv", **data: Any) -> Table:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    named = {"file": str(folder / name), "id": "", "target": "bad", **data}
    return read_table(settings_from_dict({"data": named, "features": FEATURES}).schema)


def mistake(folder: Path, content: "str | bytes", name: str = "t.csv", **data: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, content, name, **data)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/")


def with_rents(*rents: str, separator: str = ";") -> str:
    lines = ["rent;town;bad", *(f"{rent};x;{row % 2}" for row, rent in enumerate(rents))]
    return "\n".join(lines).replace(";", separator) + "\n"


def rents(table: Table) -> list[float]:
    found: list[float] = table.frame["rent"].tolist()
    return found


# ---------------------------------------------------------------- marks and signs


@pytest.mark.parametrize(
    ("cells", "marks", "expected"),
    [
        (["7,25", "-0,5", "1e3", "3"], {"decimal": ","}, [7.25, -0.5, 1000, 3]),
        (["12.345,6", "1.000.000", "7"], {"decimal": ",", "thousands": "."}, [12345.6, 1_000_000, 7]),
        (["12,345.6", "12,34,567", "7.5"], {"thousands": ","}, [12345.6, 1_234_567, 7.5]),
        (["12'345.6", "1\u2019000", "7"], {"thousands": "'"}, [12345.6, 1000, 7]),
        (["12 345,6", "1\u202f000", "7\u00a0000"], {"decimal": ",", "thousands": " "}, [12345.6, 1000, 7000]),
        (["\u20ac7", "-\u20ac8.5", "9 \u20ac", "10"], {}, [7, -8.5, 9, 10]),
        (["$1,250.00", "-$3"], {"thousands": ","}, [1250, -3]),
        (["2.5%", "40 %", "-1%"], {}, [2.5, 40, -1]),
        (["2,5 %", ""], {"decimal": ","}, [2.5, np.nan]),
        (["(1,234.50)", "$ (7)", "($8)", "9"], {"thousands": ","}, [-1234.5, -7, -8, 9]),
        (["1234-", "1.250,5- EUR", "7\u2212"], {"decimal": ",", "thousands": "."}, [-1234, -1250.5, -7]),
        (["R$ 1.234,56", "-R$\u00a07", "R$ -8"], {"decimal": ",", "thousands": "."}, [1234.56, -7, -8]),
        (["Rs. 12,34,567", "Rs.-5"], {"thousands": ","}, [1_234_567, -5]),
        (["1 250,5 kr", "7 kr"], {"decimal": ",", "thousands": " "}, [1250.5, 7]),
        (["\u0661\u0662\u066c\u0663\u0664\u0665\u066b\u0665", "\uff17"], {"thousands": ","}, [12345.5, 7]),
    ],
)
def test_numbers_as_people_write_them(
    cells: list[str], marks: dict[str, str], expected: list[float], tmp_path: Path
) -> None:
    np.testing.assert_array_equal(rents(read(tmp_path, with_rents(*cells), **marks)), expected)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["7,25", "1"], 'with a decimal point, got "7,25" (line 2); set data.decimal = ","'),
        (["2.345,5", "1"], 'got "2.345,5" (line 2); set data.decimal = "," and data.thousands = "."'),
        (["2,345.5", "1"], 'got "2,345.5" (line 2); set data.thousands = ","'),
        (["2,345", "1"], 'got "2,345" (line 2); set data.decimal = "," or data.thousands = ","'),
        (["2,345", "x"], 'got "2,345" (line 2), "x" (line 3); correct the file or leave the cell empty'),
        (["2%", "0.5"], 'expected every number with %, got "0.5" (line 3); use one format in the whole column'),
        (
            ["$2", "\u20ac3", "4"],
            'expected every number with $, got "\u20ac3" (line 3); use one format in the whole column',
        ),
    ],
)
def test_invalid_numbers_are_refused_with_the_marks_that_would_do(
    cells: list[str], message: str, tmp_path: Path
) -> None:
    assert message in mistake(tmp_path, with_rents(*cells))


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("1.23", Marks(",", ".")),
        ("12.34.567,8", Marks(",")),
        ("1,2345", Marks(".", ",")),
        ("1.2", Marks(",")),
        ("nan", Marks()),
        ("1_000", Marks()),
        ("", Marks()),
        ("%", Marks()),
        ("%5", Marks()),
        ("--5", Marks()),
        ("-(5)", Marks()),
        ("(-5)", Marks()),
        ("5-5", Marks()),
        ("(5", Marks()),
        ("()", Marks()),
        ("R$", Marks()),
        ("5 CR", Marks()),
        ("\u00bd", Marks()),
        ("\u0661\u066c\u0660\u0660\u0660", Marks()),
    ],
)
def test_a_text_that_only_resembles_a_number_is_not_read(text: str, marks: Marks) -> None:
    assert marks.amount(text) is None


@given(
    st.decimals(-(10**12), 10**12, places=2, allow_nan=False),
    st.sampled_from([Marks(".", ","), Marks(",", "."), Marks(",", " "), Marks(".", "'"), Marks(".", "_")]),
)
def test_a_number_is_the_one_that_python_grouped(number: Any, marks: Marks) -> None:
    written = f"{number:,.2f}".replace(",", "T").replace(".", marks.decimal).replace("T", str(marks.thousands))
    assert marks.amount(written) == Amount(float(number))
    assert marks.amount(f"{written} %") == Amount(float(number), "%")
    assert marks.amount(f"{written} EUR") == Amount(float(number), "EUR")
    assert marks.amount(f"{written} MON") is None


def test_marks_that_fit_are_those_with_the_fewest_settings() -> None:
    assert marks_that_fit(["1,5"]) == [Marks(",")]
    assert marks_that_fit(["1 234,5"]) == [Marks(",", " ")]
    assert marks_that_fit(["x"]) == []


def test_a_sign_that_is_dropped_is_remarked_on(tmp_path: Path) -> None:
    assert read(tmp_path, with_rents("13.5%", "2%")).remarks == ('column rent: "13.5%" is read as 13.5',)
    assert read(tmp_path, with_rents("13.5", "2")).remarks == ()


def test_a_minus_as_ledgers_write_it_is_remarked_on(tmp_path: Path) -> None:
    assert read(tmp_path, with_rents("7", "(13.5)", "(2)")).remarks == ('column rent: "(13.5)" is read as -13.5',)
    assert read(tmp_path, with_rents("7", "$3-")).remarks == ('column rent: "$3-" is read as -3',)
    assert read(tmp_path, with_rents("7", "-2")).remarks == ()


def test_a_point_that_may_mark_thousands_is_remarked_on(tmp_path: Path) -> None:
    assert read(tmp_path, with_rents("4.500", "12.250", "3")).remarks == (
        'column rent: "4.500" is read as 4.5; where points mark thousands set data.decimal = "," '
        'and data.thousands = "."',
    )
    assert rents(read(tmp_path, with_rents("4.500", "3"), decimal=",", thousands=".")) == [4500, 3]
    for separator in ",\t|":
        assert '"4.500" is read as 4.5' in str(read(tmp_path, with_rents("4.500", "3", separator=separator)).remarks)
    rates = ["4.125", "5.250"]  # all with three digits, as some files write rates
    for cells, separator in (
        (rates, ","),
        (["4.500", "0.25"], ";"),
        (["4.500", "3.5"], ","),
        (["4.5", "3"], ";"),
        (["4", "3"], ";"),
    ):
        assert read(tmp_path, with_rents(*cells, separator=separator)).remarks == ()


def test_one_mark_is_not_both(tmp_path: Path) -> None:
    assert mistake(tmp_path, with_rents("1", "2"), thousands=".") == (
        'command line: data.thousands: "." is data.decimal too; set data.decimal to ","'
    )


# ---------------------------------------------------------------- blanks and headers

PRINTED = """\
   rent  town     bad
    10   oslo       0
  2.50   "new york" 1
    30   rome       0
"""


def test_columns_set_apart_by_blanks_are_found_out(tmp_path: Path) -> None:
    table = read(tmp_path, PRINTED)
    assert rents(table) == [10, 2.5, 30]
    assert table.frame["town"].tolist() == ["oslo", "new york", "rome"]
    assert rents(read(tmp_path, PRINTED.replace('"new york"', "lima"), separator=" ")) == [10, 2.5, 30]
    wrong = mistake(tmp_path, PRINTED.replace("2.50", "old"))
    assert 'got "old" (line 3)' in wrong


def test_blanks_inside_a_separated_file_separate_nothing(tmp_path: Path) -> None:
    table = read(tmp_path, "rent;town;bad\n1;new york;0\n2;los angeles;1\n")
    assert table.frame["town"].tolist() == ["new york", "los angeles"]
    assert 'separated by ";"' in mistake(tmp_path, "rents;town a;bad b\n1;new york;0\n2;los angeles;1\n")


@given(st.lists(st.lists(st.from_regex(r"[a-z0-9.]{1,4}", fullmatch=True), min_size=2, max_size=4), min_size=1))
def test_blanks_become_one_tab_each(rows: list[list[str]]) -> None:
    text = "\n".join("  ".join(row).join(["  ", " "]) for row in rows)
    assert with_tabs(text.encode()).decode().splitlines() == ["\t".join(row) for row in rows]


@pytest.mark.parametrize(
    "content",
    [
        ",rent,town,bad\n0,5,x,0\n1,6,y,1\n",  # pandas
        '"","rent","town","bad"\n"a",5,"x",0\n"b",6,"y",1\n',  # R's write.csv
        '"rent","town","bad"\n"a",5,"x",0\n"b",6,"y",1\n',  # R's write.table
        "\ufeff\n;rent;town;bad\n0;5;x;0\n1;6;y;1\n",
        "rent town bad\na 5 x 0\nb 6 y 1\n",
    ],
)
def test_a_first_column_without_a_name_is_left_out_or_the_id(content: str, tmp_path: Path) -> None:
    table = read(tmp_path, content)
    assert rents(table) == [5, 6]
    assert table.remarks == (
        'the first column has no name and is left out; data.id = "(unnamed)" takes it as the id',
    )  # fmt: skip
    named = read(tmp_path, content, id=UNNAMED)
    assert named.ids in (["0", "1"], ["a", "b"])
    assert named.remarks == ()


def test_a_separator_at_the_end_of_each_row_is_no_column(tmp_path: Path) -> None:
    for content in ("rent;town;bad\n5;x;0;\n6;y;1;\n", "rent;town;bad;\n5;x;0;\n6;y;1;\n"):
        table = read(tmp_path, content)
        assert (rents(table), table.remarks) == ([5, 6], ())


def test_names_with_blanks_around_them_are_quoted_in_suggestions(tmp_path: Path) -> None:
    assert mistake(tmp_path, 'rent;"town ";bad\n5;x;0\n6;y;1\n') == (
        't.csv: no column town (features.town); did you mean "town "? its columns, separated by ";": rent, "town ", bad'
    )


# ---------------------------------------------------------------- encodings and packing

TEXT = "rent;town;bad\n5;Z\u00fcrich;0\n6;K\u00f8ge;1\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(encoding: str, tmp_path: Path) -> None:
    assert read(tmp_path, TEXT.encode(encoding)).frame["town"].tolist() == ["Z\u00fcrich", "K\u00f8ge"]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16-le", "utf-16-be", "mac-roman"])
def test_an_encoding_that_is_set(encoding: str, tmp_path: Path) -> None:
    assert read(tmp_path, TEXT.encode(encoding), encoding=encoding).frame["town"].tolist() == [
        "Z\u00fcrich",
        "K\u00f8ge",
    ]


def test_an_unknown_or_wrong_encoding_is_one_line(tmp_path: Path) -> None:
    assert mistake(tmp_path, TEXT, encoding="cp9999").startswith(
        'command line: data.encoding: no encoding is called "cp9999"; for example'
    )
    assert mistake(tmp_path, TEXT.encode("cp1252"), encoding="utf-8") == (
        "t.csv: line 2 is not utf-8 text; correct data.encoding"
    )
    assert mistake(tmp_path, TEXT, encoding="base64").startswith("command line: data.encoding: no encoding is called")


def deflated(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return out.getvalue()


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), content)
    return out.getvalue()


def as_parquet() -> bytes:
    return bytes(pd.DataFrame({"rent": [5.0, 6], "town": ["x", "y"], "bad": [0, 1]}).to_parquet())


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda content: zipped(a_csv=content)])
@pytest.mark.parametrize(
    "content", [TEXT.encode(), TEXT.encode("utf-16"), as_parquet()], ids=["csv", "utf16", "parquet"]
)
def test_packed_files_are_read(pack: Callable[[bytes], bytes], content: bytes, tmp_path: Path) -> None:
    assert rents(read(tmp_path, pack(content), "t.csv.packed")) == [5, 6]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda content: deflated(content)])
def test_what_expands_without_end_is_not_unpacked(
    pack: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "LARGE", 2**16)
    content = TEXT.encode() + b"\n" * 2**21
    assert "compressed bytes expand to more than" in mistake(tmp_path, pack(content))
    monkeypatch.setattr(packed, "LARGE", 2**22)
    assert rents(read(tmp_path, pack(content), "t.csv.packed")) == [5, 6]


def test_a_zip_that_tells_another_size_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "LARGE", 2**16)
    content = bytearray(deflated(b"x" * 2**21))
    place = content.rindex(b"PK\x01\x02") + 24  # the size in the directory
    content[place : place + 4] = (100).to_bytes(4, "little")
    assert mistake(tmp_path, bytes(content)).startswith("t.csv: the zip cannot be extracted: ")


def test_packed_files_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    assert mistake(tmp_path, gzip.compress(TEXT.encode())[:-9]).startswith("t.csv: the compressed file is damaged: ")
    assert mistake(tmp_path, zipped(a_csv=b"1", b_csv=b"2")) == (
        "t.csv: the zip holds 2 files (a.csv, b.csv), expected one file; extract it and name the file"
    )
    assert mistake(tmp_path, zipped()[:4] + b"PK\x03\x04").startswith("t.csv: ")
    assert mistake(tmp_path, b"PK\x03\x04" + bytes(40)).startswith("t.csv: the zip cannot be extracted: ")
    assert (
        mistake(tmp_path, b"\x28\xb5\x2f\xfd" + bytes(9)) == "t.csv: is compressed with zstandard; "
        "decompress it with zstd -d"
    )
