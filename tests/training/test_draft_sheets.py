"""Workbooks whose first sheet is no table: the error names the other sheets and the flag that chooses one."""

import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from training import draft

COVERS: dict[str, list[list[Any]]] = {
    "is empty": [],
    "has a header and no rows": [["Loan book 2024"]],
    "got one column, Loan book": [["Loan book"], ["of the bank"], ["2024"]],
    "no column can be a feature": [["Title", "Loans"], ["Date", "2024"], ["By", "me"]],
    "no column can be the target": [["Loan book", "", ""], ["x", "y", "z"], [1, 2, 3]],
}


def workbook(folder: Path, cover: list[list[Any]], *others: str) -> Path:
    """A workbook of a cover sheet and others, each with the same loans."""
    pytest.importorskip("openpyxl")
    file = folder / "book.xlsx"
    loans = pd.DataFrame({"id": range(90), "term": [12, 24, 36] * 30, "default": [0, 0, 1] * 30})
    loans["default"] = loans["default"].sample(frac=1, random_state=1).to_numpy()
    with pd.ExcelWriter(file) as book:
        pd.DataFrame(cover).to_excel(book, sheet_name="Cover", header=False, index=False)
        for name in others:
            loans.to_excel(book, sheet_name=name, index=False)
    return file


@pytest.mark.parametrize("said", COVERS)
def test_a_cover_sheet_is_refused_with_the_names_of_the_other_sheets(said: str, tmp_path: Path, capsys: Any) -> None:
    file = workbook(tmp_path, COVERS[said], "loans", "all notes")
    assert draft.main([str(file), "--quiet"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert said in line
    assert line.endswith('; the workbook has other sheets: loans, all notes; name one with --sheet, as --sheet "loans"')
    assert draft.main([str(file), "--quiet", "--sheet", "loans"]) == 0


def test_no_other_sheet_is_named_where_there_is_none_or_one_is_chosen(tmp_path: Path, capsys: Any) -> None:
    file = workbook(tmp_path, COVERS["is empty"])
    assert draft.main([str(file), "--quiet"]) == 1
    assert "other sheets" not in capsys.readouterr().err
    file = workbook(tmp_path, COVERS["is empty"], "loans")
    assert draft.main([str(file), "--quiet", "--sheet", "Cover"]) == 1
    assert "other sheets" not in capsys.readouterr().err


def test_a_zip_that_is_no_workbook_has_no_sheets(tmp_path: Path, capsys: Any) -> None:
    with zipfile.ZipFile(tmp_path / "book.zip", "w") as packed:
        packed.writestr("book.csv", "a\n1\n2\n")
    assert draft.main([str(tmp_path / "book.zip"), "--quiet"]) == 1
    assert "other sheets" not in capsys.readouterr().err
