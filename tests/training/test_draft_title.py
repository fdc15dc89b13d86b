"""A title above the header: the draft names the header's line, and the table is that of the file without a title."""

from pathlib import Path

import pandas as pd
import pytest

from cli.errors import UserError
from table import read_table
from table.header import without_title
from tests.training.drafts import read_by_its_draft
from training.settings import load_settings

X = [row * 7 % 31 for row in range(90)]
TABLE = pd.DataFrame({"x": X, "y": X, "z": X, "town": ["Bern", "Bonn", "Biel"] * 30, "bad": [0, 1] * 45})
TITLES = {
    "one line": ["Loans of a bank"],
    "several": ["Loans of a bank", "as of 31.12.2018", ""],
    "padded": ["Loans of a bank;;", "as of 31.12.2018;;", ";;"],
    "with commas": ["Loans, as of 2018", ""],
    "with a tab": ["Loans\tof a bank"],
    "below an empty line": ["", "Loans of a bank", ""],
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("kind", TITLES)
def test_a_table_below_a_title(kind: str, separator: str, end: str, tmp_path: Path) -> None:
    title = [line.replace(";", separator) for line in TITLES[kind]]
    lines = [*title, *TABLE.to_csv(sep=separator, index=False).splitlines()]
    (tmp_path / "titled.csv").write_bytes(("\ufeff" + end.join(lines) + end).encode())
    text, its, table = read_by_its_draft(tmp_path / "titled.csv")
    assert its["data"]["header"] == len(title) + 1
    assert f"header = {len(title) + 1}  # is a title above it?" in text
    assert table.frame["x"].tolist() == X
    assert table.target.tolist() == TABLE["bad"].tolist()


def test_lines_keep_their_numbers_and_another_header_is_refused(tmp_path: Path) -> None:
    lines = ["Loans of a bank", "", *TABLE.to_csv(sep=";", index=False).splitlines()]
    (tmp_path / "titled.csv").write_text("\n".join(lines))
    read_by_its_draft(tmp_path / "titled.csv")
    broken = ["seven;7;7;Bonn;1" if at == 4 else line for at, line in enumerate(lines)]
    (tmp_path / "titled.csv").write_text("\n".join(broken))
    schema = load_settings(tmp_path / "own.toml", {}).schema
    with pytest.raises(UserError, match=r'column x: expected a number, .* got "seven" \(line 5\)'):
        read_table(schema)
    own = tmp_path / "own.toml"
    own.write_text(own.read_text().replace("header = 3", "header = 2"))
    with pytest.raises(UserError, match=r"titled\.csv: line 2 \(data\.header\) is empty; expected the names"):
        read_table(load_settings(own, {}).schema)


def test_lines_above_a_header_become_empty() -> None:
    content = b'a\r\n"b\rc\nid;x\n1;2\n'
    assert without_title("t.csv", content, 1) == content
    assert without_title("t.csv", content, 4) == b"\r\n\r\nid;x\n1;2\n"
    for beyond in (6, 7):
        with pytest.raises(UserError, match=rf"t\.csv: line {beyond} \(data\.header\) is empty"):
            without_title("t.csv", content, beyond)
