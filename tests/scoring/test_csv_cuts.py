"""A CSV that is cut has the rows, rejects and row numbers of the whole file; one that cannot be cut stays whole."""

import csv
import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.errors import UserError
from scoring import csv_cuts
from scoring.csv_cuts import Cuts, cuts_of
from scoring.csv_rows import Broken, CsvRows
from scoring.reading import Reading
from table.settings import Data, Feature

READING = Reading("id", (), (Feature("text", "category"),), ("text",), rows_at_once=5)
FIELDS = st.text(st.sampled_from('ab",\n\r é'), max_size=6)


Found = tuple[list[tuple[int, Any, Any]], list[Broken]]


def read_beside_headers(path: Path, cuts: Cuts) -> Found:
    """All rows and broken lines, of files that have the header and one unit each."""
    content, found, broken = path.read_bytes(), list[tuple[int, Any, Any]](), list[Broken]()
    for unit, (first, last) in enumerate(pairwise([*cuts.starts, len(content)])):
        piece = path.with_name("piece.csv")
        piece.write_bytes((content[: cuts.header] if unit else b"") + content[first:last])
        its = read(piece, cuts.beside_header(unit), range(unit, unit + 1))
        found, broken = found + its[0], broken + its[1]
    return found, broken


def read(path: Path, cuts: Cuts | None, units: range | None = None) -> Found:
    """All rows with their numbers, and the broken lines, unit after unit."""
    found: list[tuple[int, Any, Any]] = []
    broken: list[Broken] = []
    for unit in units or range(1 if cuts is None else len(cuts.rows)):
        rows = CsvRows("a.csv", path, READING, cuts)
        before = len(found) + len(broken)
        for first, batch in rows.batches(unit, unit + 1):
            its = zip(batch.column("id").to_pylist(), batch.column("text").to_pylist(), strict=True)
            found += [(first + place, *row) for place, row in enumerate(its)]
        broken += rows.broken()
        if cuts is not None:
            assert len(found) + len(broken) - before == cuts.rows[unit]
    return found, broken


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """Texts of every kind, quoted where that is needed; some empty lines and some of another width."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    written = io.StringIO()
    dialect = csv.unix_dialect if draw(st.booleans()) else csv.excel  # all are quoted, or those that need it
    lines = csv.writer(written, dialect, lineterminator=end)
    lines.writerows([["id", "text"], ["first", ""]])
    for number in range(draw(st.integers(0, 20))):
        kind = draw(st.integers(0, 9))
        if kind == 0:
            written.write(end)
        elif kind == 1:
            lines.writerow([number, "few", "many"])
        else:
            lines.writerow([number, draw(FIELDS)])
    text = written.getvalue()
    if draw(st.booleans()):
        text = text.removesuffix(end)
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()


@given(tables(), st.integers(1, 7), st.integers(1, 40))
def test_a_cut_file_has_the_rows_and_rejects_of_the_whole_one(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, rows: int, block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.csv"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(csv_cuts, "BLOCK", block)
        cuts = cuts_of(path, ",", rows)
    if cuts is not None:
        assert all(size == rows for size in cuts.rows[:-1])
        assert read(path, cuts) == read(path, None)
        assert read_beside_headers(path, cuts) == read(path, None)


@given(st.text(st.sampled_from('a",\n\r "'), max_size=40), st.integers(1, 3), st.integers(1, 40))
def test_a_cut_is_right_wherever_one_is_offered(
    tmp_path_factory: pytest.TempPathFactory, text: str, rows: int, block: int
) -> None:
    """Cuts fall outside of quoted fields, in text with quotes anywhere."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"id,text\nfirst,\n" + text.encode())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(csv_cuts, "BLOCK", block)
        cuts = cuts_of(path, ",", rows)
    if cuts is None:
        return
    try:
        whole = read(path, None)
    except UserError:
        return
    assert read(path, cuts) == whole


@pytest.mark.parametrize(
    ("text", "is_cut"),
    [
        ("1,a\n2,b\n", True),
        ('1,"a\n""b"\n2,""\n', True),
        ("1,a\r\n\r\n2,b", True),
        ('1,5" pipe\n2,7" pipe\n', False),
        ('1, "a\nb"\n2,c\n', False),
        ('1,"a"b\n2,c"d"\n', False),
        ('1,"a\n2,b\n', False),
        ("1,a\r2,b\n", False),
        ("1,a\n2,b\r", False),
    ],
)
def test_a_file_whose_quotes_or_line_ends_may_mislead_stays_whole(tmp_path: Path, text: str, is_cut: bool) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"id,text\n{text}", newline="")
    assert (CsvRows("a.csv", path, READING).cut(1) is not None) == is_cut


def test_packed_files_and_other_encodings_stay_whole(tmp_path: Path) -> None:
    text = "id,text\n1,a\n2,b\n"
    with pa.output_stream(str(tmp_path / "a.csv.gz"), compression="gzip") as stream:
        stream.write(text.encode())
    assert CsvRows("a.csv.gz", tmp_path / "a.csv.gz", READING).cut(1) is None
    (tmp_path / "wide.csv").write_text(text, encoding="utf-16")
    assert CsvRows("wide.csv", tmp_path / "wide.csv", READING).cut(1) is None
    (tmp_path / "latin.csv").write_text(text, encoding="cp1252")
    latin = replace(READING, data=Data(encoding="cp1252"))
    assert CsvRows("latin.csv", tmp_path / "latin.csv", latin).cut(1) == Cuts((0, 12), (1, 1), 8)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", b"id  text\n1   x\n2   y\n3   z\n", "columns separated by blanks cannot be read in pieces"),
        ("a.csv", b"id,text\n1,\0\n", "is neither text, Parquet nor Arrow; copy it again, or name its encoding"),
        ("a.csv.gz", b"\x1f\x8bno gzip", "cannot be decompressed: "),
        ("a.csv.zst", b"id,text\n1,x\n", "cannot be decompressed: "),
    ],
)
def test_a_csv_that_cannot_be_read_in_pieces_is_one_line(
    name: str, content: bytes, problem: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=problem) as refused:
        CsvRows(name, tmp_path / name, READING)
    assert str(refused.value).startswith(f"{name}: ")
    assert "\n" not in str(refused.value)
