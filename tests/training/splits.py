"""Tables of one feature, and the settings that split them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.errors import UserError
from table import Table, read_table
from training.settings import Data, Feature, Model, Settings, Split
from training.split import split

BASE = Settings(
    data=Data(id=None, target="bad"),
    features=(Feature("age", "number"),),
    row_max={},
    split=Split(0.25, 3),
    model=Model(folds=2),
)
BY_TIME = replace(BASE, split=Split(0.25, 3, "time", "when"))
BY_GROUP = replace(BASE, split=Split(0.25, 3, "group", group="who"))


def table_of(folder: Path, settings: Settings, **columns: Any) -> Table:
    """The table of a CSV with some columns; where no others are given age is 1 and bad is 0 and 1 in turn."""
    rows = len(next(iter(columns.values())))
    frame = pd.DataFrame({"age": 1.0, "bad": np.arange(rows) % 2} | columns)
    frame.to_csv(folder / "rows.csv", index=False)
    return read_table(replace(settings, data=replace(settings.data, file=str(folder / "rows.csv"))).schema)


def parquet_of(folder: Path, settings: Settings, when: Any) -> Table:
    columns = {"age": [1.0] * len(when), "bad": [row % 2 for row in range(len(when))], "when": when}
    pq.write_table(pa.table(columns), folder / "rows.parquet")
    return read_table(replace(settings, data=replace(settings.data, file=str(folder / "rows.parquet"))).schema)


def mistake_in(folder: Path, settings: Settings, status: int = 1, **columns: Any) -> str:
    with pytest.raises(UserError) as caught:
        split(table_of(folder, settings, **columns), settings)
    assert caught.value.exit_status == status
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/")


def from_moment(moment: str) -> Settings:
    return replace(BY_TIME, split=replace(BY_TIME.split, test_from=moment))


DAYS = [f"2024-{month:02}-0{day}" for month in range(1, 6) for day in range(1, 5)]
