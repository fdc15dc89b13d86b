"""The commands as a user runs them: from the built-in population to a served prediction."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from export import to_onnx, verify
from runtime.digest import digest_of
from runtime.manifest import ModelRefused
from runtime.model import Model
from runtime.score import band
from storage.digest import sha256_of
from tests.commands.running import FEW_TREES, ROOT, command, mistake
from tests.model_folder import export
from training import run
from training.artifacts import load_pipeline
from training.artifacts.class_paths import TRUSTED

pytestmark = pytest.mark.tier("land")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts and a model of the built-in population, with few trees."""
    folder = tmp_path_factory.mktemp("trained")
    assert run.main(["--out", str(folder / "artifacts"), *FEW_TREES]) == 0
    export(folder)
    return folder


def test_the_two_commands_and_an_answer(trained: Path) -> None:
    answer = command("runtime.ask", "examples/reference-request.json", "--model", trained / "model")
    assert answer.returncode == 0, answer.stderr
    content = json.loads(answer.stdout)
    request = json.loads((ROOT / "examples/reference-request.json").read_text())
    pipeline = load_pipeline(trained / "artifacts")
    p = pipeline.predict_proba(pd.DataFrame([request]))[0, 1]
    model = Model.load(str(trained / "model"))
    assert abs(content["default_probability"] - p) <= 4.5e-16
    assert content["credit_score"] == model.manifest.scale.score(content["default_probability"])
    assert content["score_band"] == band(content["credit_score"], model.manifest.bands)
    assert content["uuid"] == "1234"
    assert content["model_version"] == model.manifest.model_version


def test_run_json_says_what_was_done(trained: Path) -> None:
    content = json.loads((trained / "artifacts/run.json").read_text())
    assert content["data"]["rows"] == 90_000
    assert content["settings"]["xgboost"]["n_estimators"] == 15
    assert content["seed"] == 99
    assert set(content["metrics"]) == {"train", "test"}
    assert {"xgboost", "scikit-learn", "numpy"} <= set(content["versions"])
    for part in ("train", "test"):
        low, high = content["intervals"][part]["roc_auc"]
        assert 0.5 < low < content["metrics"][part]["roc_auc"] < high < 1
        assert f"reliability_{part}.csv" in content["files"]
    assert json.loads((trained / "artifacts/metrics.json").read_text()) == content["metrics"]
    assert content["settings"]["model"]["calibration"] == "auto"
    assert content["calibration"]["by"] == "comparison"
    chosen = content["calibration"]["chosen"]
    assert chosen == load_pipeline(trained / "artifacts")[1].calibration_
    assert json.loads((trained / "model/manifest.json").read_text())["calibration"]["method"] == chosen
    assert content["files"]["pipeline.skops"] == sha256_of(trained / "artifacts/pipeline.skops")


def test_the_same_seed_gives_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    """On a machine with more cores too: sums of more than 10,000 products are shared by the threads of BLAS."""
    with threadpool_limits(3, user_api="blas"):
        assert run.main(["--out", str(tmp_path / "artifacts"), *FEW_TREES]) == 0
    export(tmp_path)
    for name in ("artifacts/pipeline.skops", "model/model.onnx", "model/manifest.json", "model/certificate.json"):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


def test_bands_are_the_same_in_training_and_serving(trained: Path) -> None:
    edges = json.loads((trained / "model/manifest.json").read_text())["bands"]
    for sample in ("train", "test"):
        table = pd.read_csv(trained / f"artifacts/bands_{sample}.csv")
        inside = table[table["Band"].str.startswith("[")]
        assert inside["Band"].tolist() == [band(edge, edges) for edge in edges[:-1]]
        assert table["Cumulative Recall"].iloc[-1] == pytest.approx(100)
        assert table["% Total Population"].iloc[-1] == pytest.approx(100)


def test_verify_holds_and_names_what_does_not(trained: Path, tmp_path: Path, capsys: Any) -> None:
    import shutil

    folders = ["--artifacts", str(trained / "artifacts")]
    assert verify.main(["--model", str(trained / "model"), *folders, "--quiet"]) == 0
    copy = tmp_path / "model"
    shutil.copytree(trained / "model", copy)
    graph = bytearray((copy / "model.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (copy / "model.onnx").write_bytes(graph)
    said = mistake(capsys, 1, verify.main, "--model", copy, *folders, "--quiet")
    assert "model.onnx: sha256: the certificate has" in said
    with pytest.raises(ModelRefused, match="sha256"):
        Model.load(str(copy))
    (copy / "certificate.json").unlink()
    assert "certificate.json: no such file" in mistake(capsys, 1, verify.main, "--model", copy, *folders, "--quiet")


def test_missing_or_altered_artifacts_are_not_exported(trained: Path, tmp_path: Path, capsys: Any) -> None:
    import shutil

    out = ["--out", tmp_path / "model", "--quiet"]
    said = mistake(capsys, 1, to_onnx.main, "--artifacts", tmp_path / "none", *out)
    assert "none: no such folder; train a model first (python -m training.run), or name its artifacts" in said
    copy = tmp_path / "artifacts"
    shutil.copytree(trained / "artifacts", copy)
    (copy / "schema.json").write_text("{}")
    assert "schema.json: sha256: expected" in mistake(capsys, 1, to_onnx.main, "--artifacts", copy, *out)
    record = json.loads((copy / "run.json").read_text())
    changes: list[dict[str, Any]] = [{"bands": [*record["bands"][:-1], 2_000.0]}, {"files": []}, {"bands": None}]
    for change in changes:
        (copy / "run.json").write_text(json.dumps(record | change))
        assert "run.json: digest: expected " in mistake(capsys, 1, to_onnx.main, "--artifacts", copy, *out)
    (copy / "run.json").write_text("{")
    assert "run.json: is not JSON" in mistake(capsys, 1, to_onnx.main, "--artifacts", copy, *out)
    (copy / "run.json").write_text("{}")
    assert "run.json" in mistake(capsys, 1, to_onnx.main, "--artifacts", copy, *out)
    assert not (tmp_path / "model").exists()


def test_a_refused_export_leaves_the_last_good_model(trained: Path, capsys: Any, monkeypatch: Any) -> None:
    from export.certificate import certify as certificate

    before = {path.name: path.read_bytes() for path in (trained / "model").iterdir()}
    for limit in ("SIGMOID_ON_MARGIN", "ISOTONIC_ON_MARGIN"):
        monkeypatch.setattr(certificate, limit, -1.0)
    words = ["--artifacts", trained / "artifacts", "--out", trained / "model", "--quiet"]
    assert "probabilities differ on rows of the kind" in mistake(capsys, 1, to_onnx.main, *words)
    assert {path.name: path.read_bytes() for path in (trained / "model").iterdir()} == before
    assert sorted(path.name for path in trained.iterdir()) == ["artifacts", "model"]


def test_a_pickle_in_the_pipeline_s_place_is_not_opened(trained: Path, tmp_path: Path, capsys: Any) -> None:
    import pickle
    import shutil

    copy = tmp_path / "artifacts"
    shutil.copytree(trained / "artifacts", copy)
    marker = tmp_path / "opened"

    class Attack:
        def __reduce__(self) -> Any:
            return Path.touch, (marker,)

    (copy / "pipeline.skops").write_bytes(pickle.dumps(Attack()))
    content = json.loads((copy / "run.json").read_text())
    content["files"]["pipeline.skops"] = sha256_of(copy / "pipeline.skops")
    content["digest"] = digest_of(content, besides="digest")
    (copy / "run.json").write_text(json.dumps(content))
    said = mistake(capsys, 1, to_onnx.main, "--artifacts", copy, "--out", tmp_path / "model", "--quiet")
    assert "is not a pipeline that can be read" in said
    assert not marker.exists()


def test_a_pipeline_with_another_type_in_it_is_not_opened(tmp_path: Path) -> None:
    import skops.io
    from sklearn.pipeline import Pipeline

    from cli.errors import UserError

    assert "tests.commands.test_commands.Stranger" not in TRUSTED
    skops.io.dump(Pipeline([("x", Stranger())]), tmp_path / "pipeline.skops")
    with pytest.raises(UserError, match=r"holds types that no pipeline of this project has: .*Stranger"):
        load_pipeline(tmp_path)


class Stranger:
    """Not one of ours."""

    def __init__(self) -> None:
        self.value = 1


def test_a_file_in_the_folder_s_place_is_one_line(trained: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "model").write_text("not a folder")
    words = ["--artifacts", trained / "artifacts", "--quiet", "--out"]
    assert "expected a folder, got a file" in mistake(capsys, 1, to_onnx.main, *words, tmp_path / "model")
    assert "the last good model is as it was" in mistake(capsys, 1, to_onnx.main, *words, tmp_path / "model/inside")
    assert (tmp_path / "model").read_text() == "not a folder"
