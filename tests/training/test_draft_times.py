"""Times in unusual forms: the draft offers a format by which training orders them, or leaves them out with a reason."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from table import read_table
from tests.training.drafts import read_by_its_draft
from training.settings import load_settings

ROWS = 600
MONTHS = [(year, month) for year in (2015, 2016, 2017) for month in range(1, 13)]


def drafted(folder: Path, name: str, levels: Sequence[Any], suffix: str = ".csv") -> tuple[str, dict[str, Any], str]:
    """The draft of a table with a column of these levels, its features, and the column's line."""
    rng, file = np.random.default_rng(12), folder / f"book{suffix}"
    # All levels occur: of 600 rows for at most 40 of them.
    cells = [levels[at % len(levels)] for at in rng.permutation(ROWS)]
    frame = pd.DataFrame({name: cells, "rate": rng.uniform(1, 9, ROWS).round(2)})
    frame["default"] = (rng.random(ROWS) < 0.25) * 1
    frame.to_parquet(file) if suffix == ".parquet" else frame.to_csv(file, index=False)
    text, content, _ = read_by_its_draft(file)
    [line] = [line for line in text.splitlines() if line.removeprefix("# ").startswith(f"{name} = ")]
    return text, content["features"], line


def split_by_time(folder: Path, text: str) -> list[Any]:
    """The moments that training reads once the draft's lines of a time are no comments, in their order."""
    toml = folder / "own.toml"
    toml.write_text(re.sub(r"^# (method|time|time_format) =", r"\1 =", text, flags=re.M), "utf-8")
    times = read_table(load_settings(toml, {}).schema).time
    assert times is not None
    return sorted(set(times.values.tolist()))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("name", "first", "step"),
    [
        ("issue_month", 42_384, 30),
        ("issue_date", 20_100, 7),
        ("opened_at", 1_420_070_400, 86_400),
        ("ts", 1_420_070_400_000, 86_400_000),
    ],
)
def test_counts_of_days_and_seconds_are_offered_with_the_format_that_training_asks_for(
    name: str, first: int, step: int, suffix: str, tmp_path: Path
) -> None:
    levels = [first + step * at for at in range(40)]
    text, features, line = drafted(tmp_path, name, levels, suffix)
    assert name not in features
    assert "looks like times in" in line
    assert '# time_format = "number"' in text
    assert split_by_time(tmp_path, text) == levels
