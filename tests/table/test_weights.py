"""Sample weights as a file has them, and the line of each fault."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cli.errors import UserError
from table import Applicants, Table, read_applicants, read_table
from training.settings import Data, Feature, Settings, Split, settings_from_dict

BASE = Settings(
    data=Data(id=None, target="bad", weight="grossing"),
    features=(Feature("rent", "number"),),
    row_max={},
)
OUTCOMES = ["0", "1", "0", "1", "0"]
WEIGHTS = ["12.5", "3", "0.25", "12.5", "1e3"]


def settings_of(folder: Path, weights: list[str] | None, outcomes: list[str], **data: Any) -> Settings:
    columns: dict[str, Any] = {"rent": range(len(outcomes)), "bad": outcomes}
    if weights is not None:
        columns["grossing"] = weights
    pd.DataFrame(columns).to_csv(folder / "survey.csv", index=False)
    return replace(BASE, data=replace(BASE.data, file=str(folder / "survey.csv"), **data))


def table_of(folder: Path, weights: list[str] | None, outcomes: list[str] = OUTCOMES, **data: Any) -> Table:
    return read_table(settings_of(folder, weights, outcomes, **data).schema)


def mistake(folder: Path, weights: list[str] | None, outcomes: list[str] = OUTCOMES, **data: Any) -> str:
    with pytest.raises(UserError) as caught:
        table_of(folder, weights, outcomes, **data)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/")


def weights_of(read: Table | Applicants) -> list[float]:
    assert read.weight is not None
    return [float(weight) for weight in read.weight]


def test_weights_are_numbers_of_their_own_and_no_feature(tmp_path: Path) -> None:
    table = table_of(tmp_path, WEIGHTS)
    assert weights_of(table) == [12.5, 3, 0.25, 12.5, 1000]
    assert list(table.frame) == ["rent"]
    assert table_of(tmp_path, WEIGHTS, weight=None).weight is None


def test_weights_are_written_as_numbers_of_the_table_are(tmp_path: Path) -> None:
    german = ["12,5", "1.003", "0,25", "12,5", "7"]
    assert weights_of(table_of(tmp_path, german, decimal=",", thousands=".")) == [12.5, 1003, 0.25, 12.5, 7]


@pytest.mark.parametrize("unit", [1e-170, 1e-104])
def test_weights_whose_squares_would_be_nothing_are_in_another_unit(unit: float, tmp_path: Path) -> None:
    said = mistake(tmp_path, [str(float(weight) * unit) for weight in WEIGHTS])
    assert said.startswith("survey.csv: column grossing: expected weights from 1e-100 to 1e+100, got 1.25e-")
    assert said.endswith("; give them in another unit, which changes no figure")


def test_a_row_that_is_left_out_needs_no_weight(tmp_path: Path) -> None:
    assert weights_of(table_of(tmp_path, ["2", "3", "", "4", "5"], ["0", "1", "", "1", "0"])) == [2, 3, 4, 5]
    without = table_of(tmp_path, ["2", "3", "-9", "4", "5"], exclude={"grossing": ("-9",)})
    assert weights_of(without) == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [("-2", "-2"), ("0", "0"), ("-0.0", "-0"), ("", "null"), ("NA", "null"), ("-1e-300", "-1e-300")],
)
def test_a_weight_that_is_not_above_0_is_refused_with_its_place(tmp_path: Path, wrong: str, shown: str) -> None:
    assert mistake(tmp_path, ["1", "2", wrong, "3", "4"]) == (
        f"survey.csv: column grossing: expected a weight above 0 in every row, got {shown} (line 4); "
        "correct the file, leave such rows out with data.exclude, or leave data.weight out"
    )


def test_many_wrong_weights_are_counted(tmp_path: Path) -> None:
    assert "got null (line 2), -1 (line 3), 0 (line 4) and 1 more;" in mistake(tmp_path, ["", "-1", "0", "", "4"])


@pytest.mark.parametrize(("wrong", "expected"), [("inf", "within ±3.4e38"), ("1e39", "within"), ("two", "a number")])
def test_an_infinite_weight_or_a_word_is_refused(tmp_path: Path, wrong: str, expected: str) -> None:
    message = mistake(tmp_path, ["1", "2", wrong, "3", "4"])
    assert message.startswith("survey.csv: column grossing: expected")
    assert expected in message
    assert "line 4" in message


@pytest.mark.parametrize("weight", ["1", "0.1", "3e30"])
def test_weights_that_are_all_equal_are_refused(tmp_path: Path, weight: str) -> None:
    assert mistake(tmp_path, [weight] * 5) == (
        f"survey.csv: column grossing: every row has the weight {float(weight)!r}, so the weights have no effect; "
        "leave data.weight out, or name another column"
    )


def test_weights_that_are_equal_in_all_rows_that_are_kept_are_refused(tmp_path: Path) -> None:
    assert "every row has the weight 2.0" in mistake(tmp_path, ["2", "2", "7", "2", "2"], ["0", "1", "", "1", "0"])


def test_a_column_of_weights_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    assert "grossing" in mistake(tmp_path, WEIGHTS, weight="grosing")
    assert "data.weight" in mistake(tmp_path, WEIGHTS, weight="grosing")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"data": {"weight": "rent"}}, "features.rent: is data.weight, which no request has"),
        ({"data": {"weight": "bad"}}, 'data.weight: "bad" is data.target too'),
        ({"data": {"weight": "who", "id": "who"}}, 'data.weight: "who" is data.id too'),
        (
            {"data": {"weight": "who"}, "split": {"method": "group", "group": "who"}},
            'data.weight: "who" is split.group too',
        ),
        ({"data": {"weight": 3}}, "data.weight: expected text"),
    ],
)
def test_a_column_of_weights_is_nothing_else(document: dict[str, Any], problem: str) -> None:
    document["data"] = {"target": "bad", "id": "", **document["data"]}
    with pytest.raises(UserError) as caught:
        settings_from_dict({**document, "features": {"rent": "number"}})
    assert problem in str(caught.value)


def test_a_column_of_times_may_be_the_weights_too() -> None:
    """Odd, and nothing that contradicts itself: recent applicants count more."""
    split = Split(0.25, 1, "time", "age")
    assert replace(BASE, data=replace(BASE.data, weight="age"), split=split).schema.data.weight == split.time


def test_new_applicants_have_weights_where_the_column_is_there(tmp_path: Path) -> None:
    schema = settings_of(tmp_path, WEIGHTS, OUTCOMES).schema
    assert weights_of(read_applicants(schema)) == [12.5, 3, 0.25, 12.5, 1000]
    schema = settings_of(tmp_path, ["2"] * 5, OUTCOMES).schema
    assert weights_of(read_applicants(schema)) == [2] * 5, "one month of equal weights"
    schema = settings_of(tmp_path, None, OUTCOMES).schema
    assert read_applicants(schema).weight is None
    with pytest.raises(UserError, match=r"column grossing|grossing \(data.weight\)|data.weight"):
        read_applicants(schema, must_have_weights=True)


def test_new_applicants_all_need_a_weight(tmp_path: Path) -> None:
    schema = settings_of(tmp_path, ["2", "", "3", "4", "5"], ["0", "", "", "1", "0"]).schema
    with pytest.raises(UserError, match=r"expected a weight above 0 in every row, got null \(line 3\)"):
        read_applicants(schema)


def test_weights_of_a_parquet_file_may_be_of_any_number_type(tmp_path: Path) -> None:
    frame = pd.DataFrame({"rent": [1.0, 2, 3], "bad": [0, 1, 0], "grossing": np.array([1, 2, 3], dtype=np.int16)})
    frame.to_parquet(tmp_path / "survey.parquet")
    settings = replace(BASE, data=replace(BASE.data, file=str(tmp_path / "survey.parquet")))
    assert weights_of(read_table(settings.schema)) == [1, 2, 3]
