"""Notes and totals whose lines have fewer cells than the header: left out by the draft; customers cut short are not."""

from pathlib import Path

import pandas as pd
import pytest

from cli.errors import UserError
from table import Table, read_table
from tests.training.drafts import read_by_its_draft
from tests.training.test_draft_strays import ROWS, loans, read, total
from training import draft
from training.settings import load_settings


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """The table without such rows."""
    return read(loans(), tmp_path_factory.mktemp("clean"))[1]


SHORT = {
    "note": (
        [61],
        ["Source: core banking, as of 2021"],
        "line 62 seems to be a note",
        '["Source: core banking, as of 2021"]',
    ),
    "quoted note": ([61], ['"Source; of ""core"""'], "line 62 seems to be a note", r'["Source; of \"core\""]'),
    "note of two cells": ([61], ["Printed on:;2022-01-31"], "line 62 seems to be a note", '["Printed on:"]'),
    "notes below empty lines": (
        [61],
        ["", "", "-- end of file --", "", "(c) The Bank"],
        "line 64, line 66 seem to be a note",
        '["-- end of file --", "(c) The Bank"]',
    ),
    "totals": ([61], ["Total;60"], "line 62 seems to be totals", '["Total"]'),
    "totals with a sum": ([61], [f"Summe;;{total()}"], "line 62 seems to be totals", '["Summe"]'),
    "subtotals": ([30, 60], ["Subtotal"], "line 31, line 62 seem to be totals", '["Subtotal"]'),
    "short and not": (
        [61],
        ["Total;;;;;15", "(c) The Bank"],
        "line 63 seems to be a note",
        '["Total", "(c) The Bank"]',
    ),
}  # lines before which each of the rows stands


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
@pytest.mark.parametrize("kind", SHORT)
def test_short_rows_are_named_and_left_out(kind: str, end: str, clean: Table, tmp_path: Path) -> None:
    at, rows, said, values = SHORT[kind]
    lines = loans()
    for place in reversed(at):
        lines[place:place] = rows
    (tmp_path / "book.csv").write_bytes(((end or "\n").join(lines) + end).encode())
    text, _, table = read_by_its_draft(tmp_path / "book.csv")
    assert said in text
    assert f"exclude = {{ loan_id = {values} }}" in text
    pd.testing.assert_frame_equal(table.frame, clean.frame)
    assert (table.ids, table.target.tolist()) == (clean.ids, clean.target.tolist())
    assert table.dropped_rows == len(at) * len(list(filter(None, rows)))


@pytest.mark.parametrize(
    "last",
    [
        "L00",  # in the middle of an id
        "L0060",
        "L0060;2020-0",
        "L0060;2020-05-01;2,000.00",
        "L0060;2020-05-01;2,000.00;44;staff",
        f";;{total()}",  # a sum, by which no row can be left out: customers may lack an id
    ],
)
def test_a_customer_whose_line_is_cut_short_is_refused(
    last: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "book.csv").write_text("\n".join([*loans(), last]))
    assert draft.main([str(tmp_path / "book.csv"), "--out", str(tmp_path / "own.toml"), "--quiet"]) == 1
    wrong = f"line {ROWS + 2}: expected 6 fields, as in the header, got {last.count(';') + 1}; is it cut short, or"
    assert wrong in capsys.readouterr().err
    assert not (tmp_path / "own.toml").exists()


def test_a_short_row_of_a_folder_is_found_in_its_part(tmp_path: Path) -> None:
    header, *rows = loans()
    (tmp_path / "book").mkdir()
    (tmp_path / "book/a.csv").write_text("\n".join([header, *rows[:30]]) + "\n")
    (tmp_path / "book/b.csv").write_text("\n".join([header, *rows[30:], "(c) The Bank"]) + "\n")
    text, _, table = read_by_its_draft(tmp_path / "book")
    assert "b.csv, line 32 seems to be a note" in text
    assert len(table.target) == ROWS
    (tmp_path / "book/a.csv").write_text("\n".join([header, *rows[:30], "L0070;2020-01-01"]) + "\n")
    with pytest.raises(UserError, match=r"a\.csv: line 32: expected 6 fields, as in the header, got 2"):
        read_table(load_settings(tmp_path / "own.toml", {}).schema)
