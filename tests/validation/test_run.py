"""Findings of a validation: customers who are alike, who are not, and whose outcomes are known."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from cli.words import nearest
from runtime.score import Scale, band
from tests.validation.watched import SETTINGS, mistake, watched
from training.artifacts import load_pipeline
from training.settings.tables import DECLARED
from validation import run as monitor
from validation import served
from validation.bands import scores_of
from validation.served import Served

pytestmark = pytest.mark.tier("land")


def test_the_manifest_holds_the_training_rows_as_histograms(trained: Path) -> None:
    """The reference is that of reference.json, with the test's metrics: small, and unread by the runtime."""
    manifest = json.loads((trained / "model/manifest.json").read_text())
    written = json.loads((trained / "artifacts/reference.json").read_text())
    metrics = json.loads((trained / "artifacts/metrics.json").read_text())["test"]
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
    trained: Path, same: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    its = Served.load(trained / "model")
    frame = same[[feature.name for feature in its.features]].astype({"shop": object, "region": object})
    expected = load_pipeline(trained / "artifacts").predict_proba(frame)[:, 1]
    np.testing.assert_allclose(its.probabilities(frame, lambda detail: None), expected, rtol=0, atol=4.5e-16)
    monkeypatch.setattr(served, "ROWS_AT_ONCE", 301)
    shown: list[str] = []
    np.testing.assert_allclose(its.probabilities(frame, shown.append), expected, rtol=0, atol=4.5e-16)
    assert shown[-1] == "2,000"
    monkeypatch.setattr(served, "CELLS_AT_ONCE", 100 * sum(len(feature.vocabulary) or 1 for feature in its.features))
    shown.clear()
    np.testing.assert_allclose(its.probabilities(frame, shown.append), expected, rtol=0, atol=4.5e-16)
    assert shown[:2] == ["100", "200"]


def test_others_of_the_same_population_have_not_moved(trained: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    status, found = watched(trained, tmp_path, same)
    assert (status, found["moved"]) == (0, [])
    assert found["rows"] == {"expected": 2_000, "actual": 2_000}
    assert found["score"]["psi"] < 0.05
    page = (tmp_path / "out/validation.html").read_text()
    assert "No finding is beyond its limit." in page
    assert found["data"]["sha256"] in page


def test_what_has_moved_is_named(
    trained: Path, same: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = same.assign(income=same["income"] / 20, shop=same["shop"].where(same["shop"] != "books", "bakery"))
    status, found = watched(trained, tmp_path, moved)
    assert status == 1
    assert found["moved"] == ["score", "income", "shop"]
    said = capsys.readouterr().err
    assert said.startswith(f"error: {tmp_path}/new.csv: ")
    for name in ("The score has moved", "income has moved", "shop has moved"):
        assert name in said
    assert said.endswith(f"(--strict); see {tmp_path}/out/validation.html\n")
    assert watched(trained, tmp_path, moved, "--no-strict") == (0, found)
    assert capsys.readouterr().err == ""
    page = (tmp_path / "out/validation.html").read_text()
    assert "The score has moved." in page
    assert "shop has moved." in page
    assert {finding["whose"] for finding in found["findings"] if finding["name"] == "income has moved"} == {
        "own policy"
    }, "the limit of the settings, not custom's"
    assert "bakery" in page


def test_what_training_did_not_have(trained: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    changed = same.copy()
    changed.loc[:399, "age"] = np.nan
    changed.loc[400:409, "age"] = 10
    changed.loc[410:419, "age"] = 200
    changed.loc[:599, "region"] = "west"
    changed.loc[600:609, "region"] = "east"
    _, found = watched(trained, tmp_path, changed)
    by_name = {entry["feature"]: entry for entry in found["features"]}
    age, region = by_name["age"], by_name["region"]
    assert age["missing"] == changed["age"].isna().mean()
    training = pd.read_csv(trained / "training.csv")["age"].isna().mean()
    assert age["missing_in_training"] == pytest.approx(training, abs=0.03)
    assert (age["unseen"], age["examples"]) == (20 / 2_000, [10, 200])
    assert region["unseen"] == 610 / 2_000
    assert region["examples"] == ["west", "east"]
    assert by_name["has_paid"]["unseen"] == 0


def test_outcomes_are_compared_with_the_pipeline_s_predictions(
    trained: Path, same: pd.DataFrame, tmp_path: Path
) -> None:
    """Figures as scikit-learn computes them from the pipeline's probabilities of the rows that have matured."""
    frame = same.copy()
    frame.loc[1_500:, "outcome"] = None
    _, found = watched(trained, tmp_path, frame)
    its = found["outcomes"]
    assert (its["rows"], its["unknown"]) == (1_500, 500)
    probability = load_pipeline(trained / "artifacts").predict_proba(frame)[:1_500, 1]
    target = (frame["outcome"][:1_500] == "bad").to_numpy()
    assert its["default_rate"] == target.mean()
    assert its["low"] < its["default_rate"] < its["high"]
    assert its["mean_probability"] == pytest.approx(probability.mean())
    assert its["roc_auc"] == pytest.approx(roc_auc_score(target, probability))
    assert its["log_loss"] == pytest.approx(log_loss(target, probability))
    assert its["brier"] == pytest.approx(brier_score_loss(target, probability))
    metrics = json.loads((trained / "artifacts/metrics.json").read_text())["test"]
    assert its["training"]["roc_auc"] == pytest.approx(metrics["roc_auc"], abs=1e-6)
    edges = json.loads((trained / "model/manifest.json").read_text())["bands"]
    names = [band(score, edges) for score in scores_of(probability, Scale())]
    labels = [entry["grade"] for entry in its["grades"]]
    nearest_band = {"below": labels[0], "above": labels[-1]}
    places = pd.Series([nearest_band.get(name.split()[0], name) for name in names])
    assert sum(entry["rows"] for entry in its["grades"]) == 1_500
    for entry in its["grades"]:
        inside = (places == entry["grade"]).to_numpy()
        assert (entry["rows"], entry["defaults"]) == (inside.sum(), target[inside].sum())
        assert entry["applied"] == pytest.approx(probability[inside].mean())


def test_outcomes_of_one_kind_or_none_leave_figures_out(trained: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    _, found = watched(trained, tmp_path, same.assign(outcome="good"))
    assert (found["outcomes"]["defaults"], found["outcomes"]["roc_auc"]) == (0, None)
    _, found = watched(trained, tmp_path, same.assign(outcome=None))
    assert found["outcomes"] is None
    assert "Not possible, because no outcome is known yet." in (tmp_path / "out/validation.html").read_text()


def test_a_file_may_lack_the_target(trained: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    """By the settings it may be missing; where a flag asks for it, it has to be there."""
    file = tmp_path / "new.parquet"
    same.drop(columns="outcome").to_parquet(file)
    words = ["--config", trained / "settings.toml"]
    status, found = watched(trained, tmp_path, file, *words)
    assert (status, found["outcomes"]) == (0, None)
    page = (tmp_path / "out/validation.html").read_text()
    assert "Not possible, because the table has no column outcome." in page
    assert "set beside the 2,000 that the model was trained on" in page


def test_limits_come_from_flags_settings_and_manifest(trained: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    def limits(*words: object) -> tuple[float, float]:
        _, found = watched(trained, tmp_path, same, *words)
        return found["score"]["limit"], found["features"][0]["limit"]

    assert limits() == (0.25, 0.2)
    assert limits("--feature-limit", 0.3) == (0.25, 0.3)
    config = tmp_path / "other.toml"
    config.write_text((trained / "settings.toml").read_text().replace("feature_limit = 0.2", "score_limit = 0.4"))
    assert limits("--config", config) == (0.4, 0.25)
    assert limits("--config", config, "--score-limit", 0.5) == (0.5, 0.25)


def test_only_tables_of_training_are_left_unread(
    trained: Path, same: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The TOML is that of the training: a table that no command knows may be meant for this one."""
    config = tmp_path / "other.toml"
    config.write_text(SETTINGS.replace("sigmoid", "of a later version"))
    assert watched(trained, tmp_path, same, "--config", config)[0] == 0
    config.write_text(SETTINGS.replace("[stability]", "[stabilty]"))
    assert watched(trained, tmp_path, same, "--config", config)[0] == 2
    assert "other.toml: stabilty: unknown table; did you mean stability?" in capsys.readouterr().err
    ours = ("data", "features", "stability", "validation", "fairness")
    others = [name for name in DECLARED if name not in (*ours, *monitor.LIKE_OURS)]
    assert [nearest(name, ours) for name in others] == [None] * len(others)


def test_few_applicants_have_to_move_further(trained: Path, same: pd.DataFrame, tmp_path: Path) -> None:
    few = same.head(15).assign(outcome=None)
    status, found = watched(trained, tmp_path, few, "--score-limit", 0.01, "--feature-limit", 0.01)
    assert (status, found["moved"]) == (0, [])
    assert not [finding for finding in found["findings"] if finding["section"] == "stability"]
    assert max(entry["csi"] for entry in found["features"]) > 0.01
    assert "chance\nalone passes the limit of 0.01" in (tmp_path / "out/validation.html").read_text()


def test_the_default_cut_off_is_the_model_s_own(trained: Path) -> None:
    """The one of its reasons first; else of the limits of bands the one nearest to the score of a fifth of the rows."""
    its = Served.load(trained / "model")
    manifest, histogram = its.model.manifest, its.reference["score"]
    scores = scores_of(its.probabilities(_read(trained, "training.csv"), lambda _: None), manifest.scale)
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


def _read(trained: Path, name: str) -> pd.DataFrame:
    its = Served.load(trained / "model")
    frame = pd.read_csv(trained / name)[[feature.name for feature in its.features]]
    return frame.astype({"shop": object, "region": object})


def test_groups_of_people_are_compared_and_named_nowhere_else(
    trained: Path, same: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sex = np.random.default_rng(0).choice(["zz-woman", "man"], len(same))
    status, found = watched(trained, tmp_path, same.assign(sex=sex), "--fairness-groups", "sex")
    assert status == 0
    [its] = found["sections"]["fairness"]["figure"]["attributes"]
    assert {group["group"]: group["rows"] for group in its["groups"]} == pd.Series(sex).value_counts().to_dict()
    figure = found["sections"]["fairness"]["figure"]
    manifest = json.loads((trained / "model/manifest.json").read_text())
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
    _, without = watched(trained, tmp_path, same, "--config", tmp_path / "groups.toml")
    assert without["sections"]["fairness"]["figure"] is None
    assert "the table has no column sex (fairness.groups)" in without["remarks"]
    common = (
        "--data",
        tmp_path / "new.csv",
        "--model",
        trained / "model",
        "--out",
        tmp_path / "no",
        "--fairness-groups",
    )
    assert "age is a feature of the model" in mistake(capsys, 2, *common, "age")
    assert "sex" in mistake(capsys, 1, *common, "sex")
