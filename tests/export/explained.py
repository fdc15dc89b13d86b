"""A fitted pipeline with its tables of contributions, and the leaf rule to compare them with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from export.converters.classifier import boosters_of
from export.reasons.rule import contributions_by_rule
from runtime.digest import sha256
from runtime.tables import Tables
from tests.applicants import draw, pipeline
from training.estimator.crossfit import CrossFittedClassifier
from training.estimator.preparation import Preparation
from training.estimator.raw_thresholds import fold_log1p
from training.players import Players, players_of
from trees.ensemble import read_ensemble
from trees.reasons.build import build, plan
from trees.reasons.columns import columns_of
from trees.reasons.file import content_of
from trees.reasons.reference import Reference
from trees.reasons.rows import Rows

LARGEST_DIFFERENCE = 2e-7  # of margin, from float64: the tables hold float32
SMALL: dict[str, Any] = {"n_estimators": 12, "max_depth": 4, "learning_rate": 0.3, "n_jobs": 1}


@dataclass
class Explained:
    """A fitted pipeline, its tables, and the applicants and reference rows to ask them about."""

    fitted: Pipeline
    players: Players
    tables: Tables
    path: Path
    content: bytes
    applicants: pd.DataFrame
    reference: pd.DataFrame

    @property
    def prepared(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self.fitted[0].transform(self.applicants), self.fitted[0].transform(self.reference)

    def contributions(self, frame: pd.DataFrame | None = None) -> NDArray[np.float64]:
        raw = self.fitted[0].raw_inputs(self.applicants if frame is None else frame)
        words = raw.get("categories", np.empty((len(raw["numbers"]), 0), dtype=object))
        return np.array([self.tables.contributions(*row) for row in zip(raw["numbers"], words, strict=True)])

    def without_tables(self) -> NDArray[np.float64]:
        preparation = self.fitted[0]
        ensembles = [fold_log1p(read_ensemble(booster), preparation) for booster in boosters_of(self.fitted[1])]
        columns = columns_of(ensembles, self.players.columns, self.players.of_source)
        leaves = Rows(columns, len(self.players.players))
        found, mean = leaves.contributions(raw_of(preparation, self.applicants), raw_of(preparation, self.reference))
        assert mean == pytest.approx(self.tables.mean, abs=1e-9)
        return found

    def by_rule(self) -> NDArray[np.float64]:
        found = contributions_by_rule(boosters_of(self.fitted[1]), self.players.of_column, *self.prepared)
        return np.pad(found, ((0, 0), (0, len(self.players.players) - found.shape[1])))


def raw_of(preparation: Preparation, frame: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    raw = preparation.raw_inputs(frame)
    return raw["numbers"], raw.get("categories", np.empty((len(frame), 0), dtype=object))


def explained(
    fitted: Pipeline,
    folder: Path,
    applicants: pd.DataFrame,
    reference: pd.DataFrame,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Explained:
    preparation: Preparation = fitted[0]
    players = players_of(preparation, groups or {})
    ensembles = [fold_log1p(read_ensemble(booster), preparation) for booster in boosters_of(fitted[1])]
    columns = columns_of(ensembles, players.columns, players.of_source)
    raw = preparation.raw_inputs(reference)
    words = raw.get("categories", np.empty((len(reference), 0), dtype=object))
    content = content_of(build(plan(columns), Reference(columns, raw["numbers"], words)), len(players.players), "g")
    path = folder / "reasons.bin"
    path.write_bytes(content)
    tables = Tables.read(str(folder), sha256(content), "g")
    return Explained(fitted, players, tables, path, content, applicants, reference)


def fit(folder: Path, groups: Mapping[str, Sequence[str]] | None = None, **parameters: Any) -> Explained:
    frame, target = draw(1_500)
    booster = XGBClassifier(**SMALL | parameters)
    fitted = pipeline(CrossFittedClassifier(booster, random_state=0)).fit(frame, target)
    return explained(fitted, folder, frame.iloc[:60], frame.iloc[700:830], groups)
