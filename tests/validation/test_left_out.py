"""Rows that `data.exclude` leaves out of training are left out of a validation with the same settings."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.model_folder import train_and_export
from tests.validation.flat import flat
from validation import run as validation

SETTINGS = """
[data]
file = "training.csv"
id = "number"
target = "bad"
exclude = { number = ["Total", ""], product = ["test"] }
[features]
income = "number"
age = "number"
product = "category"
[model]
calibration = "sigmoid"
[xgboost]
n_estimators = 10
"""


def book(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    income, age = rng.lognormal(8, 1, rows), rng.integers(18, 80, rows)
    return pd.DataFrame(
        {
            "number": [f"L{seed}-{row}" for row in range(rows)],
            "income": income.round(2),
            "age": age,
            "product": rng.choice(["car", "home"], rows),
            "bad": (rng.random(rows) < 1 / (1 + income / 3000)).astype(int),
        }
    )


def strays(its: pd.DataFrame) -> pd.DataFrame:
    """Two rows of applications that are tests, and a row of totals."""
    tests = its.head(2).assign(number=["T1", "T2"], product="test", income=1e9)
    total = pd.DataFrame({"number": ["Total"], "income": [its["income"].sum()], "bad": [int(its["bad"].sum())]})
    return pd.concat([tests, total])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 3,000 applicants and its settings, and 900 others as `clean.csv`."""
    folder = tmp_path_factory.mktemp("left-out")
    book(3_000, seed=1).to_csv(folder / "training.csv", index=False)
    book(900, seed=2).to_csv(folder / "clean.csv", index=False)
    (folder / "settings.toml").write_text(SETTINGS)
    train_and_export(folder)
    return folder


def validated(folder: Path, file: Path, out: Path, *words: str) -> dict[str, Any]:
    given = ["--config", folder / "settings.toml", "--data", file, "--model", folder / "model", "--out", out, "--quiet"]
    assert validation.main([*map(str, given), *words]) == 0
    return flat(out)


@pytest.fixture(scope="module")
def clean(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return validated(folder, folder / "clean.csv", tmp_path_factory.mktemp("clean") / "out")


def written(its: pd.DataFrame, folder: Path, kind: str) -> Path:
    """The table with strays in front, in the middle and at the end, as a file of this kind or as a folder of parts."""
    more = strays(its)
    whole = pd.concat([more.iloc[:1], its.iloc[:400], more.iloc[1:2], its.iloc[400:], more.iloc[2:]])
    if kind == "csv":
        whole.to_csv(folder / "march.csv", index=False)
    elif kind == "parquet":
        whole.to_parquet(folder / "march.parquet", index=False, row_group_size=100)
    else:  # the last part has the totals alone
        (folder / "march.parts").mkdir()
        for number, part in enumerate([whole.iloc[:300], whole.iloc[300:-1], whole.iloc[-1:]]):
            part.to_csv(folder / "march.parts" / f"{number}.csv", index=False)
    return folder / f"march.{kind}"


@pytest.mark.parametrize("kind", ["csv", "parquet", "parts"])
def test_strays_change_no_figure(folder: Path, clean: dict[str, Any], kind: str, tmp_path: Path) -> None:
    file = written(book(900, seed=2), tmp_path, kind)
    found = validated(folder, file, tmp_path / "out", "--period", "none")
    assert found["data"]["rows"] == 900
    assert found["remarks"] == ['1 row left out by number (1 "Total"); 2 rows left out by product (2 "test")']
    for figure in ("outcomes", "score", "features"):
        assert found[figure] == clean[figure]


def test_places_of_mistakes_are_those_of_the_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = written(book(900, seed=2), tmp_path, "csv").read_text().splitlines()
    lines[500] = "L,many,30,car,0"
    (tmp_path / "march.csv").write_text("\n".join(lines))
    given = ["--config", folder / "settings.toml", "--data", tmp_path / "march.csv", "--model", folder / "model"]
    assert validation.main([*map(str, given), "--out", str(tmp_path / "out"), "--quiet"]) == 1
    assert "line 501" in capsys.readouterr().err


def test_nothing_but_strays_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strays(book(900, seed=2)).to_csv(tmp_path / "march.csv", index=False)
    given = ["--config", folder / "settings.toml", "--data", tmp_path / "march.csv", "--model", folder / "model"]
    assert validation.main([*map(str, given), "--out", str(tmp_path / "out"), "--quiet"]) == 1
    assert "data.exclude leaves out every row" in capsys.readouterr().err


def test_a_table_without_the_column_is_read_whole(folder: Path, clean: dict[str, Any], tmp_path: Path) -> None:
    book(900, seed=2).drop(columns="number").to_csv(tmp_path / "march.csv", index=False)
    found = validated(folder, tmp_path / "march.csv", tmp_path / "out")
    assert "the table has no column number (data.exclude); no row is left out by it" in found["remarks"]
    assert found["outcomes"] == clean["outcomes"]


def test_the_flag_leaves_out_what_the_setting_does(folder: Path, clean: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "bare.toml").write_text("".join(line for line in SETTINGS.splitlines(True) if "exclude" not in line))
    file = written(book(900, seed=2), tmp_path, "csv")
    flags = ["--exclude", "number=Total,", "--exclude", "product=test", "--period", "none"]
    found = validated(folder, file, tmp_path / "out", "--config", str(tmp_path / "bare.toml"), *flags)
    assert found["outcomes"] == clean["outcomes"]
    assert found["data"]["rows"] == 900
