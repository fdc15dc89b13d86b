"""initial.json: what training records of the test part, where it goes, and what a validation reads of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cli.errors import UserError
from export import to_onnx
from export.model_folder import read_certificate
from export.refusal import ExportRefused
from runtime.model import Model
from runtime.score import Scale
from tests import applicants
from tests.model_folder import train_and_export
from training.artifacts import load_artifacts
from validation.bands import scores_of
from validation.initial import Said, area_in, initial_of, read_initial
from validation.rating import Rating
from validation.statistics.auc import area_of_counts

EDGES = [480.0, 500.0, 520.0, 540.0]
SCALE = Scale()


def rated(rows: int, seed: int = 0) -> tuple[Rating, Any, Any, Any]:
    rng = np.random.default_rng(seed)
    probability = rng.beta(1, 8, rows)
    target = (rng.random(rows) < probability).astype(np.int8)
    return Rating.of_bands(EDGES, SCALE), target, probability, scores_of(probability, SCALE)


def test_grades_hold_the_same_rows_as_the_bands_of_answers() -> None:
    rating, _, probability, score = rated(2_000)
    places = rating.places(probability, score)
    assert rating.labels == ("[480, 500)", "[500, 520)", "[520, 540]")
    inside = (score >= 480) & (score <= 540)
    for place, (low, high) in enumerate(((480, 500), (500, 520), (520, 540.0001))):
        assert (places[inside & (score >= low) & (score < high)] == place).all()
    assert set(places[score < 480]) == {0}
    assert set(places[score > 540]) == {2}


def test_limits_of_bands_are_probabilities_highest_first() -> None:
    rating = Rating.of_bands(EDGES, SCALE)
    assert rating.limits == (1.0, SCALE.probability(500), SCALE.probability(520), 0.0)


def test_counts_defaults_exposure_and_area_by_grade() -> None:
    rating, target, probability, score = rated(3_000)
    exposure = np.arange(3_000, dtype=float)
    initial = initial_of(rating, target, probability, score, Said("test", "90 days", "owed"), exposure)
    places = rating.places(probability, score)
    for place, entry in enumerate(initial["grades"]):
        its = places == place
        assert (entry["rows"], entry["defaults"]) == (its.sum(), target[its].sum())
        assert entry["predicted"] == pytest.approx(probability[its].mean())
        assert entry["exposure"] == exposure[its].sum()
    rows = np.array([entry["rows"] for entry in initial["grades"]])
    bad = np.array([entry["defaults"] for entry in initial["grades"]])
    assert area_in(initial) == area_of_counts(bad, rows - bad)
    assert (initial["definition"], initial["exposure"], initial["kind"]) == ("90 days", "owed", "bands")


def test_one_outcome_only_has_no_area_and_an_empty_grade_no_mean() -> None:
    rating, target, probability, score = rated(50)
    initial = initial_of(rating, np.zeros_like(target), probability, score, Said("given"))
    assert (initial["auc"], initial["auc_variance"]) == (None, None)
    assert np.isnan(area_in(initial).value)
    alone = initial_of(rating, target[:1], np.array([0.5]), np.array([485.0]), Said("given"))
    assert [entry["predicted"] for entry in alone["grades"]] == [0.5, None, None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run by time with exposures and a definition of default, and its model."""
    folder = tmp_path_factory.mktemp("initial")
    frame, target = applicants.draw(1_500)
    months = pd.date_range("2024-01-01", periods=15, freq="MS").strftime("%Y-%m-%d")
    frame = frame.assign(default=target, uuid=[f"a{i}" for i in range(1_500)], applied=np.repeat(months, 100))
    frame.assign(owed=np.where(np.arange(1_500) % 7 == 0, np.nan, 100.0)).to_csv(folder / "table.csv", index=False)
    own = '[split]\nmethod = "time"\ntime = "applied"\n[validation]\nexposure = "owed"\ndefinition = "90 days"\n'
    (folder / "settings.toml").write_text(f"{applicants.SETTINGS}[xgboost]\nn_estimators = 10\n{own}")
    train_and_export(folder)
    return folder


@pytest.mark.tier("land")
def test_training_writes_it_of_the_test_part_and_the_export_puts_it_under_the_version(folder: Path) -> None:
    metrics = json.loads((folder / "artifacts/metrics.json").read_text())["test"]
    written = json.loads((folder / "artifacts/initial.json").read_text())
    served = Model.load(str(folder / "model"))
    rating = Rating.of_manifest(served.manifest.document, served.manifest.scale)
    initial, why = read_initial(folder / "model", served.manifest.document, rating)
    assert (initial, why) == (written, "")
    assert initial is not None
    assert (initial["rows"], initial["defaults"]) == (metrics["rows"], metrics["defaults"])
    assert 0.5 < (initial["auc"] or 0) < metrics["roc_auc"] + 0.02, "on grades, which order less than scores"
    assert initial["period"] == {"column": "applied", "format": None, "first": "2024-12-01", "last": "2025-03-01"}
    assert sum(entry["exposure"] or 0 for entry in initial["grades"]) == pytest.approx(
        initial["rows"] * 100 * 6 / 7, rel=0.01
    )
    assert "initial.json" in read_certificate(folder / "model")["sha256"]


@pytest.mark.tier("land")
def test_another_initial_json_is_refused(folder: Path, tmp_path: Path) -> None:
    served = Model.load(str(folder / "model"))
    rating = Rating.of_manifest(served.manifest.document, served.manifest.scale)
    document = dict(served.manifest.document)
    with pytest.raises(UserError, match=r"no such file, and manifest\.json names it"):
        read_initial(tmp_path, document, rating)
    (tmp_path / "initial.json").write_text((folder / "model/initial.json").read_text().replace("90 days", "30 days"))
    with pytest.raises(UserError, match="sha256: expected"):
        read_initial(tmp_path, document, rating)
    kept = (folder / "model/initial.json").read_bytes()
    try:
        (folder / "model/initial.json").unlink()
        with pytest.raises(ExportRefused, match=r"initial\.json: no such file"):
            read_certificate(folder / "model")
    finally:
        (folder / "model/initial.json").write_bytes(kept)


@pytest.mark.tier("land")
def test_a_run_of_before_exports_without_it_and_says_so(folder: Path) -> None:
    artifacts = load_artifacts(folder / "artifacts")
    older = type(artifacts)(**{**vars(artifacts), "initial": None})
    from cli.progress import Progress

    out = folder / "older"
    to_onnx.export(older, out, Progress(quiet=True))
    document = json.loads((out / "manifest.json").read_text())
    assert not (out / "initial.json").exists()
    served = Model.load(str(out))
    initial, why = read_initial(out, document, Rating.of_manifest(document, served.manifest.scale))
    assert initial is None
    assert why == "the run is older than initial.json; train and export again"
    del document["initial"]
    assert "exported without initial.json" in read_initial(out, document, Rating.of_bands(EDGES, SCALE))[1]
