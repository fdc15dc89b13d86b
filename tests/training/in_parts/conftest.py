"""A small table in Parquet parts, and runs on it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.applicants import draw
from training import run

ROWS = 4_000
SETTINGS = """
[features]
income = { type = "number", log1p = true }
age = "number"
late_1 = "number"
late_2 = "number"
has_paid = "boolean"
shop = "category"
town = { type = "category", rare = 40 }
[row_max]
late = ["late_1", "late_2"]
[data]
id = ""
weight = "weight"
[xgboost]
n_estimators = 6
max_depth = 3
learning_rate = 0.5
[evaluation]
resamples = 50
plots = false
[grades]
count = 3
[reasons]
reference = "none"
"""

Train = Callable[..., dict[str, Any]]


def applicants(rows: int = ROWS) -> pd.DataFrame:
    """Applicants with weights, days of application, groups, and towns of which some are rare."""
    frame, target = draw(rows)
    rng = np.random.default_rng(1)
    town = np.array([f"town {number}" for number in np.minimum(rng.geometric(0.15, rows), 30)], dtype=object)
    group = np.arange(rows) // 4
    frame = frame.assign(town=town, weight=rng.choice([0.5, 1.0, 2.0], rows), default=target, group=group)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, rows), unit="D")
    return frame.assign(applied=days.strftime("%Y-%m-%d"))


def write(frame: pd.DataFrame, folder: Path, files: int, groups: int) -> Path:
    """The rows in so many files, each with row groups of so many rows; incomes have a currency's sign."""
    folder.mkdir()
    income = frame["income"].map("${!r}".format, na_action="ignore")
    frame = frame.assign(income=income.where(income.notna(), None))
    cuts = np.linspace(0, len(frame), files + 1).astype(int)
    for number in range(files):
        part = pa.Table.from_pandas(frame.iloc[cuts[number] : cuts[number + 1]], preserve_index=False)
        pq.write_table(part, folder / f"{number}.parquet", row_group_size=groups)
    return folder


@pytest.fixture(scope="session")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the table's parts, and settings.toml beside it."""
    folder = tmp_path_factory.mktemp("parts")
    (folder / "settings.toml").write_text(SETTINGS)
    return write(applicants(), folder / "loans", 3, 500)


@pytest.fixture(scope="session")
def train(loans: Path, tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Trains on a folder and returns run.json, with the artifacts' folder as `out`."""

    def trained(*words: object, data: Path = loans) -> dict[str, Any]:
        out = tmp_path_factory.mktemp("out") / "artifacts"
        flags = ["--config", str(loans.parent / "settings.toml"), "--data", str(data), "--out", str(out), "--quiet"]
        assert run.main([*flags, *map(str, words)]) == 0
        record: dict[str, Any] = json.loads((out / "run.json").read_text())
        return record | {"out": out}

    return trained


@pytest.fixture(scope="session")
def in_memory(train: Train) -> dict[str, Any]:
    """The run that others are compared with."""
    return train()
