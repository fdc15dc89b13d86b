"""A small model with a certificate, as the export would write them."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from export.model_folder import CERTIFICATE_VERSION
from tests.runtime.model_builder import build_model, reference_features


def certified_model(folder: Path) -> Path:
    """Write model.onnx, manifest.json and certificate.json into `folder` and return it."""
    build_model(folder, reference_features())
    certify(folder)
    return folder


def certify(folder: Path, **changes: Any) -> None:
    """Write a certificate about the files that are there, with `changes` to its members."""
    certificate: dict[str, Any] = {
        "schema_version": CERTIFICATE_VERSION,
        "sha256": {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("model.onnx", "manifest.json")
        },
        "versions": {"onnxruntime": version("onnxruntime"), "machine": "x86_64"},
    }
    (folder / "certificate.json").write_text(json.dumps(certificate | changes), encoding="utf-8")
