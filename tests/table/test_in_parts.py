"""A table that is read in parts is the table that is read whole: the same columns, outcomes and refusals."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.errors import UserError
from table import read_table
from table.in_parts import opened_in_parts
from table.settings import Data, Feature, Schema
from tests.applicants import draw

FEATURES = (
    Feature("income", "number", special=("-9",), indicator="income_refused"),
    Feature("income_refused", "boolean", special=("-9",), indicates="income"),
    Feature("late_1", "number"),
    Feature("has_paid", "boolean"),
    Feature("shop", "category"),
    Feature("year", "category"),
)
ROWS = 3_000


def schema_of(file: Path | str, features: tuple[Feature, ...] = FEATURES) -> Schema:
    data = Data(str(file), id="uuid", positive=("bad",), negative=("good",), exclude={"shop": ("garden",)})
    return Schema(data, features)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of different types for the same columns, one of them with rows without an outcome alone."""
    frame, target = draw(ROWS)
    table = pd.DataFrame(
        {
            "uuid": [f"id-{row}" for row in range(ROWS)],
            "income": frame["income"].where(np.arange(ROWS) % 11 > 0, -9.0),
            "late_1": frame["late_1"],
            "has_paid": frame["has_paid"].map({1.0: True, 0.0: False}),
            "shop": frame["shop"].map(lambda text: f" {text} " if text == "shoes" else text),
            "default": np.where(np.arange(ROWS) % 13 == 0, "open", np.where(target == 1, "bad", "good")),
        }
    )
    cuts = [0, 1_000, 1_013, ROWS]
    for number, (start, stop) in enumerate(pairwise(cuts)):
        part = pa.Table.from_pandas(table.iloc[start:stop], preserve_index=False)
        if number == 0:
            place = part.schema.get_field_index("late_1")
            part = part.set_column(place, "late_1", part.column("late_1").cast(pa.int16()))
            place = part.schema.get_field_index("shop")
            part = part.set_column(place, "shop", part.column("shop").dictionary_encode())
        if number == 1:
            place = part.schema.get_field_index("default")
            part = part.set_column(place, "default", pa.array(["open"] * 13))
        path = tmp_path / "loans" / f"year={2020 + number}" / "part.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(part, path, row_group_size=300)
    return tmp_path / "loans"


@pytest.mark.parametrize("most", [1, 450, 10**6])
def test_pieces_hold_the_frame_of_a_table_read_whole(folder: Path, most: int) -> None:
    schema = schema_of(folder)
    whole = read_table(schema)
    with opened_in_parts(schema) as source:
        pieces = source.layout.pieces(most)
        assert [piece.first for piece in pieces] == np.cumsum([0, *(p.rows for p in pieces)])[:-1].tolist()
        read = [its for piece in pieces for its in source.layout.frames(piece, 77)]
        firsts = [first for first, _ in read]
        frame = pd.concat([frame for _, frame in read], ignore_index=True)
        assert len(frame) == source.layout.rows == ROWS
        assert [source.position(first) for first in firsts] == [int(source.kept[:first].sum()) for first in firsts]
        pd.testing.assert_frame_equal(frame[source.kept].reset_index(drop=True), whole.frame)
        table = source.table
    assert np.array_equal(table.target, whole.target)
    same = ("dropped_rows", "dropped_note", "sha256", "source", "exclusions")
    assert {name: getattr(table, name) for name in same} == {name: getattr(whole, name) for name in same}
    assert table.exclusions


def test_a_wrong_cell_is_named_with_its_file_and_row(folder: Path) -> None:
    path = folder / "year=2022" / "part.parquet"
    table = pq.read_table(path, partitioning=None)
    words = table.column("has_paid").to_pylist()
    words[700] = None
    texts = pa.array(
        [None if word is None else "perhaps" if row == 900 else str(word) for row, word in enumerate(words)]
    )
    place = table.schema.get_field_index("has_paid")
    for part in folder.rglob("*.parquet"):  # text in all, as a table read whole demands
        its = pq.read_table(part, partitioning=None)
        own = texts if part == path else pa.array([None if w is None else str(w) for w in its["has_paid"].to_pylist()])
        pq.write_table(its.set_column(place, "has_paid", own), part, row_group_size=300)
    schema = schema_of(folder)
    with pytest.raises(UserError) as whole:
        read_table(schema)
    with opened_in_parts(schema) as source:
        [*_, last] = source.layout.pieces(10**6)
        with pytest.raises(UserError) as in_parts:
            list(source.layout.frames(last, 100))
    assert str(in_parts.value) == str(whole.value)
    assert "part.parquet, row 901" in str(whole.value)


def test_what_cannot_be_read_in_parts_is_refused_before_any_row(folder: Path, tmp_path: Path) -> None:
    def refusal(schema: Schema) -> str:
        with pytest.raises(UserError) as caught, opened_in_parts(schema):
            raise AssertionError("opened")
        return str(caught.value)

    csv = tmp_path / "loans.csv"
    csv.write_text("a,default\n1,bad\n2,good\n")
    assert f"{csv}: expected Parquet, the only format read in parts" in refusal(schema_of(csv))
    assert "no such file" in refusal(schema_of(tmp_path / "none.parquet"))
    missing = (*FEATURES, Feature("incme", "number"))
    assert "no column incme (features.incme); did you mean income?" in refusal(schema_of(folder, missing))
    only_good = replace(schema_of(folder), data=replace(schema_of(folder).data, positive=("worse",)))
    assert 'no row has "worse" (data.positive)' in refusal(only_good)
    path = folder / "year=2022" / "part.parquet"
    table = pq.read_table(path, partitioning=None)
    place = table.schema.get_field_index("late_1")
    pq.write_table(table.set_column(place, "late_1", table.column("late_1").cast(pa.string())), path)
    assert refusal(schema_of(folder)).endswith("; write all parts with the same type")
    pq.write_table(table.drop_columns(["late_1"]), path)
    assert "all parts of a table need the same columns" in refusal(schema_of(folder))


WRITTEN: dict[str, list[str | None]] = {
    "percent": ["13 %", None, "7%", "n/k", "9.5 %", "0 %"],
    "ledger": ["1,234.50-", "7", "(0.5)", "", "-3", "inf"],
    "money": ["7", "US$ 1,000", "n/k", "(US$ 2.25)", "12", "US$ 3-"],
    "plain": ["1", "2.5", " 3 ", "n/k", "1e3", "-4"],
}


def of_texts(folder: Path, columns: dict[str, list[str | None]], sizes: list[int]) -> Schema:
    """A file of numbers that are text, in row groups of so many rows; the last row has no outcome, and a word."""
    rows = len(next(iter(columns.values())))
    default = ["bad" if row % 2 else "good" for row in range(rows)] + [None]
    table = pa.table({name: [*texts, "Total"] for name, texts in columns.items()} | {"default": default})
    with pq.ParquetWriter(folder / "loans.parquet", table.schema) as file:
        for start, stop in pairwise([0, *np.cumsum(sizes).tolist()]):
            file.write_table(table.slice(start, stop - start))
    data = Data(str(folder / "loans.parquet"), id=None, positive=("bad",), missing=("n/k", "inf"), thousands=",")
    return Schema(data, tuple(Feature(name, "number") for name in columns))


def read_in_parts(schema: Schema) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The frame, two rows at a time of each row group, and the remarks."""
    with opened_in_parts(schema) as source:
        layout, kept = source.layout, source.kept
        frames = [frame for piece in layout.pieces(1) for _, frame in layout.frames(piece, 2, kept[piece.first :])]
        return pd.concat(frames, ignore_index=True)[kept].reset_index(drop=True), source.table.remarks


@pytest.mark.parametrize("sizes", [[1] * 7, [3, 4], [7]])
def test_numbers_with_signs_are_those_of_a_table_read_whole(sizes: list[int], tmp_path: Path) -> None:
    schema = of_texts(tmp_path, WRITTEN, sizes)
    whole = read_table(schema)
    assert whole.frame["money"].tolist()[3:] == [-2.25, 12, -3]
    frame, remarks = read_in_parts(schema)
    pd.testing.assert_frame_equal(frame, whole.frame)
    assert remarks == whole.remarks
    assert [remark.partition(" is read as ")[0] for remark in whole.remarks] == [
        'column percent: "13 %"',
        'column ledger: "1,234.50-"',
        'column money: "US$ 1,000"',
        'column money: "(US$ 2.25)"',
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["13 %", "7 %", "9", "8 %"], 'every number with %, got "9" (row 3)'),
        (["9", "8", "13 %", "7 %"], 'every number with %, got "9" (row 1)'),
        (["$ 9", "8", "1", "\N{EURO SIGN} 7"], 'every number with $, got "\N{EURO SIGN} 7" (row 4)'),
        (["$ 9", "8", "1", "ten"], 'a number, with a decimal point, got "ten" (row 4)'),
    ],
)
def test_signs_that_differ_between_parts_are_refused_as_in_a_table_read_whole(
    texts: list[str | None], expected: str, tmp_path: Path
) -> None:
    schema = of_texts(tmp_path, {"rate": texts}, [2, 3])
    with pytest.raises(UserError) as whole:
        read_table(schema)
    assert expected in str(whole.value)
    with pytest.raises(UserError) as in_parts:
        read_in_parts(schema)
    assert expected in str(in_parts.value)


def with_codes(folder: Path, share: float) -> Schema:
    """Four row groups in two files; 0 is a special code among debts on both sides of it."""
    rows = 400
    debt = np.random.default_rng(1).integers(-50, 50, rows).astype(float)
    debt[np.arange(rows) < share * rows] = 0  # in the first groups alone
    for number, half in enumerate(np.split(np.arange(rows), 2)):
        default = np.where(half % 7 == 0, "bad", "good")
        part = pa.table({"debt": debt[half], "default": default, "uuid": half.astype(str), "shop": ["shoes"] * 200})
        pq.write_table(part, folder / f"part-{number}.parquet", row_group_size=100)
    return schema_of(f"{folder}/*.parquet", (Feature("debt", "number", special=("0",)), Feature("shop", "category")))


@pytest.mark.parametrize("most", [10**6, 150])
def test_a_frequent_special_code_among_the_values_is_refused_in_parts_too(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("table.in_parts.MOST_ROWS", most)
    schema = with_codes(tmp_path, 0.5)
    with pytest.raises(UserError) as whole:
        read_table(schema)
    with pytest.raises(UserError) as in_parts, opened_in_parts(schema):
        pass
    assert "column debt: special: expected codes outside the range of values, got 0, which is 5" in str(in_parts.value)
    if most == 10**6:
        assert str(in_parts.value) == str(whole.value)
    kept_apart = (
        Feature("debt", "number", special=("0",), indicator="no_debt"),
        Feature("no_debt", "boolean", special=("0",), indicates="debt"),
    )
    with opened_in_parts(replace(schema, features=kept_apart)) as source:
        assert source.layout.rows == 400
    with opened_in_parts(with_codes(tmp_path, 0.1)) as source:
        assert source.layout.rows == 400
