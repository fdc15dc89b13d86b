"""model/: its files by name, and the comparison of these files with the certificate.

This module imports neither scikit-learn nor XGBoost: packaging, as in Dockerfile.lambda, does not need them.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from export.refusal import ExportRefused
from runtime.strict_json import NotStrict, parse_file
from runtime.table_file import BATCH_FILE, REASONS_FILE
from storage.digest import sha256_of

if TYPE_CHECKING:
    from export.documents import Certificate

GRAPH, MANIFEST, CERTIFICATE = "model.onnx", "manifest.json", "certificate.json"
REASONS, BATCH = REASONS_FILE.name, BATCH_FILE.name
INITIAL = "initial.json"  # what validations compare with; no start reads it
OPTIONAL = (REASONS, BATCH, INITIAL)  # not every model has them
LARGEST_CERTIFICATE = 64 * 2**20  # bytes
CERTIFICATE_VERSION = 1  # raise it when an older reader could misread a newer certificate
EXPORT_AGAIN = "export again (python -m export.to_onnx)"


def read_certificate(folder: Path) -> "Certificate":
    """The certificate of a model folder, after its hashes were compared with the files.

    Raises ExportRefused, naming the file, where one is missing, damaged or not the one that was certified.
    """
    if not folder.is_dir():
        raise ExportRefused(
            f"{folder}: expected a folder with {GRAPH}, {MANIFEST} and {CERTIFICATE}, found none; "
            "run python -m training.run and python -m export.to_onnx first"
        )
    certificate = _read(folder / CERTIFICATE)
    for name in certified_files(certificate):
        path = folder / name
        if not path.is_file():
            raise ExportRefused(f"{path}: no such file; {EXPORT_AGAIN}")
        refuse_other(f"{path}: sha256", certificate["sha256"].get(name), sha256_of(path))
    return certificate


def certified_files(certificate: "Certificate") -> tuple[str, ...]:
    """The files of a model folder that a certificate is about."""
    return (GRAPH, MANIFEST, *(name for name in OPTIONAL if name in certificate["sha256"]))


def files_of(folder: Path) -> tuple[str, ...]:
    """All files of a model folder, the certificate last, after their hashes were compared."""
    return (*certified_files(read_certificate(folder)), CERTIFICATE)


def refuse_other(what: str, certified: object, found: object) -> None:
    """Raise ExportRefused if a value is not the one in the certificate."""
    if certified != found:
        raise ExportRefused(f"{what}: the certificate has {certified}, found {found}; {EXPORT_AGAIN}")


def _read(path: Path) -> "Certificate":
    try:
        certificate: Any = parse_file(path.read_bytes(), LARGEST_CERTIFICATE)
    except FileNotFoundError:
        raise ExportRefused(f"{path}: no such file, and a model without one is not trusted; {EXPORT_AGAIN}") from None
    except NotStrict as fault:
        raise ExportRefused(f"{path}: is not JSON ({fault}); {EXPORT_AGAIN}") from None
    version = certificate.get("schema_version") if isinstance(certificate, dict) else None
    if version != CERTIFICATE_VERSION:
        raise ExportRefused(f"{path}: schema_version: expected {CERTIFICATE_VERSION}, got {version!r}; {EXPORT_AGAIN}")
    for member in ("sha256", "versions"):
        if not isinstance(certificate.get(member), dict):
            raise ExportRefused(f"{path}: {member}: expected an object; {EXPORT_AGAIN}")
    return cast("Certificate", certificate)
