"""Excel workbooks: cells of their types, one sheet, and one line for what cannot be read."""

import builtins
import gzip
import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from cli.errors import UserError
from table import Table, read_table
from training.drafting.whole import Asked, drafted
from training.settings import settings_from_dict

KINDS = {"rent": "number", "town": "category", "owner": "boolean"}
HEADER = ("rent", "town", "owner", "bad")
ROWS: list[tuple[Any, ...]] = [(1200.5, "Bern", True, 0), (900, "Bonn", False, 1), (None, None, None, 0)]


def book(*rows: Sequence[Any], sheet: str = "loans", more: dict[str, list[Sequence[Any]]] | None = None) -> bytes:
    """A workbook with these rows, and other sheets after the first."""
    its = openpyxl.Workbook()
    its.active.title = sheet
    for row in rows:
        its.active.append(list(row))
    for name, others in (more or {}).items():
        added = its.create_sheet(name)
        for row in others:
            added.append(list(row))
    out = io.BytesIO()
    its.save(out)
    return out.getvalue()


def read(folder: Path, content: bytes, name: str = "t.xlsx", features: Any = KINDS, **data: Any) -> Table:
    (folder / name).write_bytes(content)
    named = {"file": str(folder / name), "id": "", "target": "bad", **data}
    return read_table(settings_from_dict({"data": named, "features": features}).schema)


def mistake(folder: Path, content: bytes, name: str = "t.xlsx", features: Any = KINDS, **data: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, content, name, features, **data)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/")


def test_cells_have_their_types(tmp_path: Path) -> None:
    table = read(tmp_path, book(HEADER, *ROWS))
    np.testing.assert_array_equal(table.frame["rent"], [1200.5, 900, np.nan])
    assert table.frame["town"].tolist() == ["Bern", "Bonn", None]
    np.testing.assert_array_equal(table.frame["owner"], [1, 0, np.nan])
    assert table.target.tolist() == [0, 1, 0]


@pytest.mark.parametrize("packed", [False, True])
def test_a_workbook_is_read_as_the_csv_of_its_sheet(tmp_path: Path, *, packed: bool) -> None:
    frame = pd.DataFrame(
        {"rent": [1.5, 2, np.nan, 1e-9], "town": ["a b", "NA", "é", "36"], "owner": ["yes", "no", "", "yes"]}
    )
    frame["bad"] = [0, 1, 1, 0]
    out = io.BytesIO()
    frame.to_excel(out, index=False)
    content = gzip.compress(out.getvalue()) if packed else out.getvalue()
    (tmp_path / "t.csv").write_text(frame.to_csv(index=False), encoding="utf-8")
    named = {"file": str(tmp_path / "t.csv"), "id": "", "target": "bad"}
    csv = read_table(settings_from_dict({"data": named, "features": KINDS}).schema)
    pd.testing.assert_frame_equal(read(tmp_path, content).frame, csv.frame)


def test_numbers_as_text_are_numbers_and_whole_numbers_are_levels_without_a_point(tmp_path: Path) -> None:
    rows = [(36, 36, True, 0), ("48.5", "36", "no", 1), (" 7 ", 36.0, "yes", 1), (1.25, "n", True, 0)]
    table = read(tmp_path, book(HEADER, *rows))
    assert table.frame["rent"].tolist() == [36, 48.5, 7, 1.25]
    assert table.frame["town"].tolist() == ["36", "36", "36", "n"]
    assert table.frame["owner"].tolist() == [1, 0, 1, 1]


def test_numbers_as_text_with_a_comma_stand_beside_numbers(tmp_path: Path) -> None:
    rows = [(1.5, "x", True, 0), ("2,5", "x", True, 1), ("1.000,25", "x", False, 0)]
    assert read(tmp_path, book(HEADER, *rows), decimal=",", thousands=".").frame["rent"].tolist() == [1.5, 2.5, 1000.25]


def test_dates_of_cells_order_the_rows_and_are_no_numbers(tmp_path: Path) -> None:
    days = [datetime(2016, 9, 3), date(2016, 10, 1), datetime(2015, 1, 1, 12, 30)]
    content = book((*HEADER, "day"), *((1, "x", True, at % 2, day) for at, day in enumerate(days)))
    split = {"method": "time", "time": "day"}
    (tmp_path / "t.xlsx").write_bytes(content)
    named = {"file": str(tmp_path / "t.xlsx"), "id": "", "target": "bad"}
    table = read_table(settings_from_dict({"data": named, "features": KINDS, "split": split}).schema)
    assert table.time is not None
    assert np.argsort(table.time.values).tolist() == [2, 0, 1]
    assert mistake(tmp_path, content, features={"day": "number"}).startswith(
        "t.xlsx: column day: expected numbers, got values of type timestamp"
    )


def test_the_first_visible_sheet_is_read_and_said_or_the_one_that_is_named(tmp_path: Path) -> None:
    its = openpyxl.load_workbook(
        io.BytesIO(book(("notes",), more={"new": [HEADER, *ROWS], "old": [HEADER, *ROWS[:2]]}))
    )
    its["loans"].sheet_state = "hidden"
    out = io.BytesIO()
    its.save(out)
    table = read(tmp_path, out.getvalue())
    assert len(table.target) == 3
    assert table.remarks[0] == 'sheet "new" is read, not "loans", "old"; data.sheet names another'
    chosen = read(tmp_path, out.getvalue(), sheet="old")
    assert (len(chosen.target), chosen.remarks) == (2, ())
    assert mistake(tmp_path, out.getvalue(), sheet="nwe") == (
        't.xlsx: no sheet "nwe" (data.sheet); did you mean "new"? its sheets: "loans", "new", "old"'
    )


def test_rows_and_columns_without_a_cell_are_left_out_and_places_are_the_sheet_s(tmp_path: Path) -> None:
    rows = [(), HEADER, ROWS[0], (None, "", None, None), ROWS[1], ("much", "x", True, 1), (None,) * 9]
    assert mistake(tmp_path, book(*rows)) == (
        't.xlsx: column rent: expected a number, with a decimal point, got "much" (row 6); '
        "correct the file or leave the cell empty"
    )


def test_a_first_column_without_a_name_is_left_out_with_a_remark(tmp_path: Path) -> None:
    rows = [(None, *HEADER), *((number, *row) for number, row in enumerate(ROWS))]
    table = read(tmp_path, book(*rows))
    assert table.remarks == ('the first column has no name and is left out; data.id = "(unnamed)" takes it as the id',)


def test_errors_of_formulas_are_missing_and_counted(tmp_path: Path) -> None:
    table = read(tmp_path, book(HEADER, *ROWS[:2], ("#DIV/0!", "#N/A", True, 0), ("#N/A", "x", True, 1)))
    np.testing.assert_array_equal(table.frame["rent"], [1200.5, 900, np.nan, np.nan])
    assert table.frame["town"].tolist() == ["Bern", "Bonn", None, "x"]
    assert table.remarks == (
        "column rent: 2 cells hold errors (#DIV/0!) and count as missing; "
        "column town: 1 cell holds an error (#N/A) and count as missing",
    )


def test_a_formula_without_a_value_is_refused(tmp_path: Path) -> None:
    assert mistake(tmp_path, book(HEADER, *ROWS, ("=1+1", "x", True, 1))) == (
        't.xlsx: row 5 holds a formula without a value, "=1+1"; open the workbook in Excel and save it'
    )


def test_a_formula_is_the_value_that_was_saved(tmp_path: Path) -> None:
    plain = book(HEADER, *ROWS, (77, 78, True, 1))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            xml = old.read(name).replace(b"<v>77</v>", b"<f>70+7</f><v>77</v>")
            xml = xml.replace(b't="n"><v>78</v>', b't="str"><f>IF(A1="","","?")</f><v></v>')
            new.writestr(name, xml)
    table = read(tmp_path, out.getvalue())
    assert table.frame["rent"].tolist()[3] == 77
    assert table.frame["town"].tolist() == ["Bern", "Bonn", None, None]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (book(("title",), HEADER, *ROWS), "row 2 looks like the header; set data.header = 2"),
        (book((*HEADER[:-1], None), *ROWS), "cell D1 has no name above its values; name each column in row 1"),
        (book(HEADER), 'sheet "loans" has a header and no rows; expected rows'),
        (book(), 'sheet "loans" is empty; expected a header and rows'),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is a workbook of Excel before 2007, or has a password; "),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    assert mistake(tmp_path, content).startswith(f"t.xlsx: {said}")


def test_a_title_stands_above_the_row_that_is_named(tmp_path: Path) -> None:
    titled = book(("Loans", "as of 2021"), (None,), HEADER, *ROWS)
    pd.testing.assert_frame_equal(read(tmp_path, titled, header=3).frame, read(tmp_path, book(HEADER, *ROWS)).frame)
    for row in (2, 40):
        with pytest.raises(UserError, match=rf"t\.xlsx: row {row} \(data\.header\) is empty; expected the names"):
            read(tmp_path, titled, header=row)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (("[Content_Types].xml", "xl/workbook.bin"), "is a binary workbook (xlsb); save it as xlsx"),
        (("mimetype", "content.xml"), "is an OpenDocument; save it as xlsx"),
        (("[Content_Types].xml", "word/document.xml"), "is a document of Office, not a workbook; "),
        (("[Content_Types].xml", "xl/workbook.xml"), "the workbook cannot be read ("),
    ],
)
def test_other_documents_are_named(tmp_path: Path, members: Sequence[str], said: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in members:
            archive.writestr(name, "<x/>")
    assert mistake(tmp_path, out.getvalue()).startswith(f"t.xlsx: {said}")


def test_a_workbook_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("table.packed.LARGE", 1000)
    monkeypatch.setattr("table.packed.MOST_TIMES", 1)
    assert "compressed bytes expand to" in mistake(tmp_path, book(HEADER, *ROWS))


def test_without_openpyxl_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name == "openpyxl":
            raise ModuleNotFoundError("No module named 'openpyxl'", name="openpyxl")
        return really(name, *args)

    content = book(HEADER, *ROWS)
    monkeypatch.setattr(builtins, "__import__", without)
    assert mistake(tmp_path, content) == (
        "t.xlsx: an Excel workbook needs openpyxl, which is not installed; "
        "pip install 'lastbit[excel]' (openpyxl), or save the sheet as CSV UTF-8"
    )


def test_a_draft_of_a_workbook_names_its_sheet_and_the_others(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [(float(rng.normal()), "x" if rng.random() < 0.5 else "y", True, int(rng.random() < 0.3)) for _ in range(60)]
    path = tmp_path / "t.xlsx"
    path.write_bytes(book(("notes",), ("none",), more={"new": [("rent", "town", "owner", "default"), *rows]}))
    text = drafted(Asked(str(path), tmp_path, sheet="new"), path, lambda _: None)
    assert 'sheet = "new"  # or loans?' in text
    assert 'target = "default"' in text
    assert 'rent = { type = "number"' in text
