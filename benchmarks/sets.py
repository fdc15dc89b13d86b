"""The tables that models are compared on, divided by seeds, with the reference parameters."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from benchmarks import public
from benchmarks.public import ROOT
from table import read_table, synthetic_table
from training.settings import Settings, load_settings

SEEDS = (1, 2, 3, 4, 5)
TEST_SHARE = 0.25
MOST_TRAINING_ROWS = 100_000  # a search of ours takes no more: so all contenders see the same rows


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
    """The tables of the comparison with one script that are on this machine."""
    taiwan = [] if public.missing(["UCI Taiwan"]) else ["UCI Taiwan"]
    return ["German credit", "Lending Club", *taiwan, "built-in"]


def trials(name: str) -> Iterator[Trial]:
    """The table divided by each seed."""
    for seed in SEEDS:
        yield trial(name, seed)


def trial(name: str, seed: int) -> Trial:
    """A stratified quarter is the test, and more of a table that is larger than what may be trained on."""
    settings, frame, target = _table(name)
    rows = len(target)
    train, test = train_test_split(
        np.arange(rows),
        test_size=max(round(rows * TEST_SHARE), rows - MOST_TRAINING_ROWS),
        random_state=seed,
        stratify=target,
    )
    settings = replace(settings, split=replace(settings.split, seed=seed))
    return Trial(name, settings, frame.iloc[train], target[train], frame.iloc[test], target[test])


@cache
def _table(name: str) -> tuple[Settings, pd.DataFrame, NDArray[np.int8]]:
    if name in public.SETS:
        settings, table = public.read(name)
    elif name == "built-in":
        settings = Settings()
        table = synthetic_table(settings.schema)
    else:
        example = load_settings(ROOT / "examples" / name.lower().replace(" ", "_") / "settings.toml", {})
        settings = replace(Settings(), data=example.data, features=example.features, row_max={})
        table = read_table(settings.schema)
    return settings, table.frame, table.target
