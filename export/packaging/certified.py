"""A model folder whose certificate is about it, and about the onnxruntime that it is packaged with."""

from pathlib import Path
from typing import TYPE_CHECKING

from export.model_folder import CERTIFICATE, EXPORT_AGAIN, MANIFEST, read_certificate
from export.packaging.refusal import PackageRefused
from runtime.manifest import Manifest, ModelRefused

if TYPE_CHECKING:
    from export.documents import Certificate


def check_certificate(folder: Path, onnxruntime: str) -> "tuple[Manifest, Certificate]":
    """The manifest and the certificate; `onnxruntime` is the version to be packaged.

    Raises PackageRefused, or ExportRefused where the certificate is not about these files.
    """
    certificate = read_certificate(folder)
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
