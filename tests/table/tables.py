"""Tables of three columns and the lines of their faults, for the tests of reading."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.errors import UserError
from table import Table, read_table
from training.settings import Data, Feature, Model, Settings, Split

FEATURES = (Feature("age", "number"), Feature("owner", "boolean"), Feature("purpose", "category"))
BASE = Settings(
    data=Data(id="id", target="bad"),
    features=FEATURES,
    row_max={},
    split=Split(test_size=0.5),
    model=Model(folds=2),
)
HEADER = "id;age;owner;purpose;bad\n"
GOOD_AND_BAD = "a;30;true;car;0\nb;40;false;tv;1\n" * 4


def table_of(folder: Path, content: str | bytes, settings: Settings = BASE, name: str = "rows.csv") -> Table:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(replace(settings, data=replace(settings.data, file=str(file))).schema)


def mistake_in(folder: Path, content: str | bytes, settings: Settings = BASE, name: str = "rows.csv") -> str:
    with pytest.raises(UserError) as caught:
        table_of(folder, content, settings, name)
    assert caught.value.exit_status == 1
    return str(caught.value).removeprefix(f"{folder}/")


def with_column(column: str, cells: Sequence[str], separator: str = ";") -> str:
    """Eight good rows and above them some whose column has the given cells; the first of them is line 2."""
    names = HEADER.strip().split(";")
    rows = [["x", "1", "yes", "car", "0"] for _ in cells]
    for row, cell in zip(rows, cells, strict=True):
        row[names.index(column)] = cell
    return (HEADER + "".join(";".join(row) + "\n" for row in rows) + GOOD_AND_BAD).replace(";", separator)


def parquet_of(folder: Path, columns: dict[str, Any], settings: Settings = BASE, rows: int = 8) -> Table:
    """The table of a Parquet file of 8 rows in which some columns are given and the others are good."""
    good: dict[str, Any] = {
        "id": [str(row) for row in range(rows)],
        "age": [30.0] * rows,
        "owner": [True] * rows,
        "purpose": ["car"] * rows,
        "bad": [row % 2 for row in range(rows)],
    }
    pq.write_table(pa.table(good | columns), folder / "rows.parquet")
    return table_of(folder, (folder / "rows.parquet").read_bytes(), settings, "rows.parquet")


REMEDY = "; correct the file or leave the cell empty"
TRUTHS = "expected true or false, yes or no, on or off, 1 or 0"
