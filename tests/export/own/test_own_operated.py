"""An own model in operation: its rows have dates, it is monitored on a table with them, and served from its package."""

import json
import platform
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from export.packaging.target import Target, architecture
from tests.export.own.pipelines import booster, exported, rows_of, served, usual
from tests.export.packaging.build_command import package
from tests.export.packaging.lambda_process import environment, install_base, running
from validation import run as monitor

pytestmark = pytest.mark.tier("land")
X, Y = rows_of(400)


def with_dates(frame: pd.DataFrame, first: str) -> pd.DataFrame:
    """The rows with columns that no request can have: dates, and texts among numbers."""
    since = pd.date_range(first, periods=len(frame), freq="D")
    never = pd.Series(index=frame.index, dtype="datetime64[ns]")
    return frame.assign(since=since, zoned=since.tz_localize("UTC"), day=since.date, never=never, note=[1, "a"] * 200)


GIVEN = with_dates(X, "2023-01-01")


@pytest.fixture(scope="module")
def fitted() -> Any:
    """A pipeline that was fitted on rows with dates and drops them."""
    return make_pipeline(usual(), booster()).fit(GIVEN, Y)


@pytest.fixture(scope="module")
def model(fitted: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("own") / "model"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("export.own.proof.RANDOM_AND_REAL_ROWS", 500)
        patch.setattr("export.certificate.certify.SINGLE_ROWS", 20)
        _, answering = exported(fitted, GIVEN, out, Y)
    assert (served(answering, X) == fitted.predict_proba(GIVEN)[:, 1]).all()
    return out


def test_columns_that_the_pipeline_drops_may_be_dates(model: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
    assert {feature["name"] for feature in manifest["features"]} == set(X.columns)


def test_a_model_is_monitored_by_periods_of_a_date_that_it_drops(model: Path, tmp_path: Path) -> None:
    rows, outcomes = rows_of(400, seed=9)
    with_dates(rows, "2024-01-01").drop(columns="note").assign(bad=outcomes).to_parquet(tmp_path / "new.parquet")
    given = ["--model", model, "--data", tmp_path / "new.parquet", "--target", "bad", "--id", "", "--quiet"]
    given += ["--time-column", "since", "--period", "quarter", "--out", tmp_path / "validated"]
    assert monitor.main([*map(str, given)]) == 0
    found = json.loads((tmp_path / "validated" / "validation.json").read_text(encoding="utf-8"))
    assert (found["data"]["rows"], found["data"]["without_time"]) == (400, 0)
    periods = found["sections"]["periods"]["figure"]["periods"]
    assert [period["level"] for period in periods] == ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4", "2025-Q1"]


@pytest.mark.tier("full")
def test_the_package_answers_as_the_pipeline_does(model: Path, fitted: Any, tmp_path: Path) -> None:
    target = Target((sys.version_info[0], sys.version_info[1]), architecture(platform.machine()))
    assert package(model, tmp_path / "dist", target) == 0
    (tmp_path / "home").mkdir()
    variables = environment(tmp_path / "dist" / "task", install_base(tmp_path / "base"), tmp_path / "home")
    applicants = json.loads(X.head(20).to_json(orient="records"))
    expected = fitted.predict_proba(GIVEN.head(20))[:, 1].astype(float).tolist()
    with running(variables, tmp_path / "log") as function:
        for number, applicant in enumerate(applicants):
            direct = json.dumps({"uuid": str(number), **applicant}).encode()
            assert function.api.invoke(direct).document["default_probability"] == expected[number]
