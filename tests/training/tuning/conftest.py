"""The table that is searched, and one draw a trial."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from table import Table, read_table
from tests.applicants import draw
from tests.training.tuning.searching import SETTINGS
from training.tuning import growth


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frame, target = draw(700)
    file = tmp_path_factory.mktemp("data") / "table.csv"
    frame.assign(default=target, who=np.arange(700) // 2).to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def table(csv: Path) -> Table:
    return read_table(replace(SETTINGS, data=replace(SETTINGS.data, file=str(csv))).schema)


@pytest.fixture(autouse=True)
def one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "MOST_DRAWS", 1)
