"""A CSV with lines above its header, a title or the separator for Excel, is scored like one without them."""

import gzip
from pathlib import Path

import pyarrow.csv as pa_csv
import pytest

from tests.scoring.conftest import Score, book_of, rows

pytestmark = pytest.mark.tier("land")


@pytest.fixture
def text(tmp_path: Path) -> str:
    """A book of 1,500 rows with two broken ones: numbers 3 and 1,201."""
    pa_csv.write_csv(book_of(1_500), tmp_path / "plain.csv")
    lines = (tmp_path / "plain.csv").read_text().replace(",", "|").splitlines()
    lines[3], lines[1_201] = "a|1", "b|2"
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("line", ["sep=|\n", "SEP=|\r\n", '"sep=|"\n'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gzip"])
def test_the_line_changes_no_answer_and_no_number_of_a_row(
    line: str, encoding: str, text: str, score: Score, tmp_path: Path
) -> None:
    (tmp_path / "plain.csv").write_text(text)
    name, content = "said.csv", line + text
    if encoding == "gzip":
        name, written = "said.csv.gz", gzip.compress(content.encode())
    else:
        written = content.encode(encoding)
    (tmp_path / name).write_bytes(written)
    assert score(tmp_path / "plain.csv", "plain") == 0
    assert score(tmp_path / name) == 0
    assert rows(tmp_path / "scored") == rows(tmp_path / "plain")
    refused = {out: pa_csv.read_csv(tmp_path / out / "rejects.csv").drop("file") for out in ("plain", "scored")}
    assert refused["scored"] == refused["plain"]
    assert refused["plain"]["row"].to_pylist() == [3, 1_201]


def test_the_setting_goes_before_the_line(text: str, score: Score, tmp_path: Path) -> None:
    (tmp_path / "said.csv").write_text("sep=;\n" + text)
    assert score(tmp_path / "said.csv", "scored", "--separator", "|") == 0
    assert len(rows(tmp_path / "scored")) == 1_498


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gzip"])
def test_a_title_changes_no_answer_and_no_number_of_a_row(
    encoding: str, text: str, score: Score, tmp_path: Path
) -> None:
    (tmp_path / "plain.csv").write_text(text)
    content = 'Loans of the "bank", 5" |\r\n\nas of 2021\n' + text
    written = gzip.compress(content.encode()) if encoding == "gzip" else content.encode(encoding)
    name = f"titled.csv{'.gz' if encoding == 'gzip' else ''}"
    (tmp_path / name).write_bytes(written)
    assert score(tmp_path / "plain.csv", "plain") == 0
    assert score(tmp_path / name, "scored", "--header", "4") == 0
    assert rows(tmp_path / "scored") == rows(tmp_path / "plain")
    refused = {out: pa_csv.read_csv(tmp_path / out / "rejects.csv").drop("file") for out in ("plain", "scored")}
    assert refused["scored"] == refused["plain"]


def test_the_line_for_excel_may_stand_above_a_title(text: str, score: Score, tmp_path: Path) -> None:
    (tmp_path / "titled.csv").write_text("sep=|\nLoans; of; the bank\n" + text)
    (tmp_path / "own.toml").write_text("[data]\nheader = 3\n")
    assert score(tmp_path / "titled.csv", "scored", "--config", tmp_path / "own.toml") == 0
    assert len(rows(tmp_path / "scored")) == 1_498


def test_a_header_that_is_not_there_is_one_line(
    text: str, score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "book.csv").write_text("Loans\n\n" + text)
    assert score(tmp_path / "book.csv", "scored", "--header", "2") == 1
    assert "book.csv: line 2 (data.header) is empty; expected the names of the columns" in capsys.readouterr().err
    assert score(tmp_path / "book.csv", "scored", "--header", "0") == 2
    assert capsys.readouterr().err.startswith("error: command line: data.header: expected ")
