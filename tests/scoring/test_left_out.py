"""Rows that `data.exclude` leaves out are neither scored nor rejected, whatever they hold, and are counted."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import run, steps
from scoring.left_out import LeftOut
from table.cells import Source
from table.outcomes import excluded_rows
from table.words import Missing
from tests.scoring.conftest import Score, book_of, in_this_process, parts, rows

pytestmark = pytest.mark.tier("land")

TOML = '[data]\nexclude = { desk = ["test", "staff"], uuid = ["Total", ""] }\n'


def summary(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return content


def with_strays(book: pa.Table) -> pa.Table:
    """Texts only; tests in front and in the middle, staff, at the end a total and a row without an id."""
    book = book.append_column("desk", pa.array(["north"] * len(book)))
    texts = pa.table(
        {name: column.cast(pa.string()) for name, column in zip(book.column_names, book.columns, strict=True)}
    )

    def stray(**cells: str) -> pa.Table:
        return pa.table({name: pa.array([cells.get(name)], pa.string()) for name in texts.column_names})

    unreadable = {"income": "1.2 Mio", "age": "n/k"}
    return pa.concat_tables(
        [
            stray(uuid="T1", desk=" test", **unreadable),
            texts.slice(0, 1_500),
            stray(uuid="T2", desk="test"),
            stray(uuid="Total", desk="staff"),
            texts.slice(1_500),
            stray(uuid="Total", **unreadable),
            stray(income="5"),
        ]
    )


def write_csv(table: pa.Table, file: Path) -> None:
    pa_csv.write_csv(table, file)


def write_packed(table: pa.Table, file: Path) -> None:
    pa_csv.write_csv(table, file.with_suffix(""))
    file.write_bytes(gzip.compress(file.with_suffix("").read_bytes()))
    file.with_suffix("").unlink()


def write_parquet(table: pa.Table, file: Path) -> None:
    pq.write_table(table, file, row_group_size=400)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("book.csv", write_csv),
        ("book.csv.gz", write_packed),
        ("book.parquet", write_parquet),
        ("book.feather", feather.write_feather),
    ],
)
def test_strays_change_no_answer(
    name: str, write: Callable[[pa.Table, Path], None], score: Score, tmp_path: Path
) -> None:
    (tmp_path / "loans.toml").write_text(TOML)
    write(book_of(2_600), tmp_path / f"clean-{name}")
    write(with_strays(book_of(2_600)), tmp_path / name)
    assert score(tmp_path / f"clean-{name}", "clean") == 0
    assert score(tmp_path / name, "scored", "--config", tmp_path / "loans.toml") == 0
    assert rows(tmp_path / "scored") == rows(tmp_path / "clean")
    its, clean = summary(tmp_path / "scored"), summary(tmp_path / "clean")
    assert its["rows"] == {"read": 2_605, "scored": 2_600, "rejected": 0, "left_out": 5}
    assert [(entry["column"], entry["value"], entry["rows"]) for entry in its["exclusions"]] == [
        ("desk", "test", 2),
        ("desk", "staff", 1),
        ("uuid", "Total", 1),
        ("uuid", None, 1),
    ]
    for figure in ("bands", "score", "features", "repeated_ids"):
        assert its[figure] == clean[figure]
    assert clean["exclusions"] == []
    assert "exclude" not in clean["settings"]


def test_rejected_rows_keep_the_numbers_of_the_file(score: Score, tmp_path: Path) -> None:
    table = with_strays(book_of(2_000)).to_pylist()
    table[700]["age"], table[1_503]["uuid"] = "many", "x" * 200
    pa_csv.write_csv(pa.Table.from_pylist(table), tmp_path / "book.csv")
    words = ["--exclude", "desk=test,staff", "--exclude", "uuid=Total", "--exclude", "uuid=,", "--max-rejects", "1"]
    assert score(tmp_path / "book.csv", "scored", *words) == 0
    lines = (tmp_path / "scored/rejects.csv").read_text().splitlines()[1:]
    assert [line.split(",")[1] for line in lines] == ["701", "1504"]
    assert summary(tmp_path / "scored")["rows"] == {"read": 2_005, "scored": 1_998, "rejected": 2, "left_out": 5}


def test_a_line_with_too_few_cells_is_left_out_by_one_of_them(score: Score, tmp_path: Path) -> None:
    """Notes and totals below a table; any other such line is rejected, also where the exclusion is an empty cell."""
    pa_csv.write_csv(with_strays(book_of(1_600)), tmp_path / "book.csv")
    header, *lines = (tmp_path / "book.csv").read_text().splitlines()
    lines[800:800] = ["Total,7", ",1", "a1,1"]
    (tmp_path / "book.csv").write_text("\n".join([header, *lines, '"Total"']))
    (tmp_path / "loans.toml").write_text(TOML)
    words = [tmp_path / "book.csv", "scored", "--config", tmp_path / "loans.toml", "--max-rejects", "0.1"]
    assert score(*words) == 0
    rejected = pa_csv.read_csv(tmp_path / "scored/rejects.csv").to_pylist()
    few = f"expected {header.count(',') + 1} fields, as in the header, got 2"
    assert [(reject["row"], reject["reason"]) for reject in rejected] == [(802, few), (803, few)]
    its = summary(tmp_path / "scored")
    assert its["rows"] == {"read": 1_609, "scored": 1_600, "rejected": 2, "left_out": 7}
    assert [(entry["column"], entry["value"], entry["rows"]) for entry in its["exclusions"]] == [
        ("desk", "test", 2),
        ("desk", "staff", 1),
        ("uuid", "Total", 3),
        ("uuid", None, 1),
    ]


def test_nothing_but_a_note_is_refused(score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = ",".join(book_of(1).column_names)
    (tmp_path / "book.csv").write_text(f"{header}\nTotal\n")
    assert score(tmp_path / "book.csv", "scored", "--exclude", "uuid=Total") == 1
    assert "scored: data.exclude leaves out every row; exclude fewer" in capsys.readouterr().err


def test_a_stopped_run_counts_its_finished_parts(score: Score, tmp_path: Path) -> None:
    (tmp_path / "loans.toml").write_text(TOML)
    pa_csv.write_csv(with_strays(book_of(2_600)), tmp_path / "book.csv")
    words = [tmp_path / "book.csv", "scored", "--config", tmp_path / "loans.toml"]
    assert score(*words) == 0
    whole, before = parts(tmp_path / "scored"), (tmp_path / "scored/summary.json").read_bytes()
    (tmp_path / "scored/summary.json").unlink()
    (tmp_path / "scored/part-00001.parquet").unlink()
    assert score(*words) == 0
    assert parts(tmp_path / "scored") == whole
    assert (tmp_path / "scored/summary.json").read_bytes() == before


def test_files_with_and_without_the_column_and_what_is_said(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "Processes", in_this_process)
    (tmp_path / "book").mkdir()
    pq.write_table(book_of(500), tmp_path / "book/a.parquet")
    pq.write_table(with_strays(book_of(500, seed=1)), tmp_path / "book/b.parquet")
    words = ["--data", tmp_path / "book", "--out", tmp_path / "scored", "--model", model, "--workers", "1"]
    words += ["--exclude", "desk=test,staff", "--exclude", "branch=closed", "--exclude", "uuid=Total,"]
    assert run.main(list(map(str, words))) == 0
    assert len(rows(tmp_path / "scored")) == 1_000
    said = capsys.readouterr().err.splitlines()
    assert '3 rows left out by desk (2 "test", 1 "staff")' in said
    assert '2 rows left out by uuid (1 "Total", 1 without one)' in said
    assert "No row is left out by branch (data.exclude)" in said


def test_a_column_of_lists_is_refused_by_name(score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = book_of(10).append_column("desk", pa.array([["test"]] * 10))
    pq.write_table(table, tmp_path / "book.parquet")
    assert score(tmp_path / "book.parquet", "scored", "--exclude", "desk=test") == 1
    assert "book.parquet: column desk: expected text, got values of type list" in capsys.readouterr().err


def test_nothing_but_strays_is_refused(score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(book_of(10).append_column("desk", pa.array(["test"] * 10)), tmp_path / "book.parquet")
    assert score(tmp_path / "book.parquet", "scored", "--exclude", "desk=test") == 1
    assert "scored: data.exclude leaves out every row; exclude fewer" in capsys.readouterr().err
    assert not (tmp_path / "scored/summary.json").exists()


def test_a_column_without_values_is_refused(score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(book_of(10), tmp_path / "book.parquet")
    assert score(tmp_path / "book.parquet", "scored", "--exclude", "desk=") == 2
    assert capsys.readouterr().err == (
        'error: command line: data.exclude.desk: expected values, got none; for example ["test"]\n'
    )
    (tmp_path / "loans.toml").write_text("[data]\nexclude = { desk = [] }\nmissing = [1]\n")
    assert score(tmp_path / "book.parquet", "scored", "--config", tmp_path / "loans.toml") == 2
    assert "loans.toml: data.exclude.desk: expected values, got none" in capsys.readouterr().err
    assert not (tmp_path / "scored").exists()


def test_values_are_compared_as_training_compares_them() -> None:
    batch = pa.RecordBatch.from_pydict(
        {"code": pa.array([1.0, 2.5, None, 7.0]), "state": ["TRUE", "e\u0301", " x ", "NA"]}
    )
    its = LeftOut({"code": ["2.50", "1"], "state": ["x", "\u00e9", "true", ""]}, nfc=True)
    assert its.of(batch, Missing.of(["NA"])).tolist() == [1, 0, 2, 5]
    assert LeftOut({"state": ["\u00e9"]}).of(batch, Missing()).tolist() == [-1, -1, -1, -1]
    assert LeftOut({"other": ["x"], "state": ["x"]}).of(batch, Missing()).tolist() == [-1, -1, 1, -1]


TEXTS = st.sampled_from(
    ["", " ", "Total", " Total", "total", "1", "1.0", "01", "NA", "-9", "-9.0", "true", "TRUE", "\u00e9", "e\u0301"]
)


@given(
    st.lists(st.none() | TEXTS, max_size=12),
    st.lists(TEXTS, min_size=1, max_size=3),
    st.sampled_from([(), ("NA", "-9")]),
    st.booleans(),
)
def test_rows_are_those_that_training_leaves_out(
    cells: list[str | None],
    values: list[str],
    missing: tuple[str, ...],
    nfc: bool,
) -> None:
    column = pa.array(cells, pa.string())
    batch, nothing = pa.record_batch({"a": column}), Missing.of(missing)
    source = Source("book.csv", "", {"a": pa.chunked_array([column])}, lambda rows: [], nothing, nfc=nfc)
    excluded, exclusions, _ = excluded_rows(source, {"a": values})
    its = LeftOut({"a": values}, nfc=nfc)
    found = its.of(batch, nothing)
    assert (found >= 0).tolist() == excluded.tolist()
    counts = np.bincount(found[found >= 0], minlength=len(values)).tolist()
    assert its.counted(counts) == [each for each in exclusions if each.rows]
