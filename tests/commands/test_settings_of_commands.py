"""Models, summaries and answers of the commands, by their settings and tables."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from export import verify
from storage.digest import sha256_of
from tests.applicants import SETTINGS, draw
from tests.commands.running import FEW_TREES, ROOT, command, mistake, wrong
from tests.model_folder import export
from training import run
from training.artifacts import load_artifacts

pytestmark = pytest.mark.tier("land")


@pytest.mark.tier("full")
def test_a_tuned_model_has_the_same_bytes_again(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same search, and without one by the settings that the run wrote, read in another folder."""
    tune = ["--config", str(table / "settings.toml"), "--tune", "3", "--calibration", "sigmoid", "--no-plots"]
    assert run.main([*tune, "--quiet", "--out", str(table / "a/artifacts")]) == 0
    assert run.main([*tune, "--quiet", "--out", str(table / "b/artifacts")]) == 0
    monkeypatch.chdir(table / "b")
    words = ["--config", str(table / "a/artifacts/settings.toml"), "--quiet"]
    assert run.main([*words, "--out", str(table / "c/artifacts")]) == 0
    for name in "abc":
        export(table / name)
    for name in ("model.onnx", "manifest.json"):
        first = (table / "a/model" / name).read_bytes()
        assert (table / "b/model" / name).read_bytes() == first
        assert (table / "c/model" / name).read_bytes() == first
    searched, repeated = (json.loads((table / name / "artifacts/run.json").read_text()) for name in "ac")
    assert searched["tuning"]["trials"] == 3
    assert repeated["tuning"] is None
    assert searched["settings"]["xgboost"] == repeated["settings"]["xgboost"] == searched["tuning"]["parameters"]


def test_bands_and_costs_that_are_set(table: Path) -> None:
    out, words = table / "artifacts", ["--bands", "450,500.5,550", "--gain", "60", "--loss", "700"]
    assert run.main([*map(str, wrong(table, *words))]) == 0
    export(table)
    assert json.loads((table / "model/manifest.json").read_text())["bands"] == [450, 500.5, 550]
    assert json.loads((out / "run.json").read_text())["bands"] == [450, 500.5, 550]
    for part in ("train", "test"):
        bands = pd.read_csv(out / f"bands_{part}.csv")["Band"].tolist()
        assert [name for name in bands if name.startswith("[")] == ["[450, 500.5)", "[500.5, 550]"]
    assert "Expected profit" in pd.read_csv(out / "cutoffs.csv")


def test_the_summary_says_how_sure_it_is_and_what_to_look_at(table: Path, capsys: Any) -> None:
    assert run.main([str(word) for word in wrong(table) if word != "--quiet"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "ROC-AUC" in said
    assert " to 0." in said
    assert "Cross-validated log loss: no calibration" in said
    assert "! The test has" in said


def test_strict_ends_with_1_where_an_alarm_was_raised_and_everything_is_written(table: Path, capsys: Any) -> None:
    said = mistake(capsys, 1, run.main, *wrong(table, "--strict"))
    content = json.loads((table / "artifacts/run.json").read_text())
    names = [alarm["name"] for alarm in content["alarms"]]
    assert "few defaults" in names
    assert said.startswith(f"{table / 'artifacts'}: {len(names)} alarm")
    assert f" raised: {', '.join(names)} (--strict); the results are written" in said
    assert (table / "artifacts/report.html").exists()


def test_strict_without_an_alarm_ends_with_0(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.evidence.alarms", lambda examined: [])
    assert run.main([*map(str, wrong(table, "--strict"))]) == 0


EXAMPLES = {
    "german_credit": {"duration_in_month": 24, "credit_amount": 2_000, "housing": "own", "purpose": "radio/television"},
    "lending_club": {"funded_amnt": 9_000, "int_rate": 12.5, "term": "term_36", "addr_state": "NY"},
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("calibration", ["sigmoid", "isotonic"])
def test_real_data_from_training_to_a_served_prediction(example: str, calibration: str, tmp_path: Path) -> None:
    settings = ROOT / "examples" / example / "settings.toml"
    arguments = ["--config", settings, "--out", tmp_path / "artifacts", "--calibration", calibration, "--quiet"]
    assert run.main([*map(str, arguments), "--no-plots"]) == 0
    export(tmp_path)
    request = {"uuid": "a", **EXAMPLES[example]}
    (tmp_path / "request.json").write_text(json.dumps(request))
    answer = command("runtime.ask", tmp_path / "request.json", "--model", tmp_path / "model")
    assert answer.returncode == 0, answer.stderr
    artifacts = load_artifacts(tmp_path / "artifacts")
    row = pd.DataFrame([request]).reindex(columns=artifacts.sample.columns)
    p = artifacts.pipeline.predict_proba(row)[0, 1]
    assert abs(json.loads(answer.stdout)["default_probability"] - p) <= (4.5e-16 if calibration == "sigmoid" else 0)
    certificate = json.loads((tmp_path / "model/certificate.json").read_text())
    assert certificate["total"]["margins_bit_equal"] == certificate["total"]["margins"]


def test_a_calibrated_cv_is_trained_and_exported(table: Path) -> None:
    isotonic = ["--calibration", "isotonic"]
    for number, form in enumerate([["--calibrate-on", "probability"], ["--no-ensemble"], [], isotonic]):
        out = table / str(number)
        words = ["--config", str(table / "settings.toml"), "--estimator", "calibrated-cv", *form]
        assert run.main([*words, "--out", str(out / "artifacts"), *FEW_TREES]) == 0
        export(out)
        calibration = json.loads((out / "artifacts/run.json").read_text())["calibration"]
        assert calibration["by"] == ("settings" if form == isotonic else "comparison")
        assert json.loads((out / "model/manifest.json").read_text())["calibration"]["method"] == calibration["chosen"]


def test_parquet_and_csv_give_the_same_model(table: Path) -> None:
    frame = pd.read_csv(table / "table.csv")
    frame["has_paid"] = frame["has_paid"].astype("boolean")
    frame.to_parquet(table / "table.parquet", index=False)
    settings = ["--config", str(table / "settings.toml")]
    assert run.main([*settings, "--out", str(table / "a/artifacts"), *FEW_TREES]) == 0
    parquet = ["--data", str(table / "table.parquet")]
    assert run.main([*settings, *parquet, "--out", str(table / "b/artifacts"), *FEW_TREES]) == 0
    for name in "ab":
        export(table / name)
    assert sha256_of(table / "a/model/model.onnx") == sha256_of(table / "b/model/model.onnx")


def test_monotone_signs_hold_on_every_tree(table: Path, capsys: Any) -> None:
    (table / "settings.toml").write_text(
        (table / "settings.toml").read_text() + "\n[xgboost.monotone_constraints]\nage = -1\nlate = 1\n"
    )
    out = table / "artifacts"
    assert run.main(["--config", str(table / "settings.toml"), "--out", str(out), *FEW_TREES]) == 0
    artifacts = load_artifacts(out)
    frame = artifacts.sample.copy()
    for column, sign in (("age", -1), ("late_1", 1)):
        last: Any = None
        for value in np.linspace(0, 100, 40):
            changed = frame.assign(**{column: value}, **({"late_2": np.nan} if column == "late_1" else {}))
            margin = artifacts.pipeline[:-1].transform(changed)
            margins = artifacts.pipeline[-1].decision_function(margin) * sign
            assert last is None or (margins >= last).all()
            last = margins
    export(table)
    certificate = json.loads((table / "model/certificate.json").read_text())
    assert [(found["feature"], found["sign"], found["holds"]) for found in certificate["monotone"]] == [
        ("age", -1, True),
        ("late", 1, True),
    ]
    folders = ["--artifacts", str(out), "--model", str(table / "model"), "--quiet"]
    assert verify.main(folders) == 0
    certificate["monotone"][1]["sign"] = -1
    (table / "model/certificate.json").write_text(json.dumps(certificate))
    assert "certificate.json: monotone: the certificate has" in mistake(capsys, 1, verify.main, *folders)


def test_rows_without_a_target_are_dropped_and_counted(table: Path) -> None:
    frame = pd.read_csv(table / "table.csv")
    frame["default"] = frame["default"].astype("Int64")
    frame.loc[:49, "default"] = pd.NA
    frame.to_csv(table / "table.csv", index=False)
    assert run.main([*map(str, wrong(table))]) == 0
    data = json.loads((table / "artifacts/run.json").read_text())["data"]
    assert (data["rows"], data["dropped_rows"]) == (550, 50)


def test_a_rare_level_is_answered_as_the_pool_and_only_an_unseen_one_is_warned_of(tmp_path: Path, capsys: Any) -> None:
    frame, target = draw(900)
    rng = np.random.default_rng(5)
    rare = rng.random(900) < 0.3
    frame["shop"] = np.where(rare, [f"corner {i % 40}" for i in range(900)], frame["shop"])
    frame.assign(default=np.where(rare, 1, target), uuid=range(900)).to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "settings.toml").write_text(SETTINGS)
    words = [flag for flag in FEW_TREES if flag != "--quiet"]
    assert run.main(["--config", str(tmp_path / "settings.toml"), "--out", str(tmp_path / "artifacts"), *words]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "features.shop: 40 of 43 levels have fewer than 10 training rows; they are pooled" in said
    export(tmp_path)
    [pool] = json.loads((tmp_path / "artifacts/run.json").read_text())["pools"]
    assert (pool["feature"], pool["levels"], pool["pooled"]) == ("shop", 43, 40)
    manifest = json.loads((tmp_path / "model/manifest.json").read_text())
    [shop] = [feature for feature in manifest["features"] if feature["name"] == "shop"]
    assert len(shop["vocabulary"]) == 43
    applicant = {"uuid": "1", "income": 9_000, "age": 40, "late_1": 1, "late_2": 0, "has_paid": True}
    answers = []
    for level in ("corner 7", "corner 8", "never seen", "shoes"):
        (tmp_path / "request.json").write_text(json.dumps(applicant | {"shop": level}))
        answer = command("runtime.ask", tmp_path / "request.json", "--model", tmp_path / "model")
        assert answer.returncode == 0, answer.stderr
        answers.append(json.loads(answer.stdout))
    assert ["category not seen in training" in json.dumps(answer) for answer in answers] == [False, False, True, False]
    first, second, unseen, shoes = (answer["default_probability"] for answer in answers)
    assert first == second == unseen > shoes
