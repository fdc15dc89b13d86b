"""The command as a user runs it: formats, parts, rejects, a resumed run, and every mistake as one line."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from cli.errors import UserError
from scoring import run
from scoring.brought import refuse_changed
from scoring.messages import Message
from scoring.plan import File, Job, Piece
from scoring.scorer import Scorer
from tests.runtime.model_builder import SMALL_FEATURES, build_model
from tests.scoring import conftest
from tests.scoring.conftest import Score, book_of, in_this_process, parts, rows
from tests.stopped import digests

pytestmark = pytest.mark.tier("land")


def summary(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return content


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of a refusal."""
    captured = capsys.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    return line.removeprefix("error: ")


def test_parts_have_the_rows_of_the_core_in_the_order_of_the_input(
    score: Score, book: Path, model: Path, tmp_path: Path
) -> None:
    assert score(book) == 0
    scorer = Scorer.load(str(model))
    expected = []
    for number in range(3):
        for first in (0, 1_000, 2_000):
            expected += scorer.score(book_of(2_500, number).slice(first, 1_000).to_batches()[0]).rows.to_pylist()
    assert rows(tmp_path / "scored") == expected
    its = summary(tmp_path / "scored")
    assert its["rows"] == {"read": 7_500, "scored": 7_500, "rejected": 0, "left_out": 0}
    assert its["repeated_ids"] == 0
    assert sum(its["bands"].values()) == 7_500
    found = digests(tmp_path / "scored")
    assert {entry["part"]: entry["sha256"] for entry in its["parts"]} == {
        name: found[name] for name in parts(tmp_path / "scored")
    }
    assert {Path(entry["name"]).name: entry["sha256"] for entry in its["inputs"]} == digests(book)


def test_bytes_do_not_depend_on_the_number_of_workers(score: Score, book: Path, tmp_path: Path) -> None:
    assert score(book, "one") == 0
    assert score(book, "two", "--workers", "2") == 0
    assert parts(tmp_path / "one") == parts(tmp_path / "two")


@pytest.mark.parametrize("form", ["csv", "csv.gz", "feather", "arrows"])
def test_every_format_gives_the_same_answers(score: Score, tmp_path: Path, form: str) -> None:
    table = book_of(1_500)
    pq.write_table(table, tmp_path / "book.parquet")
    path = tmp_path / f"book.{form}"
    if form == "feather":
        feather.write_feather(table, path, chunksize=700)
    elif form == "arrows":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table, 600)
    else:
        with pa.output_stream(str(path), compression="detect") as stream:
            pa_csv.write_csv(table, stream)
    assert score(tmp_path / "book.parquet", "parquet") == 0
    assert score(path, form) == 0
    assert rows(tmp_path / form) == rows(tmp_path / "parquet")


def test_rejected_rows_have_their_number_and_reason(
    score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ["uuid;income;owner;age;insured;debt;shop;region"]
    text += [f"a{number};1,5;yes;40;no;3;Travel;north" for number in range(1, 9)]
    text[3] = "a3;x;yes;40;no;3;Travel;north"
    text[5] = "a5;1,5;yes"
    text[7] = ";1,5;yes;;no;3;Travel;north"
    (tmp_path / "book.csv").write_text("\n".join(text) + "\n")
    words = [tmp_path / "book.csv", "scored", "--decimal", ","]
    assert score(*words, "--max-rejects", "0.3") == 1
    assert "3 of 8 rows are rejected, expected at most 0.3 of them (--max-rejects); rejects.csv" in told(capsys)
    assert not (tmp_path / "scored" / "summary.json").exists()
    assert score(*words, "--max-rejects", "0.5") == 0
    found = pa_csv.read_csv(tmp_path / "scored" / "rejects.csv").to_pylist()
    assert [(reject["row"], reject["reason"]) for reject in found] == [
        (3, "income: expected a number or null, got a string"),
        (5, "expected 8 fields, as in the header, got 3"),
        (7, "uuid: expected a string of 1 to 128 characters, got 0; age: expected a number, got null or nothing"),
    ]
    assert [row["uuid"] for row in rows(tmp_path / "scored")] == ["a1", "a2", "a4", "a6", "a8"]
    assert summary(tmp_path / "scored")["rows"] == {"read": 8, "scored": 5, "rejected": 3, "left_out": 0}


@pytest.mark.parametrize(("end", "is_told"), [("a4;1,5;ye", True), ("a4;1,5;ye\n", False)])
def test_a_csv_whose_last_line_has_neither_its_fields_nor_an_end_may_be_cut_short(
    score: Score, tmp_path: Path, end: str, is_told: bool
) -> None:
    text = ["uuid;income;owner;age;insured;debt;shop;region"]
    text += [f"a{number};1,5;yes;40;no;3;Travel;north" for number in range(1, 4)]
    text[2] = "a2;1,5;yes"
    (tmp_path / "book.csv").write_text("\n".join([*text, end]))
    assert score(tmp_path / "book.csv", "scored", "--decimal", ",", "--max-rejects", "0.6") == 0
    found = pa_csv.read_csv(tmp_path / "scored" / "rejects.csv").to_pylist()
    count = "expected 8 fields, as in the header, got 3"
    told = f"{count}; the last line has no end: is the file cut short?" if is_told else count
    assert [(reject["row"], reject["reason"]) for reject in found] == [(2, count), (4, told)]


def test_a_packed_csv_that_is_cut_short_is_to_be_copied_again(
    score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pa.output_stream(str(tmp_path / "book.csv.gz"), compression="gzip") as stream:
        pa_csv.write_csv(book_of(3_000), stream)
    whole = (tmp_path / "book.csv.gz").read_bytes()
    (tmp_path / "book.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert score(tmp_path / "book.csv.gz") == 1
    assert "book.csv.gz: cannot be read as CSV: Truncated compressed stream; copy it again" in told(capsys)


def test_processes_share_one_large_csv_and_resume_inside_of_it(score: Score, tmp_path: Path) -> None:
    """Quoted line feeds, broken rows and empty lines: the same rows, and the input's row numbers."""
    book = book_of(3_300)
    shops = [f"a\n{number}" if number % 9 == 0 else 'so "new"' for number in range(3_300)]
    book = book.set_column(book.column_names.index("shop"), "shop", pa.array(shops))
    pa_csv.write_csv(book, tmp_path / "good.csv")
    lines = (tmp_path / "good.csv").read_text().split("\n")
    lines.insert(2_000, "a,b\n")
    lines.insert(3_000, "c,d,e")
    (tmp_path / "book.csv").write_text("\n".join(lines))
    stream = tmp_path / "whole.csv.gz"  # which stays whole
    with pa.output_stream(str(stream), compression="detect") as packed:
        packed.write((tmp_path / "book.csv").read_bytes())
    assert score(stream, "whole") == 0
    assert score(tmp_path / "book.csv", "cut", "--workers", "2") == 0
    assert parts(tmp_path / "whole").keys() == {"part-00000.parquet"}
    assert len(parts(tmp_path / "cut")) == 4
    assert rows(tmp_path / "cut") == rows(tmp_path / "whole")
    found = [pa_csv.read_csv(tmp_path / name / "rejects.csv").drop_columns("file") for name in ("cut", "whole")]
    assert found[0].equals(found[1])
    assert found[0].num_rows == 2
    before = digests(tmp_path / "cut")
    (tmp_path / "cut" / "part-00002.parquet").unlink()
    kept = (tmp_path / "cut" / "part-00001.parquet").stat().st_mtime_ns
    assert score(tmp_path / "book.csv", "cut") == 0
    assert digests(tmp_path / "cut") == before
    assert (tmp_path / "cut" / "part-00001.parquet").stat().st_mtime_ns == kept
    [source] = summary(tmp_path / "cut")["inputs"]
    assert source["sha256"] == digests(tmp_path)["book.csv"]


def test_the_id_is_that_of_the_settings_and_a_flag_goes_before(score: Score, tmp_path: Path) -> None:
    book = book_of(300)
    pq.write_table(book.rename_columns(["loan", *book.column_names[1:]]), tmp_path / "book.parquet")
    (tmp_path / "loans.toml").write_text('[data]\nid = "loan"\n')
    (tmp_path / "none.toml").write_text('[data]\nid = ""\n')
    assert score(tmp_path / "book.parquet", "named", "--config", tmp_path / "loans.toml") == 0
    assert [row["uuid"] for row in rows(tmp_path / "named")] == book["uuid"].to_pylist()
    assert score(tmp_path / "book.parquet", "bare", "--config", tmp_path / "none.toml") == 0
    assert "uuid" not in rows(tmp_path / "bare")[0]
    assert score(tmp_path / "book.parquet", "flag", "--config", tmp_path / "none.toml", "--id", "loan") == 0
    assert "uuid" in rows(tmp_path / "flag")[0]


def test_ids_that_are_there_twice_are_scored_and_counted(score: Score, tmp_path: Path) -> None:
    once, again = book_of(1_200, 1), book_of(900, 1)
    (tmp_path / "book").mkdir()
    pq.write_table(once, tmp_path / "book" / "1.parquet")
    pq.write_table(again, tmp_path / "book" / "2.parquet")
    assert score(tmp_path / "book") == 0
    assert summary(tmp_path / "scored")["repeated_ids"] == 900
    assert summary(tmp_path / "scored")["rows"]["scored"] == 2_100


def test_a_run_goes_on_where_it_was(score: Score, book: Path, tmp_path: Path) -> None:
    """A part whose bytes are others is scored again, as is one that is gone or has no marker; the rest is kept."""
    out = tmp_path / "scored"
    assert score(book) == 0
    whole = digests(out)
    kept = (out / "part-00000.parquet").stat().st_mtime_ns
    (out / "part-00001.parquet").write_bytes(b"other")
    (out / "part-00002.parquet").unlink()
    (out / "_lastbit" / "part-00003.json").unlink()
    (out / "_lastbit" / "part-00004.json").write_text("{")
    (out / "_lastbit" / "work-left").mkdir()
    assert score(book) == 0
    assert digests(out) == whole
    assert (out / "part-00000.parquet").stat().st_mtime_ns == kept
    before = {path: path.stat().st_mtime_ns for path in out.glob("*")}
    assert score(book) == 0  # complete: nothing is written
    assert {path: path.stat().st_mtime_ns for path in out.glob("*")} == before


def test_an_output_of_something_else_is_refused(
    score: Score, book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(book) == 0
    other = tmp_path / "other"
    build_model(other, SMALL_FEATURES[:-1])
    before = digests(tmp_path / "scored")
    assert score(book, "scored", "--model", other) == 1
    assert "belongs to another run: model.version is" in told(capsys)
    assert score(book, "scored", "--id", "") == 1
    assert 'belongs to another run: settings.id is "uuid" there and null here' in told(capsys)
    os.utime(book / "1.parquet")
    assert score(book) == 1
    assert "belongs to another run: input.plan is" in told(capsys)
    assert digests(tmp_path / "scored") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert score(book, "mine") == 1
    assert "expected a new folder or one of an earlier run, found letter.txt" in told(capsys)
    assert score(book, "book/scored") == 2
    assert "name a folder outside of it" in told(capsys)


def damaged(folder: Path, how: str) -> None:
    path = folder / "1.parquet"
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "column":
        pq.write_table(book_of(10).rename_columns(["uuid", "incomes", *book_of(0).column_names[2:]]), path)
    elif how == "type":
        pq.write_table(book_of(10).set_column(1, "income", pa.array([True] * 10)), path)
    else:
        (folder / "1.parquet").unlink()
        (folder / "1.bin").write_bytes(b"\0\1\2")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("cut", "1.parquet: the Parquet file is cut short: its footer is missing; copy it again"),
        ("empty", "1.parquet: is empty; expected Parquet, CSV or Arrow; copy it again or leave it out"),
        ("column", "1.parquet: no column income; did you mean incomes? "),
        ("type", "1.parquet: column income: expected numbers, got values of type bool; convert the column"),
        ("binary", "1.bin: is neither text, Parquet nor Arrow; "),
    ],
)
def test_a_file_that_is_not_like_the_others_is_named_before_anything_is_scored(
    score: Score, book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str, expected: str
) -> None:
    damaged(book, how)
    assert score(book) == 1
    assert expected in told(capsys)
    assert not (tmp_path / "scored").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"parts": 3}', b"[" * 10_000, b"\xff"])
def test_a_damaged_summary_is_written_again(score: Score, tmp_path: Path, content: bytes) -> None:
    pq.write_table(book_of(100), tmp_path / "book.parquet")
    assert score(tmp_path / "book.parquet") == 0
    written = summary(tmp_path / "scored")
    (tmp_path / "scored" / "summary.json").write_bytes(content)
    assert score(tmp_path / "book.parquet") == 0
    assert summary(tmp_path / "scored") == written


def test_a_damaged_record_of_the_run_is_named(score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(book_of(100), tmp_path / "book.parquet")
    assert score(tmp_path / "book.parquet") == 0
    for content in (b"", b"{", b"[" * 10_000):
        (tmp_path / "scored" / "_lastbit" / "run.json").write_bytes(content)
        assert score(tmp_path / "book.parquet") == 1
        assert told(capsys) == f"{tmp_path}/scored: _lastbit/run.json is damaged; name another --out"


def test_a_file_that_does_not_exist_is_named_with_its_neighbour(
    score: Score, book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(book / "1.parqet") == 1
    problem = f"no such file (did you mean {book}/1.parquet?); give --data existing Parquet, CSV or Arrow files"
    assert told(capsys) == f"{book}/1.parqet: {problem}"
    assert score(tmp_path / "nowhere.csv") == 1
    assert told(capsys).startswith(f"{tmp_path}/nowhere.csv: no such file")
    assert not (tmp_path / "scored").exists()


def test_a_damaged_page_is_named_and_finished_parts_are_kept(
    score: Score, book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(book, "whole") == 0
    path = book / "2.parquet"
    content, stat = path.read_bytes(), path.stat()
    path.write_bytes(content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert score(book) == 1
    assert "2.parquet: the Parquet file is damaged: " in told(capsys)
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    kept = parts(tmp_path / "scored")
    assert kept.items() <= parts(tmp_path / "whole").items()
    assert kept
    assert score(book) == 0
    assert parts(tmp_path / "scored") == parts(tmp_path / "whole")


def test_a_model_that_fails_its_checks_is_refused(
    score: Score, book: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(model, tmp_path / "model")
    (tmp_path / "model" / "model.onnx").write_bytes(b"other")
    assert score(book, "scored", "--model", tmp_path / "model") == 1
    assert "model.onnx: sha256: expected " in told(capsys)
    assert not (tmp_path / "scored").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_disk_that_takes_no_more_is_said_in_one_line(
    score: Score, book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, before[1]))
    try:
        assert score(book, "scored", "--workers", 2) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    line = told(capsys)
    assert "the file exceeds the size limit of this shell" in line
    assert parts(tmp_path / "scored") == {}
    assert score(book) == 0
    assert len(rows(tmp_path / "scored")) == 7_500


def test_a_dry_run_says_rows_and_bytes_and_writes_nothing(
    book: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["--data", str(book), "--model", str(model), "--workers", "3", "--dry-run"]) == 0
    said = capsys.readouterr().err
    size = sum(path.stat().st_size for path in book.iterdir())
    assert f"4 files, {size:,} bytes, 7,500 rows, 4 parts" in said
    assert "rows/s in one process, about 0 s in 3; nothing was written" in said
    words = ["--model", str(model), "--part-rows", "1000", "--dry-run"]
    pa_csv.write_csv(book_of(5_000), tmp_path / "book.csv")
    assert run.main(["--data", str(tmp_path / "book.csv"), *words]) == 0
    assert " bytes, 5,000 rows, 5 parts" in capsys.readouterr().err
    with pa.output_stream(str(tmp_path / "book.csv.gz"), compression="detect") as stream:
        pa_csv.write_csv(book_of(5_000), stream)
    assert run.main(["--data", str(tmp_path / "book.csv.gz"), *words]) == 0
    assert re.search(r" bytes, about [\d,]+ rows, 1 part\n", capsys.readouterr().err)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book", "book.csv", "book.csv.gz"]


@pytest.mark.parametrize("name", ["book.csv", "book.parquet", "book.arrows"])
def test_a_dry_run_of_files_without_rows_is_one_line(
    name: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, table = tmp_path / name, book_of(0)
    if name.endswith("csv"):
        pa_csv.write_csv(table, path)
    elif name.endswith("parquet"):
        pq.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    assert run.main(["--data", str(path), "--model", str(model), "--dry-run", "--quiet"]) == 1
    assert told(capsys) == "--data: expected rows, got files without any; name others"


def test_a_model_that_is_replaced_under_a_worker_is_named(
    score: Score, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def replaced(job: Job, pieces: Sequence[Piece], workers: int) -> Iterator[Message]:
        build_model(tmp_path / "model", [{**feature, "description": "another"} for feature in SMALL_FEATURES])
        return in_this_process(replace(job, model=str(tmp_path / "model")), pieces, workers)

    pq.write_table(book_of(100), tmp_path / "book.parquet")
    monkeypatch.setattr(conftest, "in_this_process", replaced)
    assert score(tmp_path / "book.parquet") == 1
    assert re.search(r"/model: expected model \w{12}, got \w{12}; was it replaced meanwhile\?", told(capsys))


def test_a_file_that_a_worker_does_not_see_is_named(tmp_path: Path) -> None:
    path = tmp_path / "book.parquet"
    path.write_bytes(b"")
    stat = path.stat()
    file = File("book.parquet", str(path), 0, str(stat.st_mtime_ns))
    refuse_changed(file)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    with pytest.raises(UserError, match=r"book\.parquet: was changed while it was scored"):
        refuse_changed(file)
    path.unlink()
    with pytest.raises(UserError, match="workers have to see every file under its name"):
        refuse_changed(file)
