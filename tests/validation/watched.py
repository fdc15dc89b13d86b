"""A validation as a user runs it, of one model that all tests of it share."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.applicants import draw
from tests.validation.flat import flat
from validation import run as monitor

SETTINGS = """
[data]
file = "training.csv"
id = ""
target = "outcome"
positive = "bad"
[features]
income = { type = "number", log1p = true }
debt = "number"
age = "number"
late_1 = "number"
late_2 = "number"
has_paid = "boolean"
shop = "category"
region = { type = "category", vocabulary = ["north", "south", "books"] }
[row_max]
late = ["late_1", "late_2"]
[split]
test_size = 0.5
[model]
calibration = "sigmoid"
[xgboost]
n_estimators = 15
[stability]
feature_limit = 0.2
"""


def table(rows: int, seed: int) -> pd.DataFrame:
    frame, target = draw(rows, seed)
    return frame.drop(columns="late_3").assign(outcome=np.where(target == 1, "bad", "good"))


def watched(trained: Path, tmp_path: Path, frame: "pd.DataFrame | Path", *words: object) -> tuple[int, dict[str, Any]]:
    """The exit status of --strict and the figures for a table, by its settings' target."""
    file = frame if isinstance(frame, Path) else tmp_path / "new.csv"
    if not isinstance(frame, Path):
        frame.to_csv(file, index=False)
    out = tmp_path / "out"
    target = ["--target", "outcome", "--positive", "bad"] if "--config" not in words else []
    strict = [] if "--no-strict" in words else ["--strict"]
    words = tuple(word for word in words if word != "--no-strict")
    given = ["--data", file, "--model", trained / "model", "--out", out, "--quiet", *strict, *target, *words]
    status = monitor.main(list(map(str, given)))
    return status, flat(out) if (out / "validation.json").exists() else {}


def mistake(capsys: pytest.CaptureFixture[str], status: int, *words: object) -> str:
    """The one line of a mistake."""
    assert monitor.main([*map(str, words), "--quiet"]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert "Traceback" not in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    return captured.err.strip().removeprefix("error: ")
