"""A CSV whose header names fewer columns than its rows have is scored as training reads it."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv as pa_csv
import pytest

from scoring.csv_rows import CsvRows
from scoring.reading import Reading
from table.csv_file import CsvFile
from table.header import UNNAMED, completed_names
from table.settings import Data, Feature
from tests.scoring.conftest import Score, book_of, rows

pytestmark = pytest.mark.tier("land")

Spelt = Callable[[list[str]], list[str]]


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    """The header and 2,500 rows, of which three are broken; their numbers are 3, 1,201 and 2,000."""
    pa_csv.write_csv(book_of(2_500), tmp_path / "plain.csv")
    found = (tmp_path / "plain.csv").read_text().splitlines()
    found[3], found[1_201], found[2_000] = "a,1", "b,2", "c,3"
    (tmp_path / "plain.csv").write_text("\n".join(found) + "\n")
    return found


def with_one_more_separator(lines: list[str]) -> list[str]:
    return [lines[0], *(f"{line}," for line in lines[1:])]


def with_row_names(lines: list[str]) -> list[str]:
    return [lines[0], *(f'"{row}",{line}' for row, line in enumerate(lines[1:], 1))]


def with_an_empty_name(lines: list[str]) -> list[str]:
    return [f'"",{lines[0]}', *with_row_names(lines)[1:]]


def with_no_name(lines: list[str]) -> list[str]:
    return [f",{lines[0]}", *with_row_names(lines)[1:]]


def rejects(folder: Path) -> list[int]:
    found: list[int] = pa_csv.read_csv(folder / "rejects.csv")["row"].to_pylist()
    return found


WAYS = pytest.mark.parametrize(
    "spelt", [with_one_more_separator, with_row_names, with_an_empty_name, with_no_name], ids=lambda its: its.__name__
)


@WAYS
@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "utf-16", "gzip", "crlf", "sep", "title"])
def test_the_header_changes_no_answer_and_no_number_of_a_row(
    spelt: Spelt, form: str, lines: list[str], score: Score, tmp_path: Path
) -> None:
    end = "\r\n" if form == "crlf" else "\n"
    above = {"sep": "sep=,\n", "title": "\n\nLoans\n\n"}.get(form, "\n")
    content = above + end.join([*spelt(lines), ""])
    name = "own.csv.gz" if form == "gzip" else "own.csv"
    encoding = form if form.startswith("utf") else "utf-8"
    written = gzip.compress(content.encode()) if form == "gzip" else content.encode(encoding)
    (tmp_path / name).write_bytes(written)
    assert score(tmp_path / "plain.csv", "plain") == 0
    assert score(tmp_path / name, "scored", *(["--header", "5"] if form == "title" else [])) == 0
    assert rows(tmp_path / "scored") == rows(tmp_path / "plain")
    assert rejects(tmp_path / "scored") == rejects(tmp_path / "plain") == [3, 1_201, 2_000]


@WAYS
def test_processes_share_the_parts_of_one_file(spelt: Spelt, lines: list[str], score: Score, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("\n".join(spelt(lines)))
    assert score(tmp_path / "plain.csv", "plain") == 0
    assert score(tmp_path / "own.csv", "scored", "--workers", "2") == 0
    assert len(list((tmp_path / "scored").glob("part-*"))) == 3
    assert rows(tmp_path / "scored") == rows(tmp_path / "plain")
    assert rejects(tmp_path / "scored") == rejects(tmp_path / "plain")


@pytest.mark.parametrize("spelt", [with_row_names, with_an_empty_name], ids=lambda its: its.__name__)
def test_names_of_rows_are_ids(spelt: Spelt, lines: list[str], score: Score, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("\n".join(spelt(lines)))
    (tmp_path / "own.toml").write_text(f'[data]\nid = "{UNNAMED}"\n')
    assert score(tmp_path / "plain.csv", "plain") == 0
    assert score(tmp_path / "own.csv", "scored", "--config", tmp_path / "own.toml") == 0
    found = rows(tmp_path / "scored")
    assert [row.pop("uuid") for row in found] == [str(row) for row in range(1, 2_501) if row not in (3, 1_201, 2_000)]
    assert found == [{name: row[name] for name in row if name != "uuid"} for row in rows(tmp_path / "plain")]


def test_a_column_that_is_empty_in_one_part_is_not_taken_for_the_end_of_lines(tmp_path: Path) -> None:
    """A piece of a file is read with the names of the whole file, whatever its own first rows look like."""
    reading = Reading("id", (), (Feature("text", "category"),), ("text",))
    path = tmp_path / "a.csv"
    path.write_text("id,text\n" + "".join(f"{row},a{row},{'b' if row <= 100 else ''}\n" for row in range(1, 201)))
    cuts = CsvRows("a.csv", path, reading).cut(100)
    assert cuts is not None
    assert cuts.names == (UNNAMED, "id", "text")
    content = path.read_bytes()
    (tmp_path / "piece.csv").write_bytes(content[: cuts.header] + content[cuts.starts[1] :])
    piece = CsvRows("a.csv", tmp_path / "piece.csv", reading, cuts.beside_header(1))
    [(first, batch)] = piece.batches(1, 2)
    assert first == 101
    assert batch.column("id").to_pylist() == [f"a{row}" for row in range(101, 201)]


def test_a_note_says_nothing_about_the_header(score: Score, tmp_path: Path) -> None:
    pa_csv.write_csv(book_of(20), tmp_path / "plain.csv")
    first, *others = (tmp_path / "plain.csv").read_text().splitlines()
    (tmp_path / "own.csv").write_text("\n".join([first, *(f"{line}," for line in others), "Total;", ""]))
    assert score(tmp_path / "plain.csv", "plain") == 0
    assert score(tmp_path / "own.csv", "scored", "--max-rejects", "0.1") == 0
    assert rows(tmp_path / "scored") == rows(tmp_path / "plain")
    assert rejects(tmp_path / "scored") == [21]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,2,\n3,4,\n", ["a", "b", ""]),
        ("a,b\n1,2,3\n3,4,\n", [UNNAMED, "a", "b"]),
        ("a,b\n1,2,\n3,4\n", ["a", "b"]),
        ("a,b\n1,2,\n3\n", ["a", "b", ""]),
        ('"a,\nb",c\n1,2,\n3,4,\n', ["a,\nb", "c", ""]),
        (f"{UNNAMED},b\n1,2,\n", [UNNAMED, "b"]),
        (",b,\n1,2,\n", [UNNAMED, "b", ""]),
        ('\n\n"",b\n\n1,2\n', [UNNAMED, "b"]),
    ],
)
def test_columns_are_those_of_training(content: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(content)
    data = Data(separator=",")
    found = CsvRows("a.csv", tmp_path / "a.csv", Reading(None, (), (), (), data))
    assert found.schema.names == expected
    if "\nb" not in content:  # training takes no names with a line break
        assert CsvFile("a.csv", content.encode(), ",", ()).columns == expected


def test_a_header_alone_has_its_names() -> None:
    assert completed_names(["", "a"], []) == [UNNAMED, "a"]
    assert completed_names(["a", "b"], []) == ["a", "b"]
    assert completed_names([], []) == []


def test_a_header_in_another_encoding_is_one_line(
    score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "book.csv").write_bytes(b"uuid,Geb\xfchr\na,1,\n")
    assert score(tmp_path / "book.csv") == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "book.csv: line 1 is not UTF-8 text; save the file as UTF-8, or set data.encoding" in line
