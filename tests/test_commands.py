"""The commands as a user runs them: from a table to a served prediction, and every mistake as one clear line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from export import to_onnx, verify
from runtime.digest import digest_of
from runtime.manifest import ModelRefused
from runtime.model import Model
from runtime.score import band
from storage.digest import sha256_of
from tests.applicants import SETTINGS, draw
from training import run
from training.artifacts import load_artifacts, load_pipeline
from training.artifacts.class_paths import TRUSTED

pytestmark = pytest.mark.tier("land")

ROOT = Path(__file__).parents[1]
FEW_TREES = ["--n-estimators", "15", "--no-plots", "--quiet"]


def command(module: str, *arguments: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    """A command in a process of its own, in the project's folder."""
    words = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, **options)


def mistake(capsys: pytest.CaptureFixture[str], status: int, main: Any, *arguments: object) -> str:
    """The one line of a mistake."""
    assert main(list(map(str, arguments))) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.strip().splitlines()
    assert len([line for line in lines if line.startswith("error: ")]) == 1, captured.err
    assert "Traceback" not in captured.err
    return lines[-1].removeprefix("error: ")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts and a model of the built-in population, with few trees."""
    folder = tmp_path_factory.mktemp("trained")
    assert run.main(["--out", str(folder / "artifacts"), *FEW_TREES]) == 0
    assert export(folder) == 0
    return folder


def export(folder: Path) -> int:
    return to_onnx.main(["--artifacts", str(folder / "artifacts"), "--out", str(folder / "model"), "--quiet"])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A CSV of applicants and the settings for it."""
    frame, target = draw(600)
    frame = frame.assign(default=target, uuid=[f"a{i}" for i in range(len(frame))])
    frame.to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "settings.toml").write_text(SETTINGS)
    return tmp_path


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
    assert export(tmp_path) == 0
    for name in ("artifacts/pipeline.skops", "model/model.onnx", "model/manifest.json", "model/certificate.json"):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


@pytest.mark.tier("full")
def test_a_tuned_model_has_the_same_bytes_again(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same search, and without one by the settings that the run wrote, read in another folder."""
    tune = ["--config", str(table / "settings.toml"), "--tune", "3", "--calibration", "sigmoid", "--no-plots"]
    assert run.main([*tune, "--quiet", "--out", str(table / "a/artifacts")]) == 0
    assert run.main([*tune, "--quiet", "--out", str(table / "b/artifacts")]) == 0
    monkeypatch.chdir(table / "b")
    words = ["--config", str(table / "a/artifacts/settings.toml"), "--quiet"]
    assert run.main([*words, "--out", str(table / "c/artifacts")]) == 0
    assert export(table / "a") == export(table / "b") == export(table / "c") == 0
    for name in ("model.onnx", "manifest.json"):
        first = (table / "a/model" / name).read_bytes()
        assert (table / "b/model" / name).read_bytes() == first
        assert (table / "c/model" / name).read_bytes() == first
    searched, repeated = (json.loads((table / name / "artifacts/run.json").read_text()) for name in "ac")
    assert searched["tuning"]["trials"] == 3
    assert repeated["tuning"] is None
    assert searched["settings"]["xgboost"] == repeated["settings"]["xgboost"] == searched["tuning"]["parameters"]


def test_bands_are_the_same_in_training_and_serving(trained: Path) -> None:
    edges = json.loads((trained / "model/manifest.json").read_text())["bands"]
    for sample in ("train", "test"):
        table = pd.read_csv(trained / f"artifacts/bands_{sample}.csv")
        inside = table[table["Band"].str.startswith("[")]
        assert inside["Band"].tolist() == [band(edge, edges) for edge in edges[:-1]]
        assert table["Cumulative Recall"].iloc[-1] == pytest.approx(100)
        assert table["% Total Population"].iloc[-1] == pytest.approx(100)


def test_bands_and_costs_that_are_set(table: Path) -> None:
    out, words = table / "artifacts", ["--bands", "450,500.5,550", "--gain", "60", "--loss", "700"]
    assert run.main([*map(str, wrong(table, *words))]) == 0
    assert export(table) == 0
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
    assert export(tmp_path) == 0
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
        assert export(out) == 0
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
    assert export(table / "a") == export(table / "b") == 0
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
    assert export(table) == 0
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


# Mistakes: one line, exit status 1 or 2, and the last good folders as they were.


def wrong(table: Path, *words: object) -> list[object]:
    return ["--config", table / "settings.toml", "--out", table / "artifacts", *FEW_TREES, *words]


def test_mistakes_in_the_table_end_with_one_line(table: Path, capsys: Any) -> None:
    frame = pd.read_csv(table / "table.csv")
    file = table / "table.csv"

    def told(changed: "pd.DataFrame | str | bytes") -> str:
        if isinstance(changed, pd.DataFrame):
            changed.to_csv(file, index=False)
        else:
            file.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
        return mistake(capsys, 1, run.main, *wrong(table))

    assert "is empty" in told("")
    assert "has a header and no rows" in told(frame.head(0))
    assert "no column age" in told(frame.drop(columns="age"))
    assert "expected two values, found only: 0" in told(frame.assign(default=0))
    with_text = frame.astype({"age": object})
    with_text.loc[6, "age"] = "old"
    said = told(with_text)
    assert "age" in said
    assert "line 8" in said
    assert "old" in said
    negative = frame.copy()
    negative.loc[3, "income"] = -2.0
    assert "income" in told(negative)
    assert not (table / "artifacts").exists()
    assert sorted(path.name for path in table.iterdir()) == ["settings.toml", "table.csv"]


def test_rows_without_a_target_are_dropped_and_counted(table: Path) -> None:
    frame = pd.read_csv(table / "table.csv")
    frame["default"] = frame["default"].astype("Int64")
    frame.loc[:49, "default"] = pd.NA
    frame.to_csv(table / "table.csv", index=False)
    assert run.main([*map(str, wrong(table))]) == 0
    data = json.loads((table / "artifacts/run.json").read_text())["data"]
    assert (data["rows"], data["dropped_rows"]) == (550, 50)


def test_a_parquet_file_cut_short_is_refused(table: Path, capsys: Any) -> None:
    pd.read_csv(table / "table.csv").to_parquet(table / "t.parquet")
    whole = (table / "t.parquet").read_bytes()
    (table / "t.parquet").write_bytes(whole[: len(whole) // 2])
    assert "t.parquet" in mistake(capsys, 1, run.main, *wrong(table, "--data", table / "t.parquet"))


def test_mistakes_in_the_settings_end_with_status_2(table: Path, capsys: Any) -> None:
    toml = (table / "settings.toml").read_text()
    (table / "settings.toml").write_text(toml + "\n[modle]\nfolds = 3\n")
    assert "model" in mistake(capsys, 2, run.main, *wrong(table))
    (table / "settings.toml").write_text(toml + "\n[model]\nfolds = 1\n")
    assert "folds" in mistake(capsys, 2, run.main, *wrong(table))
    assert "no such file" in mistake(capsys, 2, run.main, "--config", table / "other.toml")
    with pytest.raises(SystemExit) as stopped:
        run.main(["--fold", "3"])
    assert stopped.value.code == 2


def test_a_folder_of_other_files_is_not_replaced(table: Path, capsys: Any) -> None:
    (table / "artifacts").mkdir()
    (table / "artifacts/thesis.txt").write_text("years of work")
    assert "expected a new folder or one of an earlier run" in mistake(capsys, 1, run.main, *wrong(table))
    assert (table / "artifacts/thesis.txt").read_text() == "years of work"


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

    assert "tests.test_commands.Stranger" not in TRUSTED
    skops.io.dump(Pipeline([("x", Stranger())]), tmp_path / "pipeline.skops")
    with pytest.raises(UserError, match=r"holds types that no pipeline of this project has: .*Stranger"):
        load_pipeline(tmp_path)


class Stranger:
    """Not one of ours."""

    def __init__(self) -> None:
        self.value = 1


# A file system of its own that has 48 kB left: `$1` is the folder to mount it on, the rest is the command.
FULL_DISK = """
set -e
disk=$1; shift
cp -R "$disk/." "$disk-kept"; mount -t tmpfs -o size=8m tmpfs "$disk"; cp -R "$disk-kept/." "$disk"
cat /dev/zero > "$disk/filled" 2> /dev/null || truncate -s -49152 "$disk/filled"
set +e
"$@"
status=$?
rm "$disk/filled"; rm -rf "$disk-kept"; cp -R "$disk" "$disk-kept"
exit $status
"""
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


def may_mount() -> bool:
    """Mounting needs root, or a kernel that grants user namespaces."""
    words = [*NAMESPACE, "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif("not may_mount()", reason="no file system may be mounted here; the next test has a limit instead")
def test_a_full_disk_leaves_the_last_good_artifacts(table: Path) -> None:
    """A real file system that fills up while training writes its files."""
    assert run.main([*map(str, wrong(table))]) == 0
    before = digests(table)
    words = ["sh", "-c", FULL_DISK, "sh", table, sys.executable, "-m", "training.run", *wrong(table, "--seed", 2)]
    done = subprocess.run(
        [*NAMESPACE, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    said = "error: the disk is full; make room and run again; the last good artifacts are as they were\n"
    assert (done.returncode, done.stderr) == (1, said)
    assert digests(table.with_name(f"{table.name}-kept")) == before


@pytest.mark.tier("full")
@pytest.mark.skipif(sys.platform == "win32", reason="has no limits of a process")
def test_a_file_beyond_the_limit_leaves_the_last_good_artifacts(table: Path) -> None:
    """The system refuses the write itself, in Python or in a library."""
    assert run.main([*map(str, wrong(table))]) == 0
    before = digests(table)
    limited = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", sys.executable, "-m", "training.run", *wrong(table)]
    done = subprocess.run([*map(str, limited)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    remedy = "the file exceeds the size limit of this shell; raise it (ulimit -f) and run again"
    assert (done.returncode, done.stderr) == (1, f"error: {remedy}; the last good artifacts are as they were\n")
    assert digests(table) == before


def digests(folder: Path) -> dict[str, str]:
    """The digest of every file by its path in a folder."""
    return {str(path.relative_to(folder)): sha256_of(path) for path in folder.rglob("*") if path.is_file()}


def test_ctrl_c_leaves_the_last_good_artifacts(table: Path) -> None:
    assert run.main([*map(str, wrong(table))]) == 0
    before = sha256_of(table / "artifacts/run.json")
    words = ["--out", str(table / "artifacts"), "--n-estimators", "20000", "--no-plots"]
    process = subprocess.Popen(
        [sys.executable, "-m", "training.run", *words], cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    deadline = time.monotonic() + 60
    while not (begun := list(table.glob(".artifacts.lastbit-*"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert begun
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "error: interrupted; the last good artifacts are as they were" in said
    assert "Traceback" not in said
    assert sha256_of(table / "artifacts/run.json") == before
    assert not list(table.glob(".artifacts*"))


@pytest.mark.parametrize("main", [run.main, to_onnx.main, verify.main])
def test_a_wrong_flag_is_one_line_with_the_nearest(main: Any, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--quite"])
    assert stopped.value.code == 2
    assert (
        capsys.readouterr()
        .err.splitlines()[0]
        .endswith("unknown flag --quite; did you mean --quiet? (--help lists the flags)")
    )


def test_a_file_in_the_folder_s_place_is_one_line(trained: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "model").write_text("not a folder")
    words = ["--artifacts", trained / "artifacts", "--quiet", "--out"]
    assert "expected a folder, got a file" in mistake(capsys, 1, to_onnx.main, *words, tmp_path / "model")
    assert "the last good model is as it was" in mistake(capsys, 1, to_onnx.main, *words, tmp_path / "model/inside")
    assert (tmp_path / "model").read_text() == "not a folder"


@pytest.mark.parametrize("module", ["training.run", "export.to_onnx", "export.verify", "runtime.ask", "runtime.local"])
def test_every_command_has_help(module: str) -> None:
    said = command(module, "--help")
    assert said.returncode == 0
    assert f"python -m {module}" in said.stdout


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
    assert export(tmp_path) == 0
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
