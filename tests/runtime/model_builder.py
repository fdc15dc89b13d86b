"""A small real model that keeps the contract of model/: for the tests of the runtime alone."""

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from runtime.digest import version_of
from runtime.grades import Grades, grades_to_check
from runtime.manifest import SCHEMA_VERSION
from runtime.score import Scale, band, scores_to_check
from runtime.session import open_session

EVENTS = Path(__file__).parents[1] / "events"
REFERENCE_REQUEST = Path(__file__).parents[2] / "examples" / "reference-request.json"

BANDS = [410, 438, 466, 494, 522, 550, 578, 606, 630]

# Each feature type, each rule: nullable or not, a range or none.
SMALL_FEATURES: list[dict[str, Any]] = [
    {"name": "income", "type": "number", "range": [0.0, 5000.0], "nullable": True, "description": "a month"},
    {"name": "owner", "type": "boolean", "nullable": True, "description": ""},
    {"name": "age", "type": "number", "range": [18.0, 75.5], "nullable": False, "description": ""},
    {"name": "insured", "type": "boolean", "nullable": False, "description": ""},
    {"name": "debt", "type": "number", "range": None, "nullable": True, "description": ""},
    {
        "name": "shop",
        "type": "category",
        "vocabulary": ["Travel", "Café"],
        "nullable": True,
        "description": "",
    },
    {"name": "region", "type": "category", "vocabulary": ["north"], "nullable": False, "description": ""},
]


def reference_request() -> dict[str, Any]:
    request: dict[str, Any] = json.loads(REFERENCE_REQUEST.read_text())
    return request


def reference_features() -> list[dict[str, Any]]:
    """The 24 features of the reference request."""
    features: list[dict[str, Any]] = []
    for name, value in reference_request().items():
        entry: dict[str, Any] = {"name": name, "nullable": True, "description": ""}
        if isinstance(value, bool):
            entry |= {"type": "boolean"}
        elif isinstance(value, float):
            entry |= {"type": "number", "range": [0.0, 100.0]}
        else:
            entry |= {
                "type": "category",
                "vocabulary": ["Entertainment", "Food & Beverage", "Children Products"],
            }
        if name != "uuid":
            features.append(entry)
    return features


def build_model(folder: Path, features: Sequence[dict[str, Any]], grades: Grades | None = None) -> dict[str, Any]:
    """Write model.onnx and manifest.json into `folder`; return the manifest."""
    numbers = [f["name"] for f in features if f["type"] != "category"]
    categories = [f["name"] for f in features if f["type"] == "category"]
    vocabulary = sorted({word for f in features for word in f.get("vocabulary", [])})
    graph = build_graph(len(numbers), len(categories), vocabulary)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(graph)
    digest = hashlib.sha256(graph).hexdigest()
    manifest: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "model_version": "",  # see write_manifest
        "sha256": digest,
        "id": "uuid",
        "inputs": {"numbers": numbers, "categories": categories},
        "features": list(features),
        "score": {
            "points": 600.0,
            "odds": 50.0,
            "points_to_double": 20.0,
            "probability_limits": [1e-8, 0.99999999],
        },
        "bands": BANDS,
        "calibration": {"method": "sigmoid", "slope": 1.0, "intercept": 0.25},
        "limits": {"batch": 1000},
        "branches": [{"numbers": [0], "below": 0.5}] if numbers else [],
        "reference": {"rows": 1},  # which the runtime has nothing to do with
        "versions": {"onnxruntime": "1.32.0"},
        "self_check": {
            "probability_tolerance": 4.5e-16,
            "inputs": {"numbers": list(numbers), "categories": list(categories)},
            "scores": scores_to_check(Scale(), BANDS),
            "rows": _self_check_rows(graph, len(numbers), len(categories), vocabulary),
        },
    }
    if grades is not None:
        manifest["grades"] = {"limits": grades.limits, "names": grades.names}
        manifest["self_check"]["grades"] = grades_to_check(grades)
        for row in manifest["self_check"]["rows"]:
            row["grade"] = grades.name(row["probability"])
    write_manifest(folder, manifest)
    return manifest


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write a manifest with the version that its content has."""
    (folder / "manifest.json").write_text(json.dumps(versioned(manifest)))


def versioned(manifest: dict[str, Any]) -> dict[str, Any]:
    """The same manifest, after its version was set to that of its content."""
    manifest["model_version"] = version_of(manifest)
    return manifest


def build_graph(numbers: int, categories: int, vocabulary: Sequence[str]) -> bytes:
    """Two margins: a step for each number and a weight for each category, summed; a sigmoid of their mean."""
    random = np.random.default_rng(7)

    def weights() -> Any:
        # Of 1/1024: their float32 sums are exact, and the same in whatever order a batch adds them.
        return (random.integers(-400, 400, numbers) / 1024).astype(np.float32)

    constants = {
        "threshold": random.uniform(0, 20, numbers),
        "below": weights(),
        "above": weights(),
        "missing": weights(),
        "last": np.array([1], dtype=np.int64),
        "first": np.array(0, dtype=np.int64),
        "copies": np.array([1, 8], dtype=np.int64),
        "folds": np.array([[0.75, 1.25]], dtype=np.float32),
        "intercept": np.array(0.25),
        "one": np.array(1.0),
    }
    node = helper.make_node
    nodes = [
        node("IsNaN", ["numbers"], ["is_missing"]),
        node("GreaterOrEqual", ["numbers", "threshold"], ["is_above"]),
        node("Where", ["is_above", "above", "below"], ["step"]),
        node("Where", ["is_missing", "missing", "step"], ["weights"]),
        node("ReduceSum", ["weights", "last"], ["sum"], keepdims=1),
    ]
    inputs = [helper.make_tensor_value_info("numbers", TensorProto.DOUBLE, ["N", numbers])]
    if categories:
        inputs.append(helper.make_tensor_value_info("categories", TensorProto.STRING, ["N", categories]))
        nodes += [
            node(
                "LabelEncoder",
                ["categories"],
                ["category_weights"],
                domain="ai.onnx.ml",
                keys_strings=["", *vocabulary],
                values_floats=[0.125 * (i + 1) for i in range(len(vocabulary) + 1)],
                default_float=-0.25,
            ),
            node("ReduceSum", ["category_weights", "last"], ["category_sum"], keepdims=1),
            node("Add", ["sum", "category_sum"], ["total"]),
        ]
    else:
        nodes.append(node("Identity", ["sum"], ["total"]))
    nodes += [
        node("Mul", ["total", "folds"], ["margin"]),
        node("Cast", ["margin"], ["margins"], to=TensorProto.DOUBLE),
        node("ReduceMean", ["margins", "last"], ["mean"], keepdims=1),
        node("Sub", ["intercept", "mean"], ["negative"]),
        # Exp computes eight values at once and a remainder singly, an ulp apart now and then: with eight
        # copies of each row there is no remainder, and a row has the same bits in every batch.
        node("Expand", ["negative", "copies"], ["eight"]),
        node("Exp", ["eight"], ["exps"]),
        node("Gather", ["exps", "first"], ["exp"], axis=1),
        node("Add", ["one", "exp"], ["denominator"]),
        node("Div", ["one", "denominator"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        inputs,
        [
            helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["N"]),
            helper.make_tensor_value_info("margin", TensorProto.FLOAT, ["N", 2]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _self_check_rows(graph: bytes, numbers: int, categories: int, vocabulary: Sequence[str]) -> list[dict[str, Any]]:
    random = np.random.default_rng(8)
    matrix = random.uniform(0, 20, (8, numbers))
    matrix[random.random(matrix.shape) < 0.2] = math.nan
    matrix[0] = math.nan
    words = random.choice(["", "unseen", *vocabulary], (8, categories)).astype(object)
    feed: dict[str, Any] = {"numbers": matrix}
    if categories:
        feed["categories"] = words
    probability, margin = open_session(graph).run(["probability", "margin"], feed)
    return [
        {
            "numbers": [None if math.isnan(value) else value for value in matrix[i].tolist()],
            "categories": words[i].tolist(),
            "margin": margin[i].tolist(),
            "probability": float(probability[i]),
            "score": (score := Scale().score(float(probability[i]))),
            "band": band(score, BANDS),
        }
        for i in range(len(matrix))
    ]
