"""A file that training reads and scoring does not is refused in one line that says what it is and what to do."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from scoring.formats import foreign_bytes
from table.packed import OLD_EXCEL
from tests.scoring.conftest import Score, book_of

pytestmark = pytest.mark.tier("land")

EXPECTED = "expected Parquet, CSV or Arrow"


def csv_of(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pa_csv.write_csv(table, out)
    return out.getvalue()


def json_of(table: pa.Table) -> bytes:
    return str(table.to_pandas().to_json(orient="records", lines=True)).encode()


def parquet_of(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def workbook_of(table: pa.Table) -> bytes:
    out = io.BytesIO()
    table.to_pandas().to_excel(out, index=False)
    return out.getvalue()


def zip_of(table: pa.Table, member: str = "book.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        if member == "content.xml":
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr(member, csv_of(table))
    return out.getvalue()


def zstandard_of(table: pa.Table) -> bytes:
    return pa.Codec("zstd").compress(csv_of(table), asbytes=True)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("book.jsonl", json_of, f"is JSON; {EXPECTED}; save it as CSV or Parquet"),
        ("book.txt", json_of, f"is JSON; {EXPECTED}; save it as CSV or Parquet"),
        ("book.jsonl.gz", lambda its: gzip.compress(json_of(its)), "is JSON; "),
        ("wide.txt", lambda its: json_of(its).decode().encode("utf-16"), "is JSON; "),
        ("book.xlsx", workbook_of, f"is an Excel workbook; {EXPECTED}; save its sheet as CSV UTF-8"),
        ("book.ods", lambda its: zip_of(its, "content.xml"), "is an OpenDocument; "),
        ("book.xls", lambda its: OLD_EXCEL + bytes(600), "is an Excel workbook of before 2007, or has a password; "),
        ("book.zip", zip_of, f"is a zip; {EXPECTED}; extract it and name the file"),
        ("book.csv.xz", lambda its: lzma.compress(csv_of(its)), f"is compressed with xz; {EXPECTED}; decompress it"),
        (
            "book.csv",
            lambda its: gzip.compress(csv_of(its)),
            "is compressed with gzip and not named so; name it .csv.gz",
        ),
        (
            "book.csv",
            lambda its: bz2.compress(csv_of(its)),
            "is compressed with bzip2 and not named so; name it .csv.bz2",
        ),
        ("book.csv", zstandard_of, "is compressed with zstandard and not named so; name it .csv.zst"),
        (
            "book.csv.gz",
            lambda its: gzip.compress(gzip.compress(csv_of(its))),
            "is compressed with gzip twice; decompress it once",
        ),
        (
            "book.parquet.gz",
            lambda its: gzip.compress(parquet_of(its)),
            "is Parquet or Arrow that was compressed as a whole; decompress it",
        ),
    ],
)
def test_what_a_file_is_and_what_to_do(
    name: str,
    content: Callable[[pa.Table], bytes],
    expected: str,
    score: Score,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / name).write_bytes(content(book_of(50)))
    assert score(tmp_path / name) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / name}: {expected}" in line
    assert not (tmp_path / "scored").exists()


def test_what_is_told_to_do_helps(score: Score, tmp_path: Path) -> None:
    frame = book_of(50).to_pandas()
    (tmp_path / "book.csv.gz").write_bytes(gzip.compress(csv_of(book_of(50))))
    pd.read_json(io.StringIO(json_of(book_of(50)).decode()), lines=True).to_csv(tmp_path / "own.csv", index=False)
    frame.to_parquet(tmp_path / "own.parquet")
    for name in ("book.csv.gz", "own.csv", "own.parquet"):
        assert score(tmp_path / name, f"scored-{name}") == 0


def test_columns_that_begin_with_the_letters_of_a_mark_are_a_csv() -> None:
    assert foreign_bytes(b"BZh,PK\n1,2\n", is_unpacked=False) is None
    assert foreign_bytes(b"PK,xl/\n1,2\n", is_unpacked=False) is None


def test_a_parquet_file_without_a_category_is_one_line(
    score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(book_of(10).drop("region"), tmp_path / "book.parquet")
    assert score(tmp_path / "book.parquet") == 1
    assert "book.parquet: no column region; its columns: uuid, income, " in capsys.readouterr().err
