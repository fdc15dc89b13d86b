"""The validation of a weighted model, of files with and without weights, and of a plain model with weights."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from export import to_onnx
from tests.applicants import draw
from tests.runtime.model_builder import write_manifest
from tests.validation.flat import flat
from training import run
from training.artifacts import load_pipeline
from validation import run as monitor

pytestmark = pytest.mark.tier("land")

ROWS = 1_200
COLUMNS = ["--id", "", "--numbers", "income,age,debt", "--categories", "shop"]


def survey(seed: int) -> pd.DataFrame:
    frame, target = draw(ROWS, seed)
    grossing = np.random.default_rng(100 + seed).lognormal(0, 0.8, ROWS).round(3) + 0.001
    return frame.assign(default=target, grossing=grossing)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables, and the exported models that were trained with and without weights."""
    folder = tmp_path_factory.mktemp("monitor")
    survey(0).to_csv(folder / "table.csv", index=False)
    survey(1).to_csv(folder / "new.csv", index=False)
    survey(1).drop(columns="grossing").to_csv(folder / "bare.csv", index=False)
    for name, weight in (("weighted", ["--weight", "grossing"]), ("plain", [])):
        words = ["--data", str(folder / "table.csv"), *COLUMNS, *weight, "--n-estimators", "8", "--resamples", "50"]
        assert run.main([*words, "--no-plots", "--quiet", "--out", str(folder / f"artifacts-{name}")]) == 0
        words = ["--artifacts", str(folder / f"artifacts-{name}"), "--out", str(folder / name), "--quiet"]
        assert to_onnx.main(words) == 0
    return folder


def watched(folder: Path, data: str, model: str, *words: str) -> tuple[dict[str, Any], str]:
    """The figures and the page."""
    out = ["--out", str(folder / "page"), "--quiet"]
    assert monitor.main(["--data", str(folder / data), "--model", str(folder / model), *out, *words]) == 0
    return flat(folder / "page"), (folder / "page/validation.html").read_text(encoding="utf-8")


def test_a_weighted_model_finds_its_weights_in_new_files(folder: Path) -> None:
    found, page = watched(folder, "new.csv", "weighted")
    assert found["weight"] == "grossing"
    assert found["rows"] == {"expected": 900, "actual": ROWS, "weighted": True}
    assert "Weighted by grossing: shares, stability indices and outcomes." in page
    new = pd.read_csv(folder / "new.csv")
    shop = next(entry for entry in found["features"] if entry["feature"] == "shop")
    shares = {entry["bin"]: entry["actual"] for entry in shop["bins"]}
    for level, its in new.groupby("shop"):
        assert shares[str(level)] == pytest.approx(its["grossing"].sum() / new["grossing"].sum())
    assert shop["missing"] == pytest.approx(new["shop"].isna().mean()), "missing shares are of rows"
    p = load_pipeline(folder / "artifacts-weighted").predict_proba(new)[:, 1]
    outcomes, w, y = found["outcomes"], new["grossing"], new["default"]
    assert outcomes["roc_auc"] == pytest.approx(roc_auc_score(y, p, sample_weight=w))
    assert outcomes["log_loss"] == pytest.approx(log_loss(y, p, sample_weight=w))
    assert outcomes["brier"] == pytest.approx(brier_score_loss(y, p, sample_weight=w))
    assert outcomes["default_rate"] == pytest.approx(np.average(y, weights=w))
    assert outcomes["effective_rows"] == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert (outcomes["rows"], outcomes["defaults"]) == (ROWS, int(y.sum()))
    assert outcomes["low"] < outcomes["default_rate"] < outcomes["high"]


def test_a_file_without_the_weights_is_compared_by_rows(folder: Path) -> None:
    found, page = watched(folder, "bare.csv", "weighted")
    assert (found["weight"], found["rows"]["weighted"]) == (None, False)
    assert "training rows have weights and this file has none: every figure is of rows." in page
    assert "effective_rows" not in found["outcomes"]
    new = pd.read_csv(folder / "bare.csv")
    shop = next(entry for entry in found["features"] if entry["feature"] == "shop")
    shares = {entry["bin"]: entry["actual"] for entry in shop["bins"]}
    assert shares["shoes"] == pytest.approx((new["shop"] == "shoes").mean())


def test_a_plain_model_has_its_indices_by_rows(folder: Path) -> None:
    weighted, page = watched(folder, "new.csv", "plain", "--weight", "grossing")
    plain, bare = watched(folder, "new.csv", "plain")
    assert (weighted["weight"], plain["weight"]) == ("grossing", None)
    assert weighted["features"] == plain["features"]
    assert weighted["outcomes"]["roc_auc"] != plain["outcomes"]["roc_auc"]
    assert "Outcomes are weighted by grossing; the model has no weights of its training rows" in page
    assert "weighted" not in bare
    assert "weighted" not in plain["rows"]


def test_the_toml_names_the_weights_too(folder: Path) -> None:
    renamed = survey(1).rename(columns={"grossing": "factor"})
    renamed.to_csv(folder / "renamed.csv", index=False)
    (folder / "loans.toml").write_text('[data]\nweight = "factor"\n')
    found, _ = watched(folder, "renamed.csv", "weighted", "--config", str(folder / "loans.toml"))
    assert (found["weight"], found["rows"]["weighted"]) == ("factor", True)


def test_weights_that_a_flag_names_must_be_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--data", str(folder / "bare.csv"), "--model", str(folder / "weighted"), "--out", str(folder / "no")]
    assert monitor.main([*words, "--weight", "grossing", "--quiet"]) == 1
    line = capsys.readouterr().err
    assert "grossing" in line
    assert "Traceback" not in line
    assert not (folder / "no").exists()


def test_wrong_weights_of_a_new_file_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survey(1).assign(grossing=[-1.0] + [1.0] * (ROWS - 1)).to_csv(folder / "wrong.csv", index=False)
    words = ["--data", str(folder / "wrong.csv"), "--model", str(folder / "weighted"), "--out", str(folder / "no")]
    assert monitor.main([*words, "--quiet"]) == 1
    assert "column grossing: expected a weight above 0 in every row, got -1 (line 2)" in capsys.readouterr().err


def test_equal_weights_of_a_new_file_are_taken(folder: Path) -> None:
    survey(1).assign(grossing=3).to_csv(folder / "equal.csv", index=False)
    found, _ = watched(folder, "equal.csv", "weighted")
    assert found["rows"]["weighted"] is True
    assert found["outcomes"]["effective_rows"] == pytest.approx(ROWS)


def test_a_request_needs_no_weight_and_the_manifest_names_it(folder: Path) -> None:
    manifest = json.loads((folder / "weighted/manifest.json").read_bytes())
    assert manifest["reference"]["weight"] == "grossing"
    assert "grossing" not in [feature["name"] for feature in manifest["features"]]
    assert "grossing" not in manifest["inputs"]["numbers"]


@pytest.mark.parametrize(
    "change",
    [
        lambda reference: reference["score"].pop("weights"),
        lambda reference: reference["score"]["weights"].pop(),
        lambda reference: reference["features"]["age"]["weights"].__setitem__(0, -1.0),
        lambda reference: reference["features"]["age"].update(weights="many"),
        lambda reference: reference.update(effective_rows=10 * reference["rows"]),
        lambda reference: reference.update(effective_rows=None),
    ],
)
def test_damaged_weights_of_a_reference_are_refused(
    change: Callable[[Any], object], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder / "weighted", tmp_path / "model")
    manifest = json.loads((tmp_path / "model/manifest.json").read_bytes())
    change(manifest["reference"])
    write_manifest(tmp_path / "model", manifest)
    words = ["--data", str(folder / "new.csv"), "--model", str(tmp_path / "model"), "--quiet"]
    assert monitor.main([*words, "--out", str(tmp_path / "no")]) == 1
    assert "is not the histograms of these features" in capsys.readouterr().err
