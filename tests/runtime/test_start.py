"""The costs of a start and the traces it leaves, in a fresh process without a CI's environment."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What the handler may load besides numpy and onnxruntime: each costs every cold start.
MODULES_ALLOWED = {
    "runtime",
    "runtime.digest",
    "runtime.event",
    "runtime.dispatch",
    "runtime.handler",
    "runtime.manifest",
    "runtime.model",
    "runtime.problem",
    "runtime.reader",
    "runtime.score",
    "runtime.service",
    "runtime.session",
    "runtime.settings",
    "runtime.strict_json",
    "runtime.validate",
    "_bisect",
    "bisect",
    "_json",
    "json",
    "json.decoder",
    "json.encoder",
    "json.scanner",
    "gc",
    "math",
    # sha256 without OpenSSL: its name before and since Python 3.12
    "_sha256",
    "_sha2",
}

HEAVY = {
    "boto3",
    "botocore",
    "dataclasses",
    "http",
    "logging",
    "onnx",
    "pandas",
    "pathlib",
    "scipy",
    "skl2onnx",
    "sklearn",
    "socket",
    "ssl",
    "subprocess",
    "traceback",
    "unittest",
    "urllib",
    "xgboost",
    "training",
    "export",
}

MODULES = """
import os, sys
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import {imports}
found = sorted(sys.modules)
import json
print(json.dumps(found))
"""

REQUESTS = """
import json, os, pathlib, runtime.handler
for file in sorted(pathlib.Path("tests/events").glob("*.json")):
    event = json.loads(file.read_text())
    for _ in range(20):
        runtime.handler.handler(event, None)
print(json.dumps(os.listdir("/proc/self/task")))
"""


def run(code: str, home: Path, model: Path) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "LD_LIBRARY_PATH")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**environment, "HOME": str(home), "MODEL_DIR": str(model)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    printed: list[str] = json.loads(done.stdout)
    return printed


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def test_the_modules_that_a_start_loads(home: Path, reference_model: Path) -> None:
    before = set(run(MODULES.format(imports="numpy, onnxruntime"), home, reference_model))
    loaded = set(run(MODULES.format(imports="runtime.handler"), home, reference_model))
    assert loaded - before <= MODULES_ALLOWED
    assert not {name.partition(".")[0] for name in loaded - before} & HEAVY


def test_a_start_and_requests_leave_no_thread_and_no_file(home: Path, reference_model: Path) -> None:
    assert len(run(REQUESTS, home, reference_model)) == 1
    assert list(home.iterdir()) == []


def test_whoever_imports_the_model_is_quiet(home: Path, reference_model: Path) -> None:
    code = "import os, json, runtime.model; print(json.dumps(os.listdir('/proc/self/task')))"
    assert len(run(code, home, reference_model)) == 1
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("module", ["score", "strict_json", "problem", "settings", "validate", "event", "manifest"])
def test_only_the_model_needs_numpy(home: Path, reference_model: Path, module: str) -> None:
    code = f"import sys, json, runtime.{module}; print(json.dumps(sorted(sys.modules)))"
    loaded = run(code, home, reference_model)
    assert "numpy" not in loaded
    assert "onnxruntime" not in loaded


def test_a_broken_model_stops_the_start_with_one_line(home: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import runtime.handler"],
        cwd=ROOT,
        env={"HOME": str(home), "LAMBDA_TASK_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"runtime.reader.ModelRefused: {tmp_path}/model: "
        "expected a folder with model.onnx and manifest.json, got none; "
        "run python -m training.run and python -m export.to_onnx first"
    )
