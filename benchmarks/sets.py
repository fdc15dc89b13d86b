"""The tables that models are compared on, the built-in and three real ones, with the reference parameters."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from table import read_table, synthetic_table
from training.settings import Settings, load_settings, settings_from_dict

ROOT = Path(__file__).parents[1]
TAIWAN = ROOT.parent / "shared" / "data" / "uci_taiwan" / "UCI_Credit_Card.csv"
SEEDS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Trial:
    """One division of one table. Models see the training rows; `settings` has the seed."""

    name: str
    settings: Settings
    train: pd.DataFrame
    train_target: NDArray[np.int8]
    test: pd.DataFrame
    test_target: NDArray[np.int8]


def names() -> list[str]:
    """The tables that are on this machine."""
    return ["German credit", "Lending Club", *(["UCI Taiwan"] if TAIWAN.exists() else []), "built-in"]


def trials(name: str) -> Iterator[Trial]:
    """The table divided by each seed."""
    for seed in SEEDS:
        yield trial(name, seed)


def trial(name: str, seed: int) -> Trial:
    """A stratified quarter is the test."""
    settings, frame, target = _table(name)
    train, test = train_test_split(np.arange(len(target)), test_size=0.25, random_state=seed, stratify=target)
    settings = replace(settings, split=replace(settings.split, seed=seed))
    return Trial(name, settings, frame.iloc[train], target[train], frame.iloc[test], target[test])


@cache
def _table(name: str) -> tuple[Settings, pd.DataFrame, NDArray[np.int8]]:
    settings = _settings(name)
    table = synthetic_table(settings.schema) if settings.data.file is None else read_table(settings.schema)
    return settings, table.frame, table.target


def _settings(name: str) -> Settings:
    """Columns as the examples name them; everything else is the reference system's."""
    if name == "built-in":
        return Settings()
    if name == "UCI Taiwan":
        columns = TAIWAN.open(encoding="utf-8").readline().strip().split(",")
        features = {column: "number" for column in columns if column not in ("ID", "class")}
        data = {"file": str(TAIWAN), "id": "ID", "target": "class", "positive": ["1"]}
        return settings_from_dict({"data": data, "features": features})
    example = load_settings(ROOT / "examples" / name.lower().replace(" ", "_") / "settings.toml", {})
    return replace(Settings(), data=example.data, features=example.features, row_max={})
