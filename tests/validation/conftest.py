"""A model to validate, and customers who are like those that it was trained on."""

from pathlib import Path

import pandas as pd
import pytest

from tests.model_folder import train_and_export
from tests.once import once
from tests.validation.watched import SETTINGS, table


def _train(folder: Path) -> None:
    table(4_000, seed=1).to_csv(folder / "training.csv", index=False)
    table(2_000, seed=2).to_csv(folder / "same.csv", index=False)
    (folder / "settings.toml").write_text(SETTINGS)
    train_and_export(folder)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts and a model of 4,000 applicants, their settings, and 2,000 others of the same population."""
    return once(tmp_path_factory, "validated", _train)[0]


@pytest.fixture
def same(trained: Path) -> pd.DataFrame:
    return pd.read_csv(trained / "same.csv")
