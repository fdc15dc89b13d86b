"""docs/node.md: the service on its page answers in onnxruntime-node as the runtime does, bit for bit.

It needs Node and the packages of tests/node/package.json (`make node`), and is skipped by name without them.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lastbit
from runtime.model import Model
from runtime.score import SCORE_TOLERANCE, Bands
from tests.export.own.pipelines import FORMS, rows_of, usual

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "node.md"
PACKAGES = HERE / "node_modules"
ROWS = 20_000
FEWER = 2_000

pytestmark = pytest.mark.tier("land")


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node is not installed (Debian: apt-get install nodejs npm)")
    if not (PACKAGES / "onnxruntime-node").is_dir():
        pytest.skip("the packages of tests/node are not installed (make node)")
    return found


def service() -> str:
    """The first block of code on the page."""
    return PAGE.read_text(encoding="utf-8").split("```js\n")[1].split("```")[0]


def answers(node: str, folder: Path, rows: list[dict[str, Any]], out: Path) -> dict[str, NDArray[Any]]:
    """The answers of the page's service about applicants."""
    (out / "score.js").write_text(service(), encoding="utf-8")
    (out / "rows").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    environment = {**os.environ, "NODE_PATH": str(PACKAGES)}
    command = [node, str(HERE / "run.js"), str(folder), str(out / "rows"), str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    kinds = {"probability": np.float64, "alone": np.float64, "margin": np.float32, "score": np.float64}
    return {name: np.fromfile(out / name, dtype=kind) for name, kind in kinds.items()} | {
        "band": np.array(json.loads((out / "band").read_text(encoding="utf-8")))
    }


def applicants(model: Model, count: int) -> tuple[list[list[float]], list[list[str]], list[dict[str, Any]]]:
    """Rows over the ranges of training and beyond, with missing and unseen values: as matrices and as objects."""
    rng = np.random.default_rng(0)
    numbers = np.empty((count, len(model.manifest.numbers)))
    features = {feature["name"]: feature for feature in model.manifest.document["features"]}
    for i, feature in enumerate(model.manifest.numbers):
        low, high = features[feature.name].get("range") or (0.0, 1.0)
        drawn = rng.uniform(low - 0.1 * (high - low), high + 0.1 * (high - low), count)
        numbers[:, i] = rng.integers(0, 2, count) if feature.type == "boolean" else drawn
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    levels = [[*features[feature.name]["vocabulary"], "", "größe"] for feature in model.manifest.categories]
    texts = [[str(rng.choice(its)) for its in levels] for _ in range(count)]
    rows = []
    for its, words in zip(numbers.tolist(), texts, strict=True):
        row = {f.name: x for f, x in zip(model.manifest.numbers, its, strict=True) if x == x}
        rows.append(row | {f.name: word for f, word in zip(model.manifest.categories, words, strict=True) if word})
    return numbers.tolist(), texts, rows


def refuse_any_difference(node: str, folder: Path, out: Path, count: int) -> None:
    model = Model.load(str(folder))
    numbers, texts, rows = applicants(model, count)
    probability, margin = model.predict(numbers, texts if model.manifest.categories else [])
    found = answers(node, folder, rows, out)
    assert np.array_equal(found["probability"], probability)
    assert np.array_equal(found["margin"].reshape(margin.shape), margin)
    assert np.array_equal(found["alone"], probability[: len(found["alone"])])
    bands = Bands(model.manifest.bands)
    scores = model.manifest.scale.scores(probability.tolist())
    assert np.abs(found["score"] - scores).max() < SCORE_TOLERANCE
    assert len(np.unique(found["band"])) > 2
    assert found["band"].tolist() == [bands.name(score) for score in scores]


@pytest.mark.tier("full")
def test_the_default_model_answers_in_node_as_in_python(node: str, tmp_path: Path) -> None:
    lastbit.train({"evaluation": {"plots": False, "resamples": 100}}, tmp_path / "artifacts")
    refuse_any_difference(node, lastbit.export(tmp_path / "artifacts", tmp_path / "model"), tmp_path, ROWS)


@pytest.mark.parametrize("form", ["sigmoid over the pipeline", "isotonic"])
def test_an_own_pipeline_answers_in_node_as_in_python(
    form: str, node: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export.own.proof.RANDOM_AND_REAL_ROWS", 1_000)
    monkeypatch.setattr("export.certificate.certify.SINGLE_ROWS", 100)
    X, y = rows_of()
    fitted = FORMS[form](usual(sparse=True)).fit(X, y)
    config = {"bands": {"edges": [500, 520.5, 540, 560, 600.123456]}, "reasons": {"reference": "none"}}
    refuse_any_difference(node, lastbit.export_model(fitted, X, y, tmp_path / "model", config), tmp_path, FEWER)


def test_the_page_runs_what_the_packages_are_locked_to() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))
    package = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    for name, its in lock["packages"].items():
        assert not name or its["integrity"].startswith("sha512-")
        assert "resolved" not in its
