"""Parquet files: every type that a column may have, and the line of each that it may not."""

import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cli.errors import UserError
from table.cells import OTHER_WORDS
from tests.table.tables import (
    BASE,
    FEATURES,
    GOOD_AND_BAD,
    HEADER,
    REMEDY,
    TRUTHS,
    mistake_in,
    parquet_of,
    table_of,
    with_column,
)
from training.settings import Feature


@pytest.mark.parametrize(
    "ages",
    [
        pa.array([1, 2, None, 4] * 2, pa.int64()),
        pa.array([1, 2, None, 4] * 2, pa.uint8()),
        pa.array([1.0, 2.0, None, 4.0] * 2, pa.float32()),
        pa.array([1.0, 2.0, math.nan, 4.0] * 2),
        pa.array([Decimal("1.00"), Decimal("2.00"), None, Decimal("4.00")] * 2, pa.decimal128(8, 2)),
        pa.array(["1", " 2.0", "", "4e0"] * 2),
        pa.array(["1", "2", None, "4"] * 2).dictionary_encode(),
        pa.array(["1", "2", "NA", "4"] * 2, pa.large_string()),
    ],
    ids=lambda column: str(column.type),
)
def test_each_number_type_of_parquet_is_read(ages: Any, tmp_path: Path) -> None:
    np.testing.assert_array_equal(parquet_of(tmp_path, {"age": ages}).frame["age"], [1, 2, math.nan, 4] * 2)


def test_a_decimal_becomes_the_nearest_float(tmp_path: Path) -> None:
    text = "0.1234567890123456789012345678"
    decimals = pa.array([Decimal(text)] * 8, pa.decimal128(38, 28))
    assert parquet_of(tmp_path, {"age": decimals}).frame["age"][0] == float(text)


def test_a_large_integer_becomes_the_nearest_float(tmp_path: Path) -> None:
    assert parquet_of(tmp_path, {"age": [2**53 + 3] * 8}).frame["age"][0] == float(2**53 + 3)


@pytest.mark.parametrize(
    "owners",
    [
        pa.array([True, False, None, True] * 2),
        pa.array([1, 0, None, 1] * 2, pa.int8()),
        pa.array([1.0, 0.0, math.nan, 1.0] * 2),
        pa.array(["yes", "NO", "", "True"] * 2),
        pa.array(["yes", "no", None, "1"] * 2).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_each_boolean_type_of_parquet_is_read(owners: Any, tmp_path: Path) -> None:
    np.testing.assert_array_equal(parquet_of(tmp_path, {"owner": owners}).frame["owner"], [1, 0, math.nan, 1] * 2)


@pytest.mark.parametrize(
    ("purposes", "expected"),
    [
        (pa.array(["car", "", None, "none"] * 2), ["car", None, None, "none"]),
        (pa.array(["car", "NA", None, "none"] * 2).dictionary_encode(), ["car", "NA", None, "none"]),
        (pa.array([1, 2, None, -3] * 2), ["1", "2", None, "-3"]),
        (pa.array([1.0, 2.5, math.nan, None] * 2), ["1", "2.5", None, None]),
        (pa.array([True, False, None, True] * 2), ["true", "false", None, "true"]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_each_category_type_of_parquet_is_read(purposes: Any, expected: list[str | None], tmp_path: Path) -> None:
    assert parquet_of(tmp_path, {"purpose": purposes}).frame["purpose"].tolist() == expected * 2


def test_parquet_is_known_by_its_content(tmp_path: Path) -> None:
    parquet_of(tmp_path, {})
    content = (tmp_path / "rows.parquet").read_bytes()
    assert len(table_of(tmp_path, content, name="rows.csv").frame) == 8


def test_columns_with_a_dot_in_their_names(tmp_path: Path) -> None:
    settings = replace(BASE, features=(*FEATURES, Feature("loan.amount", "number")))
    assert parquet_of(tmp_path, {"loan.amount": [5.0] * 8}, settings).frame["loan.amount"].tolist() == [5.0] * 8


def test_csv_and_parquet_give_the_same_table(tmp_path: Path) -> None:
    from_csv = table_of(tmp_path, with_column("purpose", ["", "none"]))
    frame = pd.read_csv(tmp_path / "rows.csv", sep=";", keep_default_na=False, na_values=[""])
    frame.to_parquet(tmp_path / "same.parquet")
    from_parquet = table_of(tmp_path, (tmp_path / "same.parquet").read_bytes(), name="same.parquet")
    pd.testing.assert_frame_equal(from_csv.frame, from_parquet.frame)
    assert from_csv.target.tolist() == from_parquet.target.tolist()
    assert from_csv.ids == from_parquet.ids


def test_invalid_parquet_is_refused(tmp_path: Path) -> None:
    assert mistake_in(tmp_path, HEADER + GOOD_AND_BAD, name="rows.parquet") == (
        "rows.parquet: is not Parquet, despite its name; expected Parquet, or a CSV named .csv"
    )
    parquet_of(tmp_path, {})
    content = (tmp_path / "rows.parquet").read_bytes()
    for length in (5, len(content) // 2, len(content) - 1):
        assert mistake_in(tmp_path, content[:length], name="rows.parquet") == (
            "rows.parquet: the Parquet file is cut short: its footer is missing; copy it again"
        )
    damaged = content[:4] + bytes(len(content) - 12) + content[-8:]
    message = mistake_in(tmp_path, damaged, name="rows.parquet")
    assert message.startswith("rows.parquet: the Parquet file is damaged: ")
    assert message.endswith("; copy it again")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"age": pd.date_range("2020-01-01", periods=8, unit="ms")},
            "column age: expected numbers, got values of type timestamp[ms]; convert the column",
        ),
        (
            {"purpose": [["a"]] * 8},
            "column purpose: expected text, got values of type list<element: string>; convert the column",
        ),
        (
            {"age": ["1"] * 7 + ["x"]},
            f'column age: expected a number, with a decimal point, got "x" (row 8){REMEDY}',
        ),
        ({"owner": [0, 2] * 4}, None),
    ],
)
def test_wrong_columns_of_parquet_are_refused(columns: dict[str, Any], message: str | None, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        parquet_of(tmp_path, columns)
    places = '"2" (row 2), "2" (row 4), "2" (row 6) and 1 more'
    message = message or f"column owner: {TRUTHS}, got {places}; {OTHER_WORDS}"
    assert str(caught.value).removeprefix(f"{tmp_path}/") == f"rows.parquet: {message}"
