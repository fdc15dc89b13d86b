"""The commands with S3, as a user runs them, and every mistake as one clear line."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli.progress import Progress
from export import to_onnx, verify
from export.registry import __main__ as registry
from export.registry.models import Registry
from runtime.model import Model
from tests.storage import faulty
from tests.storage.conftest import FEW_TREES, Bucket
from training import run

pytestmark = pytest.mark.tier("land")

SILENT = Progress(quiet=True)
ROOT = Path(__file__).parents[2]


def command(module: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """A command in a process of its own, in the project's folder."""
    words = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def mistake(capsys: pytest.CaptureFixture[str], status: int, main: Any, *arguments: object) -> str:
    """The one line of a mistake."""
    assert main(list(map(str, arguments))) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    [line] = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    return line.removeprefix("error: ")


def usage(capsys: pytest.CaptureFixture[str], main: Any, *arguments: object) -> str:
    """The one line of wrong usage, without the command's name."""
    with pytest.raises(SystemExit) as stopped:
        main(list(map(str, arguments)))
    assert stopped.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    return line.partition(": ")[2].removesuffix(" (--help lists the flags)")


def version_in(folder: Path) -> str:
    return str(Model.load(str(folder / "model")).manifest.model_version)


def test_a_table_in_s3_becomes_a_model_that_can_be_fetched(
    bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path, scratch: Path
) -> None:
    table = (trained[0] / "table.csv").read_bytes()
    bucket.put("loans/table.csv", table, ChecksumAlgorithm="SHA256")
    (tmp_path / "settings.toml").write_text(
        (trained[0] / "settings.toml").read_text().replace("table.csv", f"{bucket}/loans/table.csv")
    )
    settings = ["--config", tmp_path / "settings.toml", "--seed", "1", *FEW_TREES[:-1]]
    said = command("training.run", *settings, "--out", f"{bucket}/runs")
    assert said.returncode == 0, said.stderr
    assert f"✓ Downloading {bucket}/loans/table.csv, {len(table) / 1e3:.1f} kB" in said.stderr
    assert "verified by SHA256" in said.stderr
    assert f"✓ Uploading to {bucket}/runs, " in said.stderr
    assert f"Next: python -m export.to_onnx --artifacts {bucket}/runs\n" in said.stderr
    data = json.loads(bucket.get("runs/run.json"))["data"]
    assert data["source"] == f"{bucket}/loans/table.csv"
    assert data["sha256"] == hashlib.sha256(table).hexdigest()

    models = f"{bucket}/models"
    exports = ["--artifacts", f"{bucket}/runs", "--out", tmp_path / "model"]
    said = command("export.to_onnx", *exports)
    assert said.returncode == 0, said.stderr
    said = command("export.registry", "publish", models, "--model", tmp_path / "model")
    assert said.returncode == 0, said.stderr
    version = version_in(tmp_path)
    assert f"Published as {models}/{version}, the latest\n" in said.stderr
    assert version == version_in(trained[0])  # the same table, settings and seed

    said = command("export.registry", "fetch", models, "--out", tmp_path / "fetched/model")
    assert said.returncode == 0, said.stderr
    assert version_in(tmp_path / "fetched") == version
    assert list(scratch.iterdir()) == []


def test_equal_trainings_publish_equal_bytes(bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path) -> None:
    models = f"{bucket}/models"
    publish = ["publish", models, "--model", str(tmp_path / "model"), "--quiet"]
    artifacts = ["--artifacts", str(trained[0] / "artifacts"), "--out", str(tmp_path / "model"), "--quiet"]
    assert to_onnx.main(artifacts) == 0
    assert registry.main(publish) == 0
    before = bucket.content()
    settings = ["--config", str(trained[0] / "settings.toml"), "--seed", "1", *FEW_TREES]
    assert run.main([*settings, "--out", str(tmp_path / "artifacts")]) == 0
    artifacts[1] = str(tmp_path / "artifacts")
    assert to_onnx.main(artifacts) == 0
    assert registry.main(publish) == 0
    assert bucket.content() == before


def test_a_rollback_makes_an_earlier_version_the_latest(
    bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = f"{bucket}/models"
    for folder in trained:
        Registry(models).publish(folder / "model", SILENT)
    one, two = map(version_in, trained)

    def listed() -> dict[str, str]:
        assert registry.main(["versions", models]) == 0
        header, *rows = capsys.readouterr().out.splitlines()
        assert header.split() == ["version", "published", "(UTC)"]
        return {row.split()[0]: " ".join(row.split()[3:]) for row in rows}

    assert listed() == {one: "", two: "latest"}
    assert registry.main(["rollback", models, "--version", one]) == 0
    assert f"The latest of {models} is now {one}" in capsys.readouterr().err
    assert listed() == {one: "latest", two: ""}
    for words, expected in ((["--version", two], two), (["--version", "latest"], one), ([], one)):
        assert registry.main(["fetch", models, "--out", str(tmp_path / "model"), "--quiet", *words]) == 0
        assert version_in(tmp_path) == expected


def test_verify_reads_artifacts_from_s3(bucket: Bucket, trained: tuple[Path, Path], capsys: Any) -> None:
    for path in (trained[0] / "artifacts").rglob("*"):
        bucket.put(f"run/{path.name}", path.read_bytes())
    name = hashlib.sha256(bucket.get("run/run.json")).hexdigest()[:12]
    for key, content in bucket.content().items():
        bucket.put(key.replace("run/", f"{name}/", 1), content)
    words = ["--artifacts", f"{bucket}/{name}", "--quiet", "--model"]
    assert verify.main([*words, str(trained[0] / "model")]) == 0
    said = mistake(capsys, 1, verify.main, *words, trained[1] / "model")
    assert said.startswith(f"{bucket}/{name}/pipeline.skops: sha256: the certificate has ")


def test_who_uses_no_s3_does_not_load_boto3() -> None:
    code = "import training.run, export.to_onnx, sys; sys.exit(bool({'boto3', 'botocore'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_registry_needs_nothing_of_training() -> None:
    others = {"sklearn", "xgboost", "onnx", "skl2onnx", "pandas", "scipy", "boto3"}
    code = f"import export.registry.__main__, sys; print({others} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


# ---------------------------------------------------------------- mistakes


def test_wrong_usage_of_the_registry_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    models = "s3://bucket/models"
    assert usage(capsys, registry.main) == "the following arguments are required: COMMAND"
    assert "invalid choice: 'publsh'" in usage(capsys, registry.main, "publsh", models)
    assert usage(capsys, registry.main, "fetch") == "the following arguments are required: s3://bucket/prefix"
    assert usage(capsys, registry.main, "versions", models, "--out", "a") == "unknown flag --out"
    assert usage(capsys, registry.main, "rollback", models) == "the following arguments are required: --version"
    for name, besides, wrong in (("fetch", "latest or ", "v1"), ("rollback", "", "v1"), ("rollback", "", "latest")):
        assert usage(capsys, registry.main, name, models, "--version", wrong) == (
            f"argument --version: expected {besides}12 of 0-9 and a-f, "
            f"as python -m export.registry versions lists, got '{wrong}'"
        )


def test_a_model_folder_is_not_in_s3(capsys: pytest.CaptureFixture[str]) -> None:
    models = "s3://bucket/models"
    assert usage(capsys, registry.main, "fetch", models, "--out", "s3://bucket/other") == (
        "--out is a folder of this machine; publish uploads a model: publish s3://bucket/other"
    )
    assert usage(capsys, to_onnx.main, "--out", models) == (
        f"--out is a folder of this machine; python -m export.registry publish {models} uploads it"
    )


@pytest.mark.parametrize("name", ["publish", "fetch", "versions"])
@pytest.mark.parametrize("address", ["", "models", "s3://", "s3://bucket", "s3://bucket/"])
def test_a_wrong_address_is_wrong_usage(name: str, address: str, capsys: Any) -> None:
    assert "expected s3://bucket/prefix, got " in mistake(capsys, 2, registry.main, name, address)


def test_wrong_addresses_are_refused_with_the_form_expected(capsys: Any) -> None:
    assert "s3://bucket: expected s3://bucket/prefix" in mistake(capsys, 2, run.main, "--out", "s3://bucket")
    assert "s3://bucket/: expected s3://bucket/key" in mistake(capsys, 2, run.main, "--data", "s3://bucket/")
    assert "s3://x: expected s3://bucket/prefix" in mistake(capsys, 2, to_onnx.main, "--artifacts", "s3://x")


def test_nothing_is_trained_or_uploaded_for_an_invalid_place(
    bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path, capsys: Any
) -> None:
    words = ["--config", trained[0] / "settings.toml", *FEW_TREES, "--out", "s3://no-such-bucket-here/runs"]
    expected = "s3://no-such-bucket-here/runs/run.json: no such bucket; correct the address"
    assert mistake(capsys, 1, run.main, *words) == expected
    words = ["publish", "s3://no-such-bucket-here/models", "--model", trained[0] / "model", "--quiet"]
    expected = "s3://no-such-bucket-here/models/latest.json: no such bucket; correct the address"
    assert mistake(capsys, 1, registry.main, *words) == expected
    assert mistake(capsys, 1, registry.main, "versions", f"{bucket}/models") == (
        f"{bucket}/models: no model is published there; publish one with python -m export.registry publish"
    )


def test_a_model_without_a_certificate_is_not_published(
    bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path, capsys: Any
) -> None:
    shutil.copytree(trained[0] / "model", tmp_path / "model")
    (tmp_path / "model" / "certificate.json").unlink()
    words = ["publish", f"{bucket}/models", "--model", tmp_path / "model"]
    assert "certificate.json: no such file" in mistake(capsys, 1, registry.main, *words)
    assert bucket.content() == {}


# ---------------------------------------------------------------- Ctrl-C


def test_ctrl_c_at_each_stage_leaves_the_bucket_as_it_was(
    bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path, scratch: Path, capsys: Any
) -> None:
    models, runs = f"{bucket}/models", f"{bucket}/runs"
    bucket.put("table.csv", (trained[0] / "table.csv").read_bytes())
    settings = ["--config", trained[0] / "settings.toml", *FEW_TREES]
    publish = ["publish", models, "--model", trained[0] / "model", "--quiet"]
    Registry(models).publish(trained[1] / "model", SILENT)
    before = bucket.content()
    stays = "interrupted; the model folder and the published models are whole, as they were or new"
    last = "interrupted; the last good artifacts are as they were"
    for main, words, where, said in (
        (run.main, [*settings, "--data", f"{bucket}/table.csv", "--out", tmp_path / "artifacts"], "table.csv", last),
        (run.main, [*settings, "--out", runs], "schema.json", last),
        (registry.main, publish, "manifest.json", stays),
        (registry.main, ["fetch", models, "--out", tmp_path / "fetched", "--quiet"], "model.onnx", stays),
    ):
        bucket.proxy.heal()
        bucket.proxy.will(faulty.interrupted, ending=where)
        assert mistake(capsys, 1, main, *words) == said
        bucket.proxy.heal()
        assert Registry(models).fetch("latest", tmp_path / "latest", SILENT) == (version_in(trained[1]))
    assert list(scratch.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "scratch"]
    assert "runs/run.json" not in bucket.content()
    assert bucket.content().items() >= before.items()


def test_ctrl_c_in_a_terminal_ends_with_one_line(
    bucket: Bucket, trained: tuple[Path, Path], tmp_path: Path, scratch: Path
) -> None:
    """The same as a process of its own: nothing but the one line, and nothing left behind."""
    bucket.put("table.csv", (trained[0] / "table.csv").read_bytes())
    bucket.proxy.will(faulty.late(60), "GET")
    words = ["--config", str(trained[0] / "settings.toml"), "--data", f"{bucket}/table.csv", *FEW_TREES]
    process = subprocess.Popen(
        [sys.executable, "-m", "training.run", *words, "--out", str(tmp_path / "artifacts")],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    deadline = time.monotonic() + 60
    while not bucket.proxy.seen and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said == "error: interrupted; the last good artifacts are as they were\n"
    assert list(tmp_path.iterdir()) == [scratch]
    assert list(scratch.iterdir()) == []
