"""A model trained from the disk beside one in memory: the same rows, the same artifacts, nearly the same trees."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from export import to_onnx
from runtime.score import Scale
from tests.training.in_parts.conftest import ROWS, Train, applicants, write
from training import run
from training.artifacts import load_pipeline
from training.in_parts import external
from training.in_parts.external import ExternalMemory
from validation.bands import scores_of

AS_GOOD = 0.005  # relative difference of the test's log loss


@pytest.fixture(scope="module")
def from_disk(train: Train, monkeypatch_module: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch_module.setattr(external, "CELLS", 4_000)  # several blocks a fold
    return train("--external-memory")


@pytest.fixture(scope="module")
def monkeypatch_module() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_the_same_rows_train_and_test_and_the_model_is_as_good(
    from_disk: dict[str, Any], in_memory: dict[str, Any]
) -> None:
    for name in ("split", "pools", "data", "seed"):
        assert from_disk[name] == in_memory[name], name
    assert from_disk["in_parts"] == {"engine": "external memory", "train_rows": 3_000, "test_rows": 1_000}
    loss, expected = (its["metrics"]["test"]["log_loss"] for its in (from_disk, in_memory))
    assert loss == pytest.approx(expected, rel=AS_GOOD)
    assert from_disk["metrics"]["train"]["rows"] + from_disk["metrics"]["test"]["rows"] == ROWS
    schemas = [(its["out"] / "schema.json").read_bytes() for its in (from_disk, in_memory)]
    assert schemas[0] == schemas[1]
    features = [json.loads((its["out"] / "reference.json").read_text())["features"] for its in (from_disk, in_memory)]
    assert features[0] == features[1]
    files = [{path.name for path in its["out"].rglob("*")} for its in (from_disk, in_memory)]
    assert files[0] == files[1]


def test_the_pipeline_is_of_the_same_kind_and_answers_what_was_evaluated(
    from_disk: dict[str, Any], in_memory: dict[str, Any]
) -> None:
    ours, theirs = (load_pipeline(its["out"]) for its in (from_disk, in_memory))
    assert [type(step) for step in ours] == [type(step) for step in theirs]
    assert vars(ours[0]) == vars(theirs[0])
    assert vars(ours[1]).keys() == vars(theirs[1]).keys()
    for mine, other in zip(ours[1].estimators_, theirs[1].estimators_, strict=True):
        assert mine.get_params() == other.get_params()
        assert vars(mine).keys() == vars(other).keys()
        assert mine.get_booster().feature_names is None
    reference = pd.read_parquet(from_disk["out"] / "reference.parquet")
    probability = ours.predict_proba(reference.iloc[:, :-1])[:, 1]
    assert len(reference) == from_disk["split"]["train"]["rows"]
    assert scores_of(probability, Scale()).tolist() == reference["credit_score"].tolist()


def test_files_and_row_groups_change_no_bit(train: Train, tmp_path: Path, from_disk: dict[str, Any]) -> None:
    other = train("--external-memory", data=write(applicants(), tmp_path / "other", 7, 130))
    name = "pipeline.skops"
    assert (other["out"] / name).read_bytes() == (from_disk["out"] / name).read_bytes()


def test_the_export_certifies_it(from_disk: dict[str, Any], tmp_path: Path) -> None:
    words = ["--artifacts", str(from_disk["out"]), "--out", str(tmp_path / "model"), "--quiet"]
    assert to_onnx.main(words) == 0
    certificate = json.loads((tmp_path / "model" / "certificate.json").read_text())
    assert certificate["total"]["grades_that_differ"] == 0


def test_grades_are_found_on_rows_that_a_booster_has_not_seen(
    from_disk: dict[str, Any], in_memory: dict[str, Any]
) -> None:
    """Boosters differ by their bins, and so limits a little."""
    limits = [its["grades"]["limits"] for its in (from_disk, in_memory)]
    assert limits[0] == pytest.approx(limits[1], rel=0.5)
    frame = applicants()
    probability = load_pipeline(from_disk["out"]).predict_proba(frame)[:, 1]
    tables = [pd.read_csv(from_disk["out"] / f"grades_{part}.csv") for part in ("train", "test")]
    counts = np.bincount(np.searchsorted(limits[0], probability, side="right"), minlength=3)
    assert (tables[0]["Applicants"] + tables[1]["Applicants"]).tolist() == counts.tolist()


def test_report_and_card_say_what_is_of_the_rows_drawn(from_disk: dict[str, Any], in_memory: dict[str, Any]) -> None:
    for name in ("report.html", "model_card.md"):
        said = "The table was read in parts (external memory). Of all rows:"
        assert said in (from_disk["out"] / name).read_text()
        assert said not in (in_memory["out"] / name).read_text()


def test_boosters_watch_the_fold_that_they_have_not_seen(train: Train) -> None:
    words = ["--xgboost", "early_stopping_rounds=2", "--n-estimators", "60"]
    words += ["--split", "group", "--group-column", "group"]
    ours, theirs = train(*words, "--external-memory"), train(*words)
    assert ours["split"] == theirs["split"]
    stopped, expected = (
        [booster.best_iteration for booster in load_pipeline(its["out"])[1].estimators_] for its in (ours, theirs)
    )
    assert max(stopped) < 59
    assert np.abs(np.array(stopped) - expected).max() <= 3
    assert ours["metrics"]["test"]["log_loss"] == pytest.approx(theirs["metrics"]["test"]["log_loss"], rel=AS_GOOD)


def test_an_interrupted_run_leaves_no_row_and_the_last_good_artifacts(
    loans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "artifacts"
    seen: list[str] = []
    out.mkdir()
    (out / "run.json").write_text("{}")
    left = tmp_path / ".rows.lastbit-abcd_123"  # of a run that was killed
    left.mkdir()
    (left / "fold-0.f32").write_bytes(bytes(1_000))

    def interrupt(engine: ExternalMemory, _: object) -> None:
        seen.extend(path.name for path in engine._folder.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(ExternalMemory, "fit", interrupt)
    words = ["--config", str(loans.parent / "settings.toml"), "--data", str(loans), "--out", str(out)]
    assert run.main([*words, "--external-memory"]) == 1
    err = capsys.readouterr().err
    assert "interrupted; the last good artifacts are as they were" in err
    assert "GB of disk in" in err
    assert sorted(seen) == ["fold-0.f32", "fold-1.f32", "fold-2.f32", "test.f32"]
    assert [path.name for path in tmp_path.iterdir()] == ["artifacts"]
    assert (out / "run.json").read_text() == "{}"


def test_a_disk_that_is_too_small_is_refused_before_any_row_is_written(
    loans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000))
    cache = tmp_path / "fast"
    words = ["--config", str(loans.parent / "settings.toml"), "--data", str(loans), "--out", str(tmp_path / "out")]
    assert run.main([*words, "--external-memory", "--cache", str(cache), "--quiet"]) == 1
    err = capsys.readouterr().err
    assert f"{cache}: expected 0.0 GB of disk for prepared rows" in err
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--tune", "3"], "tuning.trials: contradicts engine.external_memory"),
        (["--workers", "2"], "engine.workers: contradicts engine.external_memory"),
        (["--estimator", "calibrated-cv"], 'model.estimator: "calibrated-cv" contradicts engine.external_memory'),
        (["--xgboost", "tree_method=exact"], 'xgboost.tree_method: "exact" contradicts engine.external_memory'),
    ],
)
def test_what_needs_all_rows_in_memory_is_refused_before_any_work(
    words: list[str], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--data", "none.parquet", "--out", str(tmp_path / "out"), "--external-memory"]
    assert run.main([*flags, *words]) == 2
    assert problem in capsys.readouterr().err
    assert run.main(["--out", str(tmp_path / "out"), "--external-memory"]) == 2
    assert "engine.external_memory: reads Parquet files in parts" in capsys.readouterr().err
