"""Encodings and separators that a user gives a draft, and a broken line of UTF-8, which does not change the file."""

from pathlib import Path

import pandas as pd
import pytest

from table import read_table
from training import draft
from training.settings import load_settings

HEADERS = {"shift_jis": "年収", "gbk": "城市收入", "cp1251": "доход", "cp1250": "příjem", "koi8-r": "доход"}


def table(name: str) -> pd.DataFrame:
    incomes = [row * 7 % 31 for row in range(90)]
    return pd.DataFrame({name: incomes, "job": [name, "other", "third"] * 30, "bad": [0, 1] * 45})


def run(folder: Path, *words: str) -> int:
    return draft.main([str(folder / "book.csv"), "--out", str(folder / "own.toml"), "--quiet", *words])


@pytest.mark.parametrize("encoding", HEADERS)
def test_an_encoding_that_is_told_is_that_of_names_and_levels(encoding: str, tmp_path: Path) -> None:
    name = HEADERS[encoding]
    (tmp_path / "book.csv").write_bytes(table(name).to_csv(index=False).encode(encoding))
    assert run(tmp_path, "--encoding", encoding) == 0
    text = (tmp_path / "own.toml").read_text("utf-8")
    assert f'encoding = "{encoding}"\n' in text
    read = read_table(load_settings(tmp_path / "own.toml", {}).schema)
    assert set(read.frame) == {name, "job"}
    assert set(read.frame["job"]) == {name, "other", "third"}
    assert run(tmp_path) == 0
    assert "? Else draft it with --encoding" in (tmp_path / "own.toml").read_text("utf-8")


def test_a_separator_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text(table("income").to_csv(index=False, sep="^"))
    assert run(tmp_path, "--separator", "^") == 0
    assert 'separator = "^"\n' in (tmp_path / "own.toml").read_text()
    assert len(read_table(load_settings(tmp_path / "own.toml", {}).schema).target) == 90


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--encoding", "klingon"], "error: command line: data.encoding: "),
        (["--separator", "ab"], "error: command line: data.separator: expected one character, got "),
    ],
)
def test_what_is_told_is_checked(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "book.csv").write_text(table("income").to_csv(index=False))
    assert run(tmp_path, *words) == 2
    assert capsys.readouterr().err.startswith(said)


def test_a_broken_line_of_utf_8_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = table("příjem").to_csv(index=False).encode().splitlines()
    lines[40] = b"7,B\xe4cker,1"
    (tmp_path / "book.csv").write_bytes(b"\n".join(lines))
    assert run(tmp_path) == 1
    assert "book.csv: line 41 is not UTF-8 text, which the others are; correct it, or" in capsys.readouterr().err
    (tmp_path / "book.csv").write_bytes(table("größe").to_csv(index=False).encode("cp1252"))
    assert run(tmp_path) == 0
    assert 'encoding = "cp1252"' in (tmp_path / "own.toml").read_text("utf-8")
