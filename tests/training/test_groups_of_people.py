"""Columns of groups of people: read beside the features, in the report, and nowhere that serves."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cli.errors import UserError
from cli.progress import Progress
from tests import applicants
from training import run
from training.settings import Settings, settings_from_dict

SECRET = "zz-woman"
QUIET = Progress(quiet=True)


def settings(folder: Path, **fairness: Any) -> Settings:
    """The settings of a small table with a column `sex` that is no feature; the file is written once."""
    file = folder / "table.csv"
    if not file.exists():
        frame, target = applicants.draw(1_000)
        sex = np.random.default_rng(0).choice([SECRET, "man"], len(frame))
        frame.assign(default=target, sex=sex, weight=1 + frame.index % 3).to_csv(file, index=False)
    features = {**dict.fromkeys(applicants.NUMBERS, "number"), **dict.fromkeys(applicants.CATEGORIES, "category")}
    content = {
        "data": {"file": str(file), "id": "", "weight": "weight"},
        "features": {name: kind for name, kind in features.items() if name != "age"},
        "xgboost": {"n_estimators": 5},
        "evaluation": {"resamples": 50},
        "reasons": {"reference": "none"},
        "fairness": fairness,
    }
    return settings_from_dict(content)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The artifacts of a run with groups, and of one without."""
    folder = tmp_path_factory.mktemp("people")
    with_groups = settings(folder, groups=["sex", "age"], bins={"age": [30, 60]}, least=20)
    run.train(with_groups, folder / "with", QUIET)
    run.train(settings(folder), folder / "without", QUIET)
    return {"with": folder / "with", "without": folder / "without"}


def test_groups_change_no_byte_of_what_serves(folders: dict[str, Path]) -> None:
    for name in ("pipeline.skops", "schema.json", "reference.json", "sample.parquet", "metrics.json", "cutoffs.csv"):
        assert (folders["with"] / name).read_bytes() == (folders["without"] / name).read_bytes(), name


def test_people_s_groups_are_in_the_report_and_the_record_only(folders: dict[str, Path]) -> None:
    holders = {
        path.name for path in folders["with"].rglob("*") if path.is_file() and SECRET in path.read_text("latin1")
    }
    assert holders == {"report.html", "run.json", "ratios_0.svg"}
    assert "sex" not in pd.read_parquet(folders["with"] / "sample.parquet")
    assert '<h2 id="fairness">' in (folders["with"] / "report.html").read_text()
    assert '<h2 id="fairness">' not in (folders["without"] / "report.html").read_text()


def test_the_record_has_the_test_s_groups(folders: dict[str, Path]) -> None:
    record = json.loads((folders["with"] / "run.json").read_text())
    sex, age, both = record["fairness"]["attributes"]
    assert (
        sum(group["rows"] for group in sex["groups"]) == record["split"]["test"]["rows"] == record["fairness"]["rows"]
    )
    assert {group["group"] for group in age["groups"]} == {"below 30", "30 to below 60", "60 and above", "missing"}
    assert both["columns"] == ["sex", "age"]
    assert json.loads((folders["without"] / "run.json").read_text())["fairness"] is None


def test_a_group_that_the_file_has_not_is_refused_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"fairness\.groups"):
        run.train(settings(tmp_path, groups=["gender"]), tmp_path / "out", QUIET)


def test_a_reference_without_rows_is_refused_before_the_fit(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"fairness\.reference\.sex: no applicant has men"):
        run.train(settings(tmp_path, groups=["sex"], reference={"sex": "men"}), tmp_path / "out", QUIET)
