"""Searches on a small table, and the line of their mistakes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.errors import UserError
from cli.progress import Progress
from table import Table
from training import tuning
from training.settings import Data, Feature, Settings, Split, Tuning

XGBOOST: dict[str, Any] = {"n_estimators": 25, "max_depth": 3, "learning_rate": 0.1, "min_child_weight": 5.0}
SETTINGS = Settings(
    data=Data(id=None),
    features=tuple(Feature(name, "number") for name in ("income", "age", "debt", "late_1")),
    row_max={},
    split=Split(0.25, 3),
    xgboost=XGBOOST,
    tuning=Tuning(trials=6, folds=3),
)


def found(table: Table, file: Path, settings: Settings = SETTINGS, **changes: Any) -> Any:
    settings = replace(settings, tuning=replace(settings.tuning, **changes))
    return tuning.search(settings, table, np.arange(500), file, Progress(quiet=True))


def mistake(table: Table, file: Path, settings: Settings = SETTINGS) -> str:
    with pytest.raises(UserError) as caught:
        found(table, file, settings)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{file}: ")
