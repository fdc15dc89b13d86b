"""A model, its package, and the service over it on loopback: as it should be, or broken on purpose."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np

from local.server import Server
from runtime.score import Scale, band
from runtime.session import open_session
from runtime.settings import Settings
from tests.export.packaging.model_folder import certify
from tests.runtime.model_builder import build_model, write_manifest

if TYPE_CHECKING:
    from runtime.dispatch import Handler

Answer = dict[str, Any]
Respond = Callable[[Any], Answer]


def askable_model(folder: Path, features: list[dict[str, Any]]) -> Path:
    """A certified model whose self-check rows are applicants that somebody could send: booleans are 0, 1 or missing."""
    document = build_model(folder, features)
    document["reference"] = training_rows(features)
    numbers = document["inputs"]["numbers"]
    binary = [numbers.index(feature["name"]) for feature in features if feature["type"] == "boolean"]
    rows = document["self_check"]["rows"]
    for index, row in enumerate(rows):
        for column in binary:
            row["numbers"][column] = [0.0, 1.0, None][index % 3]
    feed: dict[str, Any] = {"numbers": np.array([row["numbers"] for row in rows], dtype=np.float64)}
    if document["inputs"]["categories"]:
        feed["categories"] = np.array([row["categories"] for row in rows], dtype=object)
    graph = (folder / "model.onnx").read_bytes()
    probability, margin = open_session(graph).run(["probability", "margin"], feed)
    scale = Scale()
    for index, row in enumerate(rows):
        score = scale.score(float(probability[index]))
        row |= {"margin": margin[index].tolist(), "probability": float(probability[index]), "score": score}
        row["band"] = band(score, document["bands"])
    write_manifest(folder, document)
    certify(folder)
    return folder


def training_rows(features: list[dict[str, Any]]) -> dict[str, Any]:
    """A manifest's histograms: the 30th and 70th percentile of the score are 560 and 620, 0.1 of the values missing."""
    column = {"values": [], "edges": [], "counts": [90, 10]}
    return {
        "rows": 100,
        "limits": {"score": 0.1, "feature": 0.2},
        "score": {"values": [], "edges": [500.0, 560.0, 620.0, 680.0], "counts": [10, 20, 40, 20, 10, 0]},
        "features": {feature["name"]: column for feature in features},
    }


def package_of(model: Path, path: Path, *, compiled: str = "cpython-313-x86_64", leave_out: str = "") -> Path:
    """A zip with all of a package that deploying looks at; the wheels' content is not part of it."""
    with ZipFile(path, "w") as archive:
        archive.writestr(f"onnxruntime/capi/state.{compiled}-linux-gnu.so", b"")
        archive.writestr(f"onnxruntime-{version('onnxruntime')}.dist-info/METADATA", "")
        for name in ("model.onnx", "manifest.json", "certificate.json"):
            if name != leave_out:
                archive.write(model / name, f"model/{name}")
    return path


def handler_of(model: Path) -> Respond:
    """The Lambda handler over a model folder, of events alone."""
    handler: Any = open_handler(model)
    return lambda event: handler(event, None)


def open_handler(model: Path) -> "Handler":
    """The Lambda handler over a model folder."""
    from runtime.dispatch import Handler

    return Handler(Settings({"MODEL_DIR": str(model)}))


def guarded(respond: Respond, key: str) -> Respond:
    """As API Gateway: without the key, nobody gets to the handler."""

    def gate(event: Any) -> Answer:
        if event["headers"].get("x-api-key") != key:
            return answer(403, {"type": "about:blank", "title": "INVALID_API_KEY", "detail": "Forbidden"})
        return respond(event)

    return gate


def answer(status: int, content: Any, **headers: str) -> Answer:
    """A handler's response."""
    body = content if isinstance(content, str) else json.dumps(content)
    return {"statusCode": status, "headers": {"content-type": "application/json", **headers}, "body": body}


@contextmanager
def serving(respond: Respond) -> Iterator[str]:
    """Its URL, while the block runs."""
    handler: Any = lambda event, context: respond(event)  # noqa: E731
    with Server(handler, quiet=True) as server:
        yield server.url
