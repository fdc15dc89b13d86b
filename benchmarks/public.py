"""Public credit tables of 5,000 rows and more: where each comes from, and how its file becomes a table.

None of them is part of the project, but Lending Club's, which is an example. A user puts the files into one folder,
`build/sets` or what LASTBIT_SETS names; a digest of the values identifies the table.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from cli.errors import UserError
from table import Table, read_table
from training.settings import Settings, load_settings, settings_from_dict

ROOT = Path(__file__).parents[1]
FOLDER = "LASTBIT_SETS"
EXAMPLE = ROOT / "examples" / "lending_club"


@dataclass(frozen=True)
class PublicSet:
    """One table: its file, whose every column is a feature but the outcome and those left out."""

    file: str
    source: str
    target: str
    positive: str
    digest: str
    """SHA-256 of the values as they are read, so that line ends and trailing zeros of a copy do not matter."""
    categories: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where the file is, or has to be put."""
        beside = EXAMPLE / self.file
        return beside if beside.exists() else folder() / self.file


SETS = {
    "Lending Club": PublicSet(
        "lending_club.csv",
        "R package modeldata (MIT), in examples/lending_club",
        "Class",
        "bad",
        "80be3af8d89d1e02d2a8b597667a76f50c82728f39b832efdc391b2b1bbe3c26",
    ),
    "UCI Taiwan": PublicSet(
        "UCI_Credit_Card.csv",
        "UCI 350, default of credit card clients (CC BY 4.0), the outcome named class",
        "class",
        "1",
        "92a7f38d386bb14bf0e3e55f47309efc45f182bc98aa514cc310a441b62b865e",
        left_out=("ID",),
    ),
    "Credit Risk": PublicSet(
        "credit_risk_dataset.csv",
        "Kaggle, laotse/credit-risk-dataset (CC0)",
        "loan_status",
        "1",
        "f8fe3ea9ff80124f7548ab4d23539eb0f8039cfe939bbc437ce24b5cf4a3fd11",
        ("person_home_ownership", "loan_intent", "loan_grade", "cb_person_default_on_file"),
    ),
    "HMEQ": PublicSet(
        "hmeq.csv",
        "creditriskanalytics.net, home equity loans of Baesens, Roesch and Scheule",
        "BAD",
        "1",
        "31b9b42c9bc0b692f267e52a6b2ab666bf7f95d4420f1a265f462bebde8dc6e4",
        ("REASON", "JOB"),
    ),
    "HELOC": PublicSet(
        "heloc.csv",
        "FICO, explainable machine learning challenge, heloc_dataset_v1",
        "RiskPerformance",
        "Bad",
        "af987d3478c9a69f39132b6d39f04520ef89dee36c2810fcd547aa36a12f7b9b",
        left_out=("Probabilities",),
    ),
    "Give Me Some Credit": PublicSet(
        "cs-training.csv",
        "Kaggle, competition GiveMeSomeCredit, training part",
        "SeriousDlqin2yrs",
        "1",
        "549a7edc8f117107c0814789a053439a3deeb1a07ad989043022a5fa2f63cbc1",
        left_out=("", "Unnamed: 0"),
    ),
}


def folder() -> Path:
    """The folder of the files that a user has fetched."""
    return Path(os.environ.get(FOLDER) or ROOT / "build" / "sets")


def missing(names: list[str]) -> list[str]:
    """A line for each of these tables whose file is not there."""
    return [
        f"{name}: {SETS[name].path} is not there; put it there from {SETS[name].source}, or name its folder in {FOLDER}"
        for name in names
        if not SETS[name].path.exists()
    ]


@cache
def read(name: str) -> tuple[Settings, Table]:
    """The table and the reference system's settings for it. Raises UserError where the file is another one."""
    settings = _settings(name)
    table = read_table(settings.schema)
    found, expected = digest(table), SETS[name].digest
    if found != expected:
        raise UserError(
            f"{SETS[name].path}: expected {name} with the digest {expected[:16]}…, got {len(table.target):,} rows "
            f"with {found[:16]}…; take the file of {SETS[name].source}"
        )
    return settings, table


def digest(table: Table) -> str:
    """SHA-256 of outcomes and values, column by column; independent of how numbers are written."""
    hashed = hashlib.sha256(np.asarray(table.target, dtype="<i1").tobytes())
    for name in table.frame.columns:
        column = table.frame[name]
        hashed.update(f"\n{name}\n".encode())
        if pd.api.types.is_numeric_dtype(column):
            values = np.asarray(column, dtype="<f8")
            hashed.update(np.where(np.isnan(values), np.nan, values).tobytes())
        else:
            hashed.update("\n".join("" if pd.isna(value) else str(value) for value in column).encode())
    return hashed.hexdigest()


def _settings(name: str) -> Settings:
    """Columns as the file has them; everything else is the reference system's."""
    its = SETS[name]
    if its.path.parent == EXAMPLE:
        example = load_settings(EXAMPLE / "settings.toml", {})
        return replace(Settings(), data=example.data, features=example.features, row_max={})
    header = pd.read_csv(its.path, nrows=0).columns
    features = {
        column: "category" if column in its.categories else "number"
        for column in header
        if column not in (its.target, *its.left_out)
    }
    data = {"file": str(its.path), "id": "", "target": its.target, "positive": [its.positive]}
    return settings_from_dict({"data": data, "features": features})
