"""examples/own_pipeline: from the fit to a served answer, a verified certificate, and a model that can be packaged."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest

from export.own.files import load_fitted
from export.packaging.certified import check_certificate
from tests.export.own.pipelines import QUIET

pytestmark = pytest.mark.tier("land")
ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "own_pipeline"


def run(*words: object) -> str:
    """Run a command of the project, which must exit with 0, and return its output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *map(str, words)]
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


@pytest.mark.tier("full")
def test_the_example_goes_from_fit_to_answer(tmp_path: Path) -> None:
    run(EXAMPLE / "fit.py", tmp_path)
    own = ["--pipeline", tmp_path / "fitted.skops", "--data", tmp_path / "rows.parquet", "--target", "bad"]
    own += ["--config", EXAMPLE / "model.toml"]
    model = tmp_path / "model"
    run("-m", "export.to_onnx", *own, "--out", model)
    answer = json.loads(run("-m", "runtime.ask", "--model", model, EXAMPLE / "request.json"))
    request = json.loads((EXAMPLE / "request.json").read_text(encoding="utf-8"))
    fitted = load_fitted(tmp_path / "fitted.skops", QUIET).estimator
    row = pd.read_parquet(tmp_path / "rows.parquet").drop(columns="bad").iloc[1:2]
    assert request == {"uuid": "example-1", **json.loads(row.to_json(orient="records"))[0]}
    assert answer["default_probability"] == fitted.predict_proba(row)[0, 1]
    assert answer["score_band"] == "[420, 460)"
    run("-m", "export.verify", *own, "--model", model)
    manifest, _ = check_certificate(model, version("onnxruntime"))
    assert manifest.model_version == answer["model_version"]
