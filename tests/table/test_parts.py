"""Folders and patterns as one table, and the other formats of a file."""

import gzip
import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.errors import UserError
from table import Table, read_table
from training.settings import settings_from_dict


def read(name: str, features: dict[str, Any] | None = None, **data: Any) -> Table:
    named = {"file": name, "id": "", "target": "bad", **data}
    features = features or {"rent": "number", "town": "category"}
    return read_table(settings_from_dict({"data": named, "features": features}).schema)


def mistake(folder: Path, name: str, **data: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(f"{folder}/{name}", **data)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{folder}/", "")


def frame(start: int, rows: int = 2, **columns: Any) -> pd.DataFrame:
    numbers = range(start, start + rows)
    usual = {"rent": [float(number) for number in numbers], "town": [f"t{number}" for number in numbers]}
    return pd.DataFrame({**usual, "bad": [number % 2 for number in numbers], **columns})


def test_a_folder_of_spark_is_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "book"
    folder.mkdir()
    for part in (2, 0, 1):
        frame(2 * part).to_parquet(folder / f"part-0000{part}.snappy.parquet")
    for aside in ("_SUCCESS", "._SUCCESS.crc", ".part-00000.snappy.parquet.crc", "_committed_17"):
        (folder / aside).write_bytes(b"\x00\x01")
    table = read(str(folder))
    assert table.frame["rent"].tolist() == [0, 1, 2, 3, 4, 5]
    assert table.frame["town"].tolist() == [f"t{number}" for number in range(6)]
    assert table.source == str(folder)
    assert read(f"{folder}/").frame.equals(table.frame)


def test_the_digest_of_a_folder_is_that_of_its_names_and_bytes(tmp_path: Path) -> None:
    def digest(name: str, *starts: int) -> str:
        folder = tmp_path / name / "book"
        folder.mkdir(parents=True)
        for part, start in enumerate(starts):
            frame(start).to_csv(folder / f"{part}.csv", index=False)
        return read(str(folder)).sha256

    assert digest("a", 0, 4) == digest("b", 0, 4)
    assert len({digest("c", 0, 4), digest("d", 4, 0), digest("e", 0, 6)}) == 3


def test_folders_that_hive_names_are_columns(tmp_path: Path) -> None:
    folders = [("2016", "oslo", 0), ("2017", "s%C3%A3o%20paulo", 2), ("2018", "__HIVE_DEFAULT_PARTITION__", 4)]
    for year, town, start in folders:
        folder = tmp_path / "book" / f"year={year}" / f"town={town}"
        folder.mkdir(parents=True)
        frame(start).drop(columns="town").to_parquet(folder / "0.parquet")
    table = read(str(tmp_path / "book"), {"rent": "number", "year": "number", "town": "category"})
    assert table.frame["year"].tolist() == [2016, 2016, 2017, 2017, 2018, 2018]
    assert table.frame["town"].tolist() == ["oslo"] * 2 + ["s\u00e3o paulo"] * 2 + [None] * 2


def test_a_pattern_names_the_parts(tmp_path: Path) -> None:
    for part in range(3):
        frame(2 * part).to_csv(tmp_path / f"book-{part}.csv", index=False)
    (tmp_path / "other.csv").write_text("no table")
    assert read(f"{tmp_path}/book-*.csv").frame["rent"].tolist() == [0, 1, 2, 3, 4, 5]
    assert read(f"{tmp_path}/book-[02].csv").frame["rent"].tolist() == [0, 1, 4, 5]
    assert mistake(tmp_path, "bock-*.csv") == (
        "bock-*.csv: no such file, and no file matches it as a pattern; name an existing file"
    )


def test_a_file_whose_name_looks_like_a_pattern_goes_first(tmp_path: Path) -> None:
    frame(0).to_csv(tmp_path / "book[1].csv", index=False)
    frame(4).to_csv(tmp_path / "book1.csv", index=False)
    assert read(f"{tmp_path}/book[1].csv").frame["rent"].tolist() == [0, 1]
    inside = tmp_path / "run[2]"
    inside.mkdir()
    frame(6).to_csv(inside / "a.csv", index=False)
    assert read(f"{inside}/*.csv").frame["rent"].tolist() == [6, 7]


def test_text_in_one_part_is_text_in_all(tmp_path: Path) -> None:
    frame(0).assign(rent=["12.50", "7"]).to_csv(tmp_path / "a.csv", index=False)
    frame(2).assign(rent=["$3", "4"]).to_csv(tmp_path / "b.csv", index=False)
    assert read(f"{tmp_path}/?.csv").frame["rent"].tolist() == [12.5, 7, 3, 4]


def test_number_types_of_parts_need_not_be_alike(tmp_path: Path) -> None:
    for part, rent in enumerate((pa.array([1, 2], pa.int8()), pa.array([1.5, None]), pa.nulls(2))):
        columns = {"rent": rent, "town": ["x", "y"], "bad": [0, 1]}
        pq.write_table(pa.table(columns), tmp_path / f"{part}.parquet")
    np.testing.assert_array_equal(read(f"{tmp_path}/*.parquet").frame["rent"], [1, 2, 1.5, *[np.nan] * 3])


def test_parts_with_different_columns_are_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "book"
    folder.mkdir()
    frame(0).to_parquet(folder / "0.parquet")
    frame(2, desk=["a", "b"]).to_parquet(folder / "1.parquet")
    assert mistake(tmp_path, "book") == (
        "book/0.parquet: column desk is in book/1.parquet and not here; all parts of a table need the same columns"
    )
    frame(2).drop(columns="town").to_parquet(folder / "1.parquet")
    assert mistake(tmp_path, "book") == (
        "book/1.parquet: column town is in book/0.parquet and not here; all parts of a table need the same columns"
    )
    frame(2).assign(rent=["1", "2"]).to_parquet(folder / "1.parquet")
    assert mistake(tmp_path, "book") == (
        "column rent: is double in book/0.parquet and string in book/1.parquet; write all parts with the same type"
    )


def test_a_wrong_cell_of_a_part_is_named_with_its_file(tmp_path: Path) -> None:
    frame(0, 3).to_csv(tmp_path / "a.csv", index=False)
    frame(3, 3).assign(rent=["1", "old", "3"]).to_csv(tmp_path / "b.csv", index=False)
    assert 'got "old" (b.csv, line 3)' in mistake(tmp_path, "*.csv")


# ---------------------------------------------------------------- other formats


def test_feather_is_read(tmp_path: Path) -> None:
    frame(0, 4).to_feather(tmp_path / "a.feather")
    assert read(f"{tmp_path}/a.feather").frame["rent"].tolist() == [0, 1, 2, 3]
    content = (tmp_path / "a.feather").read_bytes()
    (tmp_path / "a.feather").write_bytes(content[: len(content) // 2])
    assert mistake(tmp_path, "a.feather").startswith("a.feather: the Feather file is damaged: ")


def test_json_lines_are_read(tmp_path: Path) -> None:
    rows = [
        {"rent": 5, "town": "x", "bad": 0},
        {"rent": 6.5, "town": None, "bad": 1, "more": [1]},
        {"town": "2016-01-01", "bad": 0},
        {"rent": None, "town": 7, "bad": 1},
    ]
    lines = "\n\n".join(json.dumps(row) for row in rows)
    (tmp_path / "t.jsonl").write_text(lines)
    (tmp_path / "t.txt").write_text(lines)
    (tmp_path / "t.ndjson.gz").write_bytes(gzip.compress(lines.encode()))
    for name in ("t.jsonl", "t.txt", "t.ndjson.gz"):
        table = read(f"{tmp_path}/{name}")
        np.testing.assert_array_equal(table.frame["rent"], [5, 6.5, np.nan, np.nan])
        assert table.frame["town"].tolist() == ["x", None, "2016-01-01", "7"]
        assert table.sha256 == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()


def test_json_that_is_no_lines_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('[{"rent": 1}]')
    assert mistake(tmp_path, "t.json") == (
        "t.json: line 1: expected a JSON object in each line; with jq -c '.[]' a list becomes lines"
    )
    (tmp_path / "t.json").write_text('{"rent":' * 10_000)
    assert mistake(tmp_path, "t.json").startswith("t.json: line 1: expected a JSON object in each line; ")
    (tmp_path / "t.json").rename(tmp_path / "t.csv")
    assert mistake(tmp_path, "t.csv").startswith("t.csv: ")
    (tmp_path / "t.json").write_text('{"rent": 1, "town": {"a": 1}, "bad": 0}\n{"rent": "x", "bad": 1}\n')
    assert mistake(tmp_path, "t.json").startswith("t.json: column town: expected values, got { a = 1 }; flatten it")
    (tmp_path / "t.json").write_text('{"rent": 1, "town": "a", "bad": 0}\n\n{"rent": "x", "town": "b", "bad": 1}\n')
    assert 'got "x" (line 3)' in mistake(tmp_path, "t.json")


# ---------------------------------------------------------------- the spelling of levels


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            pa.array([Decimal("48.00"), Decimal("7.50"), None, Decimal("-0.00")], pa.decimal128(9, 2)),
            ["48", "7.5", None, "0"],
        ),
        (pa.array([Decimal("1200"), Decimal("0.001")] * 2, pa.decimal128(9, 3)), ["1200", "0.001"] * 2),
        (pa.array([48.0, 7.5, None, -0.0]), ["48", "7.5", None, "0"]),
        (pa.array(["  north ", "north", "\u00a0north\t", " "]), ["north", "north", "north", None]),
    ],
    ids=["decimal", "small decimal", "double", "text"],
)
def test_levels_are_spelt_as_requests_spell_them(cells: Any, expected: list[str | None], tmp_path: Path) -> None:
    pq.write_table(pa.table({"rent": [1.0] * 4, "town": cells, "bad": [0, 1, 0, 1]}), tmp_path / "t.parquet")
    assert read(f"{tmp_path}/t.parquet").frame["town"].tolist() == expected


TOWNS = ["M\u00e1laga", "Ma\u0301laga", "Oslo", "OSLO", "new york", "newyork"]


def test_levels_that_may_be_one_are_remarked_on(tmp_path: Path) -> None:
    frame(0, 6).assign(town=TOWNS).to_csv(tmp_path / "t.csv", index=False)
    [remark] = read(f"{tmp_path}/t.csv").remarks
    assert remark == (
        'column town: two levels "Ma\u0301laga" differ only in Unicode form (and 2 more such); '
        'set data.normalization = "NFC"'
    )
    table = read(f"{tmp_path}/t.csv", normalization="NFC")
    assert table.frame["town"].tolist()[:2] == ["M\u00e1laga"] * 2
    assert table.remarks == (
        'column town: "OSLO" and "Oslo" differ only in case, blanks or form (and 1 more such); are they one?',
    )


def test_numbers_that_look_like_months_are_remarked_on(tmp_path: Path) -> None:
    months = [month * 10_000 + year for year in (2011, 2012) for month in (3, 7, 11)]
    frame(0, 6).assign(rent=months).to_csv(tmp_path / "t.csv", index=False)
    [remark] = read(f"{tmp_path}/t.csv").remarks
    assert remark.startswith('column rent: looks like dates written as "%m%Y", which do not sort as numbers')
    frame(0, 6).assign(rent=[1015, 1115, 1215, 116, 216, 316]).to_csv(tmp_path / "t.csv", index=False)
    [remark] = read(f"{tmp_path}/t.csv").remarks
    assert remark.startswith('column rent: looks like dates written as "%m%y"')
