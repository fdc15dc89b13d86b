"""A validation as a user runs it: customers who are alike, who are not, whose outcomes are known, and wrong input."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from cli.words import nearest
from export import to_onnx
from runtime.score import Scale, band
from tests.applicants import draw
from tests.conftest import Opened
from tests.fonts import FONT_SETS
from tests.pages import assert_good_page, assert_nothing_is_cut_off
from tests.runtime.model_builder import write_manifest
from tests.validation.flat import flat
from training import run
from training.artifacts import load_pipeline
from training.settings.tables import DECLARED
from validation import run as monitor
from validation import served
from validation.bands import scores_of
from validation.served import Served

pytestmark = pytest.mark.tier("land")

ROOT = Path(__file__).parents[2]
SETTINGS = """
[data]
file = "training.csv"
id = ""
target = "outcome"
positive = "bad"
[features]
income = { type = "number", log1p = true }
debt = "number"
age = "number"
late_1 = "number"
late_2 = "number"
has_paid = "boolean"
shop = "category"
region = { type = "category", vocabulary = ["north", "south", "books"] }
[row_max]
late = ["late_1", "late_2"]
[split]
test_size = 0.5
[model]
calibration = "sigmoid"
[xgboost]
n_estimators = 15
[stability]
feature_limit = 0.2
"""


def table(rows: int, seed: int) -> pd.DataFrame:
    frame, target = draw(rows, seed)
    return frame.drop(columns="late_3").assign(outcome=np.where(target == 1, "bad", "good"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts and a model of 4,000 applicants, their settings, and 2,000 others of the same population."""
    folder = tmp_path_factory.mktemp("monitor")
    table(4_000, seed=1).to_csv(folder / "training.csv", index=False)
    table(2_000, seed=2).to_csv(folder / "same.csv", index=False)
    (folder / "settings.toml").write_text(SETTINGS)
    words = ["--config", str(folder / "settings.toml"), "--out", str(folder / "artifacts"), "--no-plots", "--quiet"]
    assert run.main(words) == 0
    assert to_onnx.main(["--artifacts", str(folder / "artifacts"), "--out", str(folder / "model"), "--quiet"]) == 0
    return folder


@pytest.fixture
def same(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "same.csv")


def watched(folder: Path, tmp_path: Path, frame: "pd.DataFrame | Path", *words: object) -> tuple[int, dict[str, Any]]:
    """The exit status of --strict and the figures for a table, by its settings' target."""
    file = frame if isinstance(frame, Path) else tmp_path / "new.csv"
    if not isinstance(frame, Path):
        frame.to_csv(file, index=False)
    out = tmp_path / "out"
    target = ["--target", "outcome", "--positive", "bad"] if "--config" not in words else []
    strict = [] if "--no-strict" in words else ["--strict"]
    words = tuple(word for word in words if word != "--no-strict")
    given = ["--data", file, "--model", folder / "model", "--out", out, "--quiet", *strict, *target, *words]
    status = monitor.main(list(map(str, given)))
    return status, flat(out) if (out / "validation.json").exists() else {}


def mistake(capsys: pytest.CaptureFixture[str], status: int, *words: object) -> str:
    """The one line of a mistake."""
    assert monitor.main([*map(str, words), "--quiet"]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert "Traceback" not in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    return captured.err.strip().removeprefix("error: ")


# ---------------------------------------------------------------- the model and its reference


def test_the_manifest_holds_the_training_rows_as_histograms(folder: Path) -> None:
    """The reference is that of reference.json, with the test's metrics: small, and unread by the runtime."""
    manifest = json.loads((folder / "model/manifest.json").read_text())
    written = json.loads((folder / "artifacts/reference.json").read_text())
    metrics = json.loads((folder / "artifacts/metrics.json").read_text())["test"]
    reference = manifest["reference"]
    compared = reference.pop("metrics")
    assert reference == written
    assert compared == {name: pytest.approx(metrics[name], abs=1e-6) for name in compared}
    assert {"rows", "default_rate", "roc_auc", "log_loss", "brier"} <= compared.keys()
    assert reference["rows"] == 2_000
    assert reference["limits"] == {"score": 0.25, "feature": 0.2}
    assert list(reference["features"]) == [feature["name"] for feature in manifest["features"]]
    assert len(json.dumps(reference)) < 2_500


def test_probabilities_are_the_pipeline_s_in_any_batches(
    folder: Path, same: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    its = Served.load(folder / "model")
    frame = same[[feature.name for feature in its.features]].astype({"shop": object, "region": object})
    expected = load_pipeline(folder / "artifacts").predict_proba(frame)[:, 1]
    np.testing.assert_allclose(its.probabilities(frame, lambda detail: None), expected, rtol=0, atol=4.5e-16)
    monkeypatch.setattr(served, "ROWS_AT_ONCE", 301)
    shown: list[str] = []
    np.testing.assert_allclose(its.probabilities(frame, shown.append), expected, rtol=0, atol=4.5e-16)
    assert shown[-1] == "2,000"
    monkeypatch.setattr(served, "CELLS_AT_ONCE", 100 * sum(len(feature.vocabulary) or 1 for feature in its.features))
    shown.clear()
    np.testing.assert_allclose(its.probabilities(frame, shown.append), expected, rtol=0, atol=4.5e-16)
    assert shown[:2] == ["100", "200"]


# ---------------------------------------------------------------- what is found


def test_others_of_the_same_population_have_not_moved(folder: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    status, found = watched(folder, tmp_path, same)
    assert (status, found["moved"]) == (0, [])
    assert found["rows"] == {"expected": 2_000, "actual": 2_000}
    assert found["score"]["psi"] < 0.05
    page = (tmp_path / "out/validation.html").read_text()
    assert "No finding is beyond its limit." in page
    assert found["data"]["sha256"] in page


def test_what_has_moved_is_named(
    folder: Path, same: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = same.assign(income=same["income"] / 20, shop=same["shop"].where(same["shop"] != "books", "bakery"))
    status, found = watched(folder, tmp_path, moved)
    assert status == 1
    assert found["moved"] == ["score", "income", "shop"]
    said = capsys.readouterr().err
    assert said.startswith(f"error: {tmp_path}/new.csv: ")
    for name in ("The score has moved", "income has moved", "shop has moved"):
        assert name in said
    assert said.endswith(f"(--strict); see {tmp_path}/out/validation.html\n")
    assert watched(folder, tmp_path, moved, "--no-strict") == (0, found)
    assert capsys.readouterr().err == ""
    page = (tmp_path / "out/validation.html").read_text()
    assert "The score has moved." in page
    assert "shop has moved." in page
    assert {finding["whose"] for finding in found["findings"] if finding["name"] == "income has moved"} == {
        "own policy"
    }, "the limit of the settings, not custom's"
    assert "bakery" in page


def test_what_training_did_not_have(folder: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    changed = same.copy()
    changed.loc[:399, "age"] = np.nan
    changed.loc[400:409, "age"] = 10
    changed.loc[410:419, "age"] = 200
    changed.loc[:599, "region"] = "west"
    changed.loc[600:609, "region"] = "east"
    _, found = watched(folder, tmp_path, changed)
    by_name = {entry["feature"]: entry for entry in found["features"]}
    age, region = by_name["age"], by_name["region"]
    assert age["missing"] == changed["age"].isna().mean()
    training = pd.read_csv(folder / "training.csv")["age"].isna().mean()
    assert age["missing_in_training"] == pytest.approx(training, abs=0.03)
    assert (age["unseen"], age["examples"]) == (20 / 2_000, [10, 200])
    assert region["unseen"] == 610 / 2_000
    assert region["examples"] == ["west", "east"]
    assert by_name["has_paid"]["unseen"] == 0


def test_outcomes_are_compared_with_the_pipeline_s_predictions(
    folder: Path, same: pd.DataFrame, tmp_path: Path
) -> None:
    """Figures as scikit-learn computes them from the pipeline's probabilities of the rows that have matured."""
    frame = same.copy()
    frame.loc[1_500:, "outcome"] = None
    _, found = watched(folder, tmp_path, frame)
    its = found["outcomes"]
    assert (its["rows"], its["unknown"]) == (1_500, 500)
    probability = load_pipeline(folder / "artifacts").predict_proba(frame)[:1_500, 1]
    target = (frame["outcome"][:1_500] == "bad").to_numpy()
    assert its["default_rate"] == target.mean()
    assert its["low"] < its["default_rate"] < its["high"]
    assert its["mean_probability"] == pytest.approx(probability.mean())
    assert its["roc_auc"] == pytest.approx(roc_auc_score(target, probability))
    assert its["log_loss"] == pytest.approx(log_loss(target, probability))
    assert its["brier"] == pytest.approx(brier_score_loss(target, probability))
    metrics = json.loads((folder / "artifacts/metrics.json").read_text())["test"]
    assert its["training"]["roc_auc"] == pytest.approx(metrics["roc_auc"], abs=1e-6)
    edges = json.loads((folder / "model/manifest.json").read_text())["bands"]
    names = [band(score, edges) for score in scores_of(probability, Scale())]
    labels = [entry["grade"] for entry in its["grades"]]
    nearest_band = {"below": labels[0], "above": labels[-1]}
    places = pd.Series([nearest_band.get(name.split()[0], name) for name in names])
    assert sum(entry["rows"] for entry in its["grades"]) == 1_500
    for entry in its["grades"]:
        inside = (places == entry["grade"]).to_numpy()
        assert (entry["rows"], entry["defaults"]) == (inside.sum(), target[inside].sum())
        assert entry["applied"] == pytest.approx(probability[inside].mean())


def test_outcomes_of_one_kind_or_none_leave_figures_out(folder: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    _, found = watched(folder, tmp_path, same.assign(outcome="good"))
    assert (found["outcomes"]["defaults"], found["outcomes"]["roc_auc"]) == (0, None)
    _, found = watched(folder, tmp_path, same.assign(outcome=None))
    assert found["outcomes"] is None
    assert "Not possible, because no outcome is known yet." in (tmp_path / "out/validation.html").read_text()


def test_a_file_may_lack_the_target(folder: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    """By the settings it may be missing; where a flag asks for it, it has to be there."""
    file = tmp_path / "new.parquet"
    same.drop(columns="outcome").to_parquet(file)
    words = ["--config", folder / "settings.toml"]
    status, found = watched(folder, tmp_path, file, *words)
    assert (status, found["outcomes"]) == (0, None)
    page = (tmp_path / "out/validation.html").read_text()
    assert "Not possible, because the table has no column outcome." in page
    assert "set beside the 2,000 that the model was trained on" in page


def test_limits_come_from_flags_the_settings_and_the_manifest(folder: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    def limits(*words: object) -> tuple[float, float]:
        _, found = watched(folder, tmp_path, same, *words)
        return found["score"]["limit"], found["features"][0]["limit"]

    assert limits() == (0.25, 0.2)
    assert limits("--feature-limit", 0.3) == (0.25, 0.3)
    config = tmp_path / "other.toml"
    config.write_text((folder / "settings.toml").read_text().replace("feature_limit = 0.2", "score_limit = 0.4"))
    assert limits("--config", config) == (0.4, 0.25)
    assert limits("--config", config, "--score-limit", 0.5) == (0.5, 0.25)


def test_only_tables_of_training_are_left_unread(
    folder: Path, same: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The TOML is that of the training: a table that no command knows may be meant for this one."""
    config = tmp_path / "other.toml"
    config.write_text(SETTINGS.replace("sigmoid", "of a later version"))
    assert watched(folder, tmp_path, same, "--config", config)[0] == 0
    config.write_text(SETTINGS.replace("[stability]", "[stabilty]"))
    assert watched(folder, tmp_path, same, "--config", config)[0] == 2
    assert "other.toml: stabilty: unknown table; did you mean stability?" in capsys.readouterr().err
    ours = ("data", "features", "stability", "validation", "fairness")
    others = [name for name in DECLARED if name not in (*ours, *monitor.LIKE_OURS)]
    assert [nearest(name, ours) for name in others] == [None] * len(others)


def test_few_applicants_have_to_move_further(folder: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    few = same.head(15).assign(outcome=None)
    status, found = watched(folder, tmp_path, few, "--score-limit", 0.01, "--feature-limit", 0.01)
    assert (status, found["moved"]) == (0, [])
    assert not [finding for finding in found["findings"] if finding["section"] == "stability"]
    assert max(entry["csi"] for entry in found["features"]) > 0.01
    assert "chance\nalone passes the limit of 0.01" in (tmp_path / "out/validation.html").read_text()


# ---------------------------------------------------------------- the command


def test_the_command_writes_page_figures_and_tables(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [sys.executable, "-m", "validation.run", "--data", str(folder / "same.csv"), "--model"]
    words += [str(folder / "model"), "--out", str(tmp_path / "out")]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (said.returncode, said.stdout) == (0, ""), said.stderr
    for text in ("Scoring 2,000 rows", "No finding is beyond its limit.", "Written to"):
        assert text in said.stderr
    names = {"validation.html", "validation.json", "features.csv", "grades.csv"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert monitor.main([*words[3:], "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_help_groups_the_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        monitor.main(["--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    for text in ("python -m validation.run --data FILE", "input and output:", "the table:", "limits:", "Exit status"):
        assert text in said


def test_wrong_input_leaves_the_last_good_page(
    folder: Path, same: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "new.csv", tmp_path / "out"
    out.mkdir()
    (out / "validation.html").write_text("the last good page")
    usual = ["--data", file, "--model", folder / "model", "--out", out]

    def told(frame: "pd.DataFrame | str", status: int = 1, *words: object) -> str:
        if isinstance(frame, str):
            file.write_text(frame)
        else:
            frame.to_csv(file, index=False)
        return mistake(capsys, status, *usual, *words).replace(f"{tmp_path}/", "")

    stays = "; the last good page is as it was"
    assert told("") == "new.csv: is empty; expected a header and rows"
    assert told(same.head(0)) == "new.csv: has a header and no rows; expected rows"
    assert told(same.rename(columns={"income": "incomes"})).startswith(
        "new.csv: no column income (features.income); did you mean incomes? its columns, separated by"
    )
    assert 'column age: expected a number, with a decimal point, got "old" (line 2)' in told(same.assign(age="old"))
    assert told(same, 1, "--target", "result").startswith("new.csv: no column result (data.target)")
    assert told(same, 1, "--target", "region").startswith(
        'new.csv: target region: no row has "1" (data.positive), found: books'
    )
    words = ["--target", "outcome", "--positive", "yes"]
    assert 'no row has "yes" (data.positive), found: bad, good' in told(same, 1, *words)
    assert "score_limit: expected a number above 0, got 0" in told(same, 2, "--score-limit", 0)
    assert mistake(capsys, 2, "--model", folder / "model") == (
        "--data: expected a file or a folder of them, got none; name one"
    )
    assert "expected a new folder or one of an earlier run" in mistake(capsys, 1, *usual[:4], "--out", tmp_path)
    assert "expected a folder, got s3://" in mistake(capsys, 2, *usual[:4], "--out", "s3://bucket/page")
    assert "no such file" in mistake(capsys, 1, "--data", tmp_path / "none.csv", *usual[2:])
    assert "expected a folder with model.onnx" in mistake(capsys, 1, *usual[:2], "--model", tmp_path / "none")
    (tmp_path / "full").write_text("a file")
    assert mistake(capsys, 1, *usual[:4], "--out", tmp_path / "full/page").endswith(stays)
    assert (out / "validation.html").read_text() == "the last good page"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "new.csv", "out"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda manifest: manifest.pop("reference"), "expected the training rows' histograms, got none"),
        (lambda manifest: manifest["reference"]["features"].pop("age"), "is not the histograms of these features"),
        (lambda manifest: manifest["reference"]["score"]["counts"].pop(), "is not the histograms of these features"),
        (lambda manifest: manifest["reference"].update(limits={}), "is not the histograms of these features"),
        (lambda manifest: manifest.update(reference=[]), "is not the histograms of these features"),
        (lambda manifest: manifest["reference"].pop("rows"), "is not the histograms of these features"),
    ],
)
def test_a_manifest_without_a_whole_reference_is_refused(
    change: Callable[[Any], object], message: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder / "model", tmp_path / "model")
    manifest = json.loads((tmp_path / "model/manifest.json").read_text())
    change(manifest)
    write_manifest(tmp_path / "model", manifest)
    said = mistake(capsys, 1, "--data", folder / "same.csv", "--model", tmp_path / "model", "--out", tmp_path / "page")
    assert (
        said
        == f"{tmp_path}/model/manifest.json: reference: {message}; export the model again (python -m export.to_onnx)"
    )


# ---------------------------------------------------------------- the page


def test_the_default_cut_off_is_the_model_s_own(folder: Path) -> None:
    """The one of its reasons first; else of the limits of bands the one nearest to the score of a fifth of the rows."""
    its = Served.load(folder / "model")
    manifest, histogram = its.model.manifest, its.reference["score"]
    scores = scores_of(its.probabilities(_read(folder, "training.csv"), lambda _: None), manifest.scale)
    found = its.cutoff
    assert found is not None
    a_fifth = histogram["edges"][1]
    assert (scores < a_fifth).mean() == pytest.approx(0.2, abs=0.03)
    assert abs(found[0] - a_fifth) == min(abs(limit - a_fifth) for limit in manifest.bands[1:-1])
    document = {**manifest.document, "reasons": {"basis": {"reference_scores": [512.0, 530.0]}}}
    with_reasons = replace(its, model=SimpleNamespace(manifest=SimpleNamespace(document=document)))  # type: ignore[arg-type]
    assert with_reasons.cutoff == (512.0, "the cut-off of the model's reasons")
    one_band = SimpleNamespace(document=manifest.document, bands=(300.0, 900.0))
    assert replace(its, model=SimpleNamespace(manifest=one_band)).cutoff is None  # type: ignore[arg-type]


def _read(folder: Path, name: str) -> pd.DataFrame:
    its = Served.load(folder / "model")
    frame = pd.read_csv(folder / name)[[feature.name for feature in its.features]]
    return frame.astype({"shop": object, "region": object})


def test_groups_of_people_are_compared_and_named_nowhere_else(
    folder: Path, same: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sex = np.random.default_rng(0).choice(["zz-woman", "man"], len(same))
    status, found = watched(folder, tmp_path, same.assign(sex=sex), "--fairness-groups", "sex")
    assert status == 0
    [its] = found["sections"]["fairness"]["figure"]["attributes"]
    assert {group["group"]: group["rows"] for group in its["groups"]} == pd.Series(sex).value_counts().to_dict()
    figure = found["sections"]["fairness"]["figure"]
    manifest = json.loads((folder / "model/manifest.json").read_text())
    assert figure["cutoff"] in manifest["bands"][1:-1]
    assert figure["cutoff_by"] == "the limit of a band nearest to approving 80% of the training rows"
    assert found["sections"]["weak"]["figure"]["of"] == len(same)
    assert found["sections"]["robustness"]["figure"]["rows"] == 1_000
    page = (tmp_path / "out" / "validation.html").read_text(encoding="utf-8")
    assert '<h2 id="fairness">' in page
    assert "Approval by sex" in page
    assert "the limit of a band nearest to approving 80% of the training rows" in page
    assert "zz-woman" not in capsys.readouterr().out
    (tmp_path / "groups.toml").write_text(
        '[data]\ntarget = "outcome"\npositive = "bad"\n[fairness]\ngroups = ["sex"]\n'
    )
    _, without = watched(folder, tmp_path, same, "--config", tmp_path / "groups.toml")
    assert without["sections"]["fairness"]["figure"] is None
    assert "the table has no column sex (fairness.groups)" in without["remarks"]
    common = (
        "--data",
        tmp_path / "new.csv",
        "--model",
        folder / "model",
        "--out",
        tmp_path / "no",
        "--fairness-groups",
    )
    assert "age is a feature of the model" in mistake(capsys, 2, *common, "age")
    assert "sex" in mistake(capsys, 1, *common, "sex")


def test_the_page_fits_a_browser(
    folder: Path, same: pd.DataFrame, tmp_path: Path, open_page: Callable[..., Opened]
) -> None:
    hostile = same.assign(
        income=same["income"] * 9, shop=same["shop"].where(same["shop"] != "books", "<img src=x onerror=alert(1)>")
    )
    assert watched(folder, tmp_path, hostile)[0] == 1
    assert_good_page(tmp_path / "out/validation.html", open_page)
    for fonts in FONT_SETS:
        assert_nothing_is_cut_off(tmp_path / "out/validation.html", open_page, fonts)
