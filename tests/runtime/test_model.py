"""A model folder serves only if it answers as at export."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from runtime.branches import branch_order
from runtime.digest import sha256
from runtime.manifest import EXPORT_AGAIN, Branch, ModelRefused
from runtime.model import LARGE_BATCH, Model
from runtime.session import open_session
from tests.runtime.model_builder import SMALL_FEATURES, build_graph, build_model, write_manifest

EXPORTER = f"install the exporter's onnxruntime, or {EXPORT_AGAIN}"


def refusal(folder: Path) -> str:
    with pytest.raises(ModelRefused) as caught:
        Model.load(str(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_model(tmp_path, SMALL_FEATURES)
    return tmp_path


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    edit(manifest)
    write_manifest(folder, manifest)


def replace_graph(folder: Path, graph: bytes) -> None:
    (folder / "model.onnx").write_bytes(graph)
    change(folder, lambda m: m.update(sha256=hashlib.sha256(graph).hexdigest()))


def test_predicts_what_the_session_does(folder: Path) -> None:
    model = Model.load(str(folder))
    numbers = np.array([[1.0, 0.0, 50.0, 1.0, np.nan], [np.nan, 1.0, 20.0, 0.0, 3.0]])
    categories = np.array([["Travel", "north"], ["", "Travel\0"]], dtype=object)
    probability, margin = model.predict(numbers, categories)
    session = open_session(str(folder / "model.onnx"))
    expected = session.run(["probability", "margin"], {"numbers": numbers, "categories": categories})
    assert probability.dtype == np.float64
    assert probability.shape == (2,)
    assert margin.dtype == np.float32
    assert margin.shape == (2, 2)
    assert probability.tobytes() == expected[0].tobytes()
    assert margin.tobytes() == expected[1].tobytes()


def test_a_large_batch_is_put_in_order_and_answered_in_the_order_it_came(folder: Path) -> None:
    model = Model.load(str(folder))
    random = np.random.default_rng(3)
    numbers = random.normal(size=(LARGE_BATCH + 44, 5))
    numbers[random.random(numbers.shape) < 0.2] = np.nan
    categories = random.choice(["Travel", "Café", "north", ""], (len(numbers), 2)).astype(object)
    probability, margin = model.predict(numbers, categories)
    session = open_session(str(folder / "model.onnx"))
    expected = session.run(["probability", "margin"], {"numbers": numbers, "categories": categories})
    order = branch_order(model.manifest.branches, numbers, categories)
    assert sorted(order) == list(range(len(numbers)))
    assert not np.array_equal(order, np.arange(len(numbers)))
    assert probability.tobytes() == expected[0].tobytes()
    assert margin.tobytes() == expected[1].tobytes()


def test_branch_order_sorts_by_the_first_split_and_then_by_the_next() -> None:
    numbers = np.array([[0.0, 9.0], [np.nan, 1.0], [5.0, 1.0], [0.0, 1.0]])
    assert branch_order([Branch([0], 1.0), Branch([1], 5.0)], numbers, None).tolist() == [1, 2, 0, 3]
    assert branch_order([Branch([0, 1], 2.0)], numbers, None).tolist() == [0, 2, 1, 3]
    shops = np.array([["a"], [""], ["a"], ["b"]], dtype=object)
    assert branch_order([Branch(category=0, level="a")], numbers, shops).tolist() == [1, 3, 0, 2]


def test_a_category_does_not_end_at_nul(folder: Path) -> None:
    model = Model.load(str(folder))
    row = [[1.0, 0.0, 50.0, 1.0, 2.0]]
    probabilities = [model.predict(row, [[name, "north"]])[0][0] for name in ("Travel", "Travel\0", "unseen")]
    assert probabilities[0] != probabilities[1] == probabilities[2]


def test_a_model_may_have_no_categories(tmp_path: Path) -> None:
    build_model(tmp_path, [feature for feature in SMALL_FEATURES if feature["type"] != "category"])
    probability, _ = Model.load(str(tmp_path)).predict([[1.0, 0.0, 50.0, 1.0, 2.0]])
    assert 0 < probability[0] < 1


def test_a_missing_folder_is_refused_with_what_to_run(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    assert refusal(folder) == (
        f"{folder}: expected a folder with model.onnx and manifest.json, got none; "
        "run python -m training.run and python -m export.to_onnx first"
    )


@pytest.mark.parametrize(("name", "what"), [("manifest.json", "a manifest"), ("model.onnx", "a graph")])
def test_a_missing_file_is_refused(folder: Path, name: str, what: str) -> None:
    (folder / name).unlink()
    assert refusal(folder) == f"{folder}/{name}: expected {what}, got: No such file or directory; {EXPORT_AGAIN}"


def test_a_graph_cut_short_is_refused(folder: Path) -> None:
    path = folder / "model.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    expected, got = hashlib.sha256(whole).hexdigest(), hashlib.sha256(whole[:-1]).hexdigest()
    assert refusal(folder) == f"{path}: sha256: expected {expected}, got {got}; {EXPORT_AGAIN}"


def test_a_manifest_cut_short_is_refused(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text()[:-20])
    assert refusal(folder).startswith(f"{path}: expected JSON, got: ")


def test_a_graph_that_onnxruntime_does_not_open(folder: Path) -> None:
    replace_graph(folder, b"no graph")
    line = refusal(folder)
    assert line.startswith(f"{folder}/model.onnx: refused by onnxruntime {onnxruntime.__version__}: ")
    assert line.endswith(f"; {EXPORT_AGAIN}")


def test_a_graph_with_other_inputs_is_refused(folder: Path) -> None:
    replace_graph(folder, build_graph(3, 0, []))
    assert refusal(folder) == (
        f"{folder}/model.onnx: inputs: expected {{'numbers': ('tensor(double)', 5), "
        f"'categories': ('tensor(string)', 2)}}, got {{'numbers': ('tensor(double)', 3)}}; {EXPORT_AGAIN}"
    )


def test_a_graph_with_other_outputs_is_refused(folder: Path) -> None:
    replace_graph(folder, (folder / "model.onnx").read_bytes().replace(b"probability", b"probabilitz"))
    assert refusal(folder) == (
        f"{folder}/model.onnx: outputs: "
        "expected {'probability': 'tensor(double)', 'margin': 'tensor(float)'}, "
        f"got {{'probabilitz': 'tensor(double)', 'margin': 'tensor(float)'}}; {EXPORT_AGAIN}"
    )


def test_a_graph_that_does_not_answer_the_self_check_rows_is_refused(folder: Path) -> None:
    graph = onnx.load(folder / "model.onnx")
    [index] = [its for its in graph.graph.initializer if its.name == "first"]
    index.CopyFrom(onnx.numpy_helper.from_array(np.array(99), "first"))
    replace_graph(folder, graph.SerializeToString())
    line = refusal(folder)
    assert line.startswith(f"{folder}/model.onnx: expected answers to the self-check rows, got: ")
    assert "out of" in line
    assert line.endswith(f"; {EXPORT_AGAIN}")


def one_ulp(row: dict[str, Any]) -> None:
    row["margin"][1] = float(np.nextafter(np.float32(row["margin"][1]), np.float32(9)))


SELF_CHECKS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (one_ulp, "margin: expected ["),
    (lambda row: row["margin"].pop(), "margin: expected ["),
    (lambda row: row.update(probability=row["probability"] + 1e-15), "probability: expected 0."),
    (lambda row: row.update(score=row["score"] + 1e-6), "score: expected "),
    (lambda row: row.update(band="[0, 1)"), "band: expected [0, 1), got ["),
]


@pytest.mark.parametrize(("edit", "difference"), SELF_CHECKS)
def test_a_self_check_that_comes_out_otherwise(
    folder: Path, edit: Callable[[dict[str, Any]], object], difference: str
) -> None:
    change(folder, lambda manifest: edit(manifest["self_check"]["rows"][3]))
    line = refusal(folder)
    version = onnxruntime.__version__
    assert line.startswith(f"{folder}/model.onnx: self-check row 3, onnxruntime {version}: {difference}")
    assert line.endswith(f"; {EXPORTER}")


def accepted(manifest: dict[str, Any], edit: Callable[[dict[str, Any]], object]) -> None:
    """With steps that are only close."""
    manifest["tolerance"] = {"stated": 1e-6, "largest_difference": 1e-7, "steps": ["numbers (PCA)"]}
    manifest["self_check"]["probability_tolerance"] = 1e-6
    edit(manifest["self_check"]["rows"][3])


def test_a_stated_tolerance_holds_for_margins_and_probabilities(folder: Path) -> None:
    change(folder, lambda manifest: accepted(manifest, one_ulp))
    Model.load(str(folder))
    change(folder, lambda m: accepted(m, lambda row: row.update(probability=row["probability"] + 9e-7)))
    assert Model.load(str(folder)).manifest.stated_tolerance == 1e-6


@pytest.mark.parametrize(
    ("edit", "difference"),
    [
        (lambda row: row["margin"].pop(), "margin: expected ["),
        (lambda row: row.update(probability=row["probability"] + 1.1e-6), "probability: expected 0."),
        (lambda row: row.update(band="[0, 1)"), "band: expected [0, 1), got ["),
    ],
)
def test_what_is_beyond_a_stated_tolerance_is_refused(
    folder: Path, edit: Callable[[dict[str, Any]], object], difference: str
) -> None:
    change(folder, lambda manifest: accepted(manifest, edit))
    assert f"self-check row 3, onnxruntime {onnxruntime.__version__}: {difference}" in refusal(folder)


def test_a_changed_scale_fails_the_self_check(folder: Path) -> None:
    change(folder, lambda manifest: manifest["score"].update(points=601.0))
    assert "manifest.json: self_check: scores[0]: score: expected " in refusal(folder)


def test_the_digest_is_hashlibs(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"lastbit" * 1000
    monkeypatch.delitem(__import__("sys").modules, "_hashlib", raising=False)
    assert sha256(data) == hashlib.sha256(data).hexdigest()
    monkeypatch.undo()
    assert sha256(data) == hashlib.sha256(data).hexdigest()
