"""The table that a file, an example and the built-in population become."""

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cli.errors import UserError
from table import Applicants, read_applicants, read_table, synthetic_table
from table.cells import MISSING
from tests.table.tables import BASE, GOOD_AND_BAD, HEADER, parquet_of, table_of, with_column
from training.settings import Settings, Split, load_settings

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_table_has_columns_of_the_declared_types(tmp_path: Path) -> None:
    content = (
        HEADER
        + "a;30;true;car;0\nb;;;;1\nc;NA;No;none;\n"
        + 'd;1e3;1;"tv; hi-fi";0\ne; -2.5 ;YES;n/a;1\n;NaN;null;None;NA\n'
        + GOOD_AND_BAD
    )
    table = table_of(tmp_path, content)
    assert list(table.frame.columns) == ["age", "owner", "purpose"]
    assert [str(dtype) for dtype in table.frame.dtypes] == ["float64", "float64", "object"]
    np.testing.assert_array_equal(table.frame["age"][:4], [30, math.nan, 1000, -2.5])
    np.testing.assert_array_equal(table.frame["owner"][:4], [1, math.nan, 1, 1])
    assert table.frame["purpose"].tolist()[:4] == ["car", None, "tv; hi-fi", "n/a"]
    assert table.target.dtype == np.int8
    assert table.target.tolist() == [0, 1, 0, 1] + [0, 1] * 4
    assert table.ids is not None
    assert table.ids[:4] == ["a", "b", "d", "e"]
    assert table.dropped_rows == 2
    assert table.frame.index.tolist() == list(range(12))
    assert table.sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert table.source == f"{tmp_path}/rows.csv"


def test_levels_that_look_like_nothing_stay(tmp_path: Path) -> None:
    levels = ["none", "None", "n/a", "N/A", "nan", "NULL", "-", "?"]
    frame = table_of(tmp_path, with_column("purpose", levels)).frame
    assert frame["purpose"].tolist()[: len(levels)] == levels


def test_quoted_or_not_the_words_for_missing_are_missing(tmp_path: Path) -> None:
    for column in ("age", "owner", "purpose"):
        frame = table_of(tmp_path, with_column(column, [*MISSING, '""', '"NA"'])).frame
        assert frame[column][:6].isna().all()
        assert not frame[column][6:].isna().any()


def test_a_table_may_have_no_id(tmp_path: Path) -> None:
    settings = replace(BASE, data=replace(BASE.data, id=None))
    assert table_of(tmp_path, HEADER + GOOD_AND_BAD, settings).ids is None


def test_a_row_without_id_has_an_empty_one(tmp_path: Path) -> None:
    assert table_of(tmp_path, with_column("id", [""])).ids == ["", *["a", "b"] * 4]


def test_a_column_may_be_missing_in_every_row(tmp_path: Path) -> None:
    text = HEADER + "a;;;;0\nb;NA;NA;NA;1\n" * 4
    assert table_of(tmp_path, text).frame.isna().all(axis=None)
    nothing = pa.nulls(8)
    assert parquet_of(tmp_path, {"age": nothing, "owner": nothing, "purpose": nothing}).frame.isna().all(axis=None)


@pytest.mark.parametrize(("positive", "cells"), [("1", ["1.0", "0.0"]), ("1", ["1", "0"]), ("bad", ["bad", "good"])])
def test_a_target_may_be_written_in_many_ways(positive: str, cells: list[str], tmp_path: Path) -> None:
    text = HEADER + "".join(f"a;1;1;car;{cell}\n" for cell in cells * 4)
    settings = replace(BASE, data=replace(BASE.data, positive=(positive,)))
    assert table_of(tmp_path, text, settings).target.tolist() == [1, 0] * 4


def test_a_target_may_be_true_or_false(tmp_path: Path) -> None:
    settings = replace(BASE, data=replace(BASE.data, positive=("true",)))
    text = HEADER + "a;1;1;car;True\na;1;1;car;False\n" * 4
    assert table_of(tmp_path, text, settings).target.tolist() == [1, 0] * 4
    assert parquet_of(tmp_path, {"bad": [True, False] * 4}, settings).target.tolist() == [1, 0] * 4


@pytest.mark.parametrize(("example", "rows", "bad"), [("german_credit", 1000, 300), ("lending_club", 9857, 517)])
def test_each_example_reads_whole(example: str, rows: int, bad: int) -> None:
    settings = load_settings(EXAMPLES / example / "settings.toml", {})
    table = read_table(settings.schema)
    assert (len(table.frame), int(table.target.sum()), table.dropped_rows, table.ids) == (rows, bad, 0, None)
    assert not table.frame.isna().any(axis=None)
    if example == "german_credit":
        assert set(table.frame["telephone"]) == {"none", "yes, registered under the customers name"}


def test_the_built_in_population_is_a_table() -> None:
    table = synthetic_table(Settings().schema)
    assert table.frame.shape == (90_000, 24)
    assert [str(dtype) for dtype in table.frame.dtypes].count("float64") == 23
    assert set(np.unique(table.frame["has_paid"])) == {0.0, 1.0}
    assert table.ids is not None
    assert (len(set(table.ids)), table.dropped_rows, table.source) == (90_000, 0, "built-in population")
    assert 0.013 < table.target.mean() < 0.016
    assert table.sha256 == synthetic_table(replace(Settings(), split=Split(seed=1)).schema).sha256


def applicants_of(folder: Path, content: str, *, must_have_outcomes: bool = False) -> Applicants:
    (folder / "new.csv").write_text(content)
    settings = replace(BASE, data=replace(BASE.data, file=str(folder / "new.csv")))
    return read_applicants(settings.schema, must_have_outcomes=must_have_outcomes)


def test_applicants_with_outcomes_of_which_some_are_not_known_yet(tmp_path: Path) -> None:
    found = applicants_of(tmp_path, HEADER + "a;30;true;car;0\nb;;;;\nc;40;false;tv;1\n")
    assert found.outcome is not None
    np.testing.assert_array_equal(found.outcome, [0, math.nan, 1])
    np.testing.assert_array_equal(found.frame["age"], [30, math.nan, 40])
    assert found.frame["purpose"].tolist() == ["car", None, "tv"]
    assert found.source == f"{tmp_path}/new.csv"


def test_applicants_need_no_outcomes(tmp_path: Path) -> None:
    """Neither the target nor the id has to be there, and one class alone is no fault."""
    found = applicants_of(tmp_path, "age;owner;purpose\n30;true;car\n")
    assert (found.outcome, len(found.frame)) == (None, 1)
    good = applicants_of(tmp_path, "age;owner;purpose;bad\n30;true;car;0\n").outcome
    assert good is not None
    assert good.tolist() == [0]
    with pytest.raises(UserError, match=r"no column bad \(data\.target\)"):
        applicants_of(tmp_path, "age;owner;purpose\n30;true;car\n", must_have_outcomes=True)
    with pytest.raises(UserError, match="expected two values, found: 0, 1, 2"):
        applicants_of(tmp_path, HEADER + "a;1;1;x;0\na;1;1;x;1\na;1;1;x;2\n")


def test_the_population_has_its_own_columns_only() -> None:
    settings = load_settings(None, {"numbers": ("time_hour",)})
    with pytest.raises(UserError) as caught:
        synthetic_table(settings.schema)
    assert str(caught.value).startswith(
        "built-in population: no column time_hour (features.time_hour); did you mean time_hours? its columns: uuid, "
    )
