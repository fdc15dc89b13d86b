"""Panels: rows of one loan are not features of it, and the draft offers to keep them in one part of the split."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.drafts import read_by_its_draft
from training.settings import load_settings

LOANS, SNAPSHOTS = 120, 12


def panel(folder: Path, name: str, ids: list[str] | list[int]) -> tuple[str, dict[str, object]]:
    """The draft of a table in which each of these ids has a row for each snapshot, and its features."""
    rng, rows = np.random.default_rng(13), len(ids) * SNAPSHOTS
    frame = pd.DataFrame({name: ids * SNAPSHOTS, "rate": rng.uniform(1, 9, rows).round(2)})
    frame["default"] = (rng.random(rows) < 0.2) * 1
    frame.to_csv(folder / "panel.csv", index=False)
    text, content, _ = read_by_its_draft(folder / "panel.csv")
    return text, content["features"]


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("loan_id", [f"{at:07d}" for at in range(LOANS)]),
        ("loan_id", [*range(10_001, 10_001 + LOANS)]),
        ("loan_id", [f"L{at}" for at in range(LOANS)]),
        ("Kundennummer", [f"{at:05d}" for at in range(LOANS)]),
        ("ID", [*range(LOANS)]),
        ("account_no", [f"{10**17 + at}" for at in range(LOANS)]),
    ],
)
def test_an_id_that_recurs_is_no_feature_and_a_group_of_the_split(
    name: str, ids: list[str] | list[int], tmp_path: Path
) -> None:
    text, features = panel(tmp_path, name, ids)
    assert set(features) == {"rate"}
    assert "customers or the like that recur: a group of the split?" in text
    toml = tmp_path / "own.toml"
    toml.write_text(re.sub(r"^# (method|group) =", r"\1 =", text, flags=re.M), "utf-8")
    split = load_settings(toml, {}).split
    assert (split.method, split.group) == ("group", name)


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("branch_no", [f"{at:04d}" for at in range(LOANS)]),
        ("zip", [f"{at:05d}" for at in range(LOANS)]),
        ("loan_number", [*range(9)]),  # how many loans there are
        ("limit", [*range(1_000, 1_000 + LOANS)]),
    ],
)
def test_codes_and_amounts_that_recur_are_features(name: str, ids: list[str] | list[int], tmp_path: Path) -> None:
    assert name in panel(tmp_path, name, ids)[1]
