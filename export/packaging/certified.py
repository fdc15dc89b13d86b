"""A model folder whose certificate is about it, and about the onnxruntime that it is packaged with.

This reads what export.verify proves, without scikit-learn and XGBoost: packaging, as in Dockerfile.lambda,
does not need what training needs.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from export.packaging.refusal import PackageRefused
from runtime.manifest import Manifest, ModelRefused

GRAPH, MANIFEST, CERTIFICATE = "model.onnx", "manifest.json", "certificate.json"
# export.certificate has it too, and brings scikit-learn along; a test holds the two together.
CERTIFICATE_VERSION = 1
EXPORT_AGAIN = "export again (python -m export.to_onnx)"


def check_certificate(folder: Path, onnxruntime: str) -> tuple[Manifest, dict[str, Any]]:
    """The manifest and the certificate; `onnxruntime` is the version to be packaged. Raises PackageRefused."""
    if not folder.is_dir():
        raise PackageRefused(
            f"{folder}: expected a folder with {GRAPH}, {MANIFEST} and {CERTIFICATE}, found none; "
            "run python -m training.run and python -m export.to_onnx first"
        )
    certificate = _read(folder / CERTIFICATE)
    for name in (GRAPH, MANIFEST):
        path = folder / name
        if not path.is_file():
            raise PackageRefused(f"{path}: no such file; {EXPORT_AGAIN}")
        expected, came = certificate["sha256"].get(name), hashlib.sha256(path.read_bytes()).hexdigest()
        if expected != came:
            raise PackageRefused(f"{path}: sha256: the certificate has {expected}, found {came}; {EXPORT_AGAIN}")
    certified = certificate["versions"].get("onnxruntime")
    if certified != onnxruntime:
        raise PackageRefused(
            f"{folder / CERTIFICATE}: certified with onnxruntime {certified}, but requirements/lambda.txt packages "
            f"{onnxruntime}; install that and {EXPORT_AGAIN}"
        )
    try:
        return Manifest.read(str(folder / MANIFEST)), certificate
    except ModelRefused as refusal:
        raise PackageRefused(str(refusal)) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        certificate = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PackageRefused(f"{path}: no such file, and a model without one is not packaged; {EXPORT_AGAIN}") from None
    except ValueError as fault:
        raise PackageRefused(f"{path}: is not JSON ({fault}); {EXPORT_AGAIN}") from None
    version = certificate.get("schema_version") if isinstance(certificate, dict) else None
    if version != CERTIFICATE_VERSION:
        raise PackageRefused(f"{path}: schema_version: expected {CERTIFICATE_VERSION}, got {version!r}; {EXPORT_AGAIN}")
    for member in ("sha256", "versions"):
        if not isinstance(certificate.get(member), dict):
            raise PackageRefused(f"{path}: {member}: expected an object; {EXPORT_AGAIN}")
    return dict(certificate)
