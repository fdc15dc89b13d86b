"""A validation by period, by segment, over runs, and between two tables; and what is wrong with either."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import applicants
from tests.model_folder import train_and_export
from tests.validation.flat import flat
from validation import run as validation

pytestmark = pytest.mark.tier("land")


def book(rows: int, seed: int, first: str) -> pd.DataFrame:
    """Customers of six months, with a branch that is no feature; one branch has five customers."""
    frame, target = applicants.draw(rows, seed)
    months = pd.date_range(first, periods=6, freq="MS").strftime("%Y-%m-%d")
    branch = np.where(np.arange(rows) < 5, "Vals", np.where(np.arange(rows) % 3, "Bern", "Chur"))
    frame = frame.assign(default=target, uuid=[f"c{i}" for i in range(rows)], branch=branch)
    return frame.assign(applied=np.repeat(months, rows // 6), owed=np.arange(rows) % 50 + 1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained on a book with a split by time, and later customers."""
    folder = tmp_path_factory.mktemp("periods")
    book(1_500, 1, "2024-01-01").to_csv(folder / "table.csv", index=False)
    book(1_200, 2, "2025-01-01").to_csv(folder / "new.csv", index=False)
    own = '[split]\nmethod = "time"\ntime = "applied"\n[validation]\nexposure = "owed"\ndefinition = "90 days"\n'
    (folder / "settings.toml").write_text(f"{applicants.SETTINGS}[xgboost]\nn_estimators = 10\n{own}")
    train_and_export(folder)
    return folder


def validated(folder: Path, out: Path, data: "Path | pd.DataFrame", *words: object) -> tuple[dict[str, Any], str]:
    """Run a validation; return its findings and its page."""
    if isinstance(data, pd.DataFrame):
        out.parent.mkdir(parents=True, exist_ok=True)
        data.to_csv(out.parent / "data.csv", index=False)
        data = out.parent / "data.csv"
    given = ["--data", data, "--model", folder / "model", "--out", out, "--quiet", *words]
    assert validation.main(list(map(str, given))) == 0
    return flat(out), (out / "validation.html").read_text(encoding="utf-8")


def mistake(capsys: pytest.CaptureFixture[str], folder: Path, out: Path, data: pd.DataFrame, *words: object) -> str:
    data.to_csv(out, index=False)
    given = ["--data", out, "--model", folder / "model", "--out", out.parent / "none", "--quiet", *words]
    assert validation.main(list(map(str, given))) in (1, 2)
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    assert "Traceback" not in said
    return said


def test_periods_segments_and_exposures_are_those_of_the_table(folder: Path, tmp_path: Path) -> None:
    """The time and exposure columns are those that training recorded; a branch of five people is not shown."""
    words = ["--period", "month", "--segment", "branch", "--segment", "shop"]
    found, page = validated(folder, tmp_path / "out", folder / "new.csv", *words)
    new, sections = pd.read_csv(folder / "new.csv"), found["sections"]
    entries = sections["periods"]["figure"]["periods"]
    assert [entry["level"] for entry in entries] == [f"2025-0{month}" for month in range(1, 7)]
    for entry, (_, its) in zip(entries, new.groupby("applied"), strict=True):
        assert (entry["rows"], entry["defaults"]) == (len(its), its["default"].sum())
        assert entry["light"] in ("green", "yellow", "orange", "red")
        assert entry["psi"] is not None
    branches, shops = sections["segments"]["figure"]["segments"]
    assert [entry["level"] for entry in branches["levels"]] == ["Bern", "Chur"]
    assert (branches["hidden"], branches["rows_hidden"]) == (1, 5)
    assert "Vals" not in page
    assert "1 level with fewer than 30 rows, 5 in all, not shown." in page
    assert [entry["level"] for entry in shops["levels"]] == ["books", "garden", "shoes", "none"]
    assert sections["grades"]["figure"]["concentration"]["exposure"]["initial"] is not None
    assert "Default: 90 days." in page
    assert (found["data"]["first_time"], found["data"]["last_time"]) == ("2025-01-01", "2025-06-01")
    assert {path.name for path in (tmp_path / "out").glob("*.csv")} == {
        *("calibration.csv", "features.csv", "features_by_period.csv", "grades.csv", "periods.csv", "segments.csv")
    }


@pytest.mark.parametrize(("kind", "labels"), [("quarter", ["2025-Q1", "2025-Q2"]), ("year", ["2025"])])
def test_periods_may_be_quarters_or_years(folder: Path, tmp_path: Path, kind: str, labels: list[str]) -> None:
    found, _ = validated(folder, tmp_path / "out", folder / "new.csv", "--period", kind)
    assert [entry["level"] for entry in found["sections"]["periods"]["figure"]["periods"]] == labels


def test_a_folder_of_files_is_periods_in_the_order_of_time(folder: Path, tmp_path: Path) -> None:
    new = pd.read_csv(folder / "new.csv")
    files = tmp_path / "files"
    files.mkdir()
    for name, month in (("b", "2025-01-01"), ("a", "2025-02-01"), ("c", "2025-03-01")):
        new[new["applied"] == month].to_csv(files / f"{name}.csv", index=False)
    found, page = validated(folder, tmp_path / "out", files)
    assert [entry["level"] for entry in found["sections"]["periods"]["figure"]["periods"]] == ["b", "a", "c"]
    assert "files are in the order of their times, not of their names: b first" in page
    new[new["applied"] <= "2025-02-01"].to_csv(files / "a.csv", index=False)
    assert "periods overlap: " in validated(folder, tmp_path / "out", files)[1]


def test_outcomes_that_are_too_young_are_left_out_and_counted(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[validation]\ndate = 2026-03-15\nhorizon = 12\n")
    found, page = validated(folder, tmp_path / "out", folder / "new.csv", "--config", own)
    assert found["data"]["too_young"] == 600, "April to June"
    assert found["outcomes"]["rows"] == 600
    assert "600 rows left out of figures that need outcomes: less than 12 months before 2026-03-15" in page
    words = ["--date", "2025-03-15", "--horizon", "12"]
    found, page = validated(folder, tmp_path / "out", folder / "new.csv", *words)
    assert found["outcomes"] is None
    assert "every outcome is too young: 12 months had not passed on 2025-03-15" in page


def test_one_outcome_only_leaves_out_what_needs_both(folder: Path, tmp_path: Path) -> None:
    new = pd.read_csv(folder / "new.csv")
    found, page = validated(folder, tmp_path / "out", new.assign(default=pd.Series([1])))
    assert found["outcomes"]["roc_auc"] is None
    assert "Not possible, because every known outcome is a default." in page


def test_ids_twice_in_a_period_are_said_and_clusters_are_drawn(folder: Path, tmp_path: Path) -> None:
    new = pd.read_csv(folder / "new.csv")
    twice = new.assign(uuid=[f"c{i // 2}" for i in range(len(new))])
    found, page = validated(folder, tmp_path / "out", twice, "--period", "month")
    assert "600 rows with an id (uuid) that is in one period already; each counts" in page
    assert found["sections"]["discrimination"]["figure"]["method"] == "bootstrap of 600 clusters, 200 draws"
    low, high = found["sections"]["discrimination"]["figure"]["intervals"]["roc_auc"]
    assert low < found["outcomes"]["roc_auc"] < high
    over_time = new.assign(uuid=[f"c{i % 200}" for i in range(len(new))])
    found, page = validated(folder, tmp_path / "out", over_time, "--period", "month")
    assert "that is in one period already" not in page
    moved = found["sections"]["migrations"]["figure"]
    assert moved["between"] == "2025-01 and 2025-06"
    assert (moved["customers"], moved["gone"], moved["new"]) == (200, 0, 0)


def test_migrations_are_counted_between_two_tables(folder: Path, tmp_path: Path) -> None:
    new = pd.read_csv(folder / "new.csv")
    earlier = new.iloc[100:].assign(income=new["income"].iloc[100:] * 2)
    earlier.to_csv(tmp_path / "earlier.csv", index=False)
    words = ["--previous", tmp_path / "earlier.csv"]
    found, page = validated(folder, tmp_path / "out", new.iloc[:1_000], *words)
    its = found["sections"]["migrations"]["figure"]
    assert (its["customers"], its["gone"], its["new"]) == (900, 200, 100)
    assert sum(map(sum, its["matrix"])) == 900
    assert sum(its["matrix"][k][k] for k in range(len(its["grades"]))) == its["stayed"]
    assert "Matrix weighted bandwidth: upper (riskier)" in page


def test_history_keeps_a_file_a_run_and_draws_them(folder: Path, tmp_path: Path) -> None:
    new = pd.read_csv(folder / "new.csv")
    history = tmp_path / "history"
    for month in ("2025-02-01", "2025-01-01", "2025-03-01"):
        found, page = validated(folder, tmp_path / "out", new[new["applied"] == month], "--history", history)
    assert [entry["last_time"] for entry in found["history"]] == ["2025-01-01", "2025-02-01", "2025-03-01"]
    assert len(list(history.iterdir())) == 3
    assert '<h2 id="history">' in page
    assert page.count("<polyline") >= 4
    validated(folder, tmp_path / "out", new[new["applied"] == "2025-03-01"], "--history", history)
    assert len(list(history.iterdir())) == 3, "the same table and model replace their own"


def test_a_grade_without_rows_has_no_test(folder: Path, tmp_path: Path) -> None:
    found, page = validated(folder, tmp_path / "out", pd.read_csv(folder / "new.csv").iloc[:40])
    empty = [entry for entry in found["outcomes"]["grades"] if not entry["rows"]]
    assert all((entry["p"], entry["observed"], entry["light"]) == (None, None, None) for entry in empty)
    assert "NaN" not in page
    assert "nan" not in json.dumps(found["outcomes"]["grades"])


def test_wrong_input_is_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new, file = pd.read_csv(folder / "new.csv"), tmp_path / "data.csv"

    def told(*words: object, data: pd.DataFrame = new) -> str:
        return mistake(capsys, folder, file, data, *words)

    assert "no column regoin (validation.segments); did you mean" in told(
        "--segment", "regoin", data=new.rename(columns={"branch": "region"})
    )
    assert "expected at most 200 levels in a segment, got 1,200" in told("--segment", "uuid")
    assert "no column when (validation.time)" in told("--period", "month", "--time-column", "when")
    assert "validation.horizon: needs validation.date; set it too" in told("--horizon", 12)
    assert "validation.date: expected a date such as 2026-06-30" in told("--horizon", 12, "--date", "soon")
    assert "no column income (features.income)" in told(data=new.drop(columns="income")), "a table of another model"
    assert "an exposure of 0 or more" in told(data=new.assign(owed=-1.0))
    assert "--previous: needs ids" in told("--previous", folder / "new.csv", data=new.drop(columns="uuid"))
    assert "expected dates, column" in told("--period", "month", "--time-column", "owed")
    history = tmp_path / "history"
    history.mkdir()
    (history / "a.validation.json").write_text("{}")
    assert "schema_version: expected 1, got null" in told("--history", history)
