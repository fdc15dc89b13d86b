"""dist/lambda.zip, as it is deployed: its model, its Python and processor, and the checks before it may be deployed."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from cli.errors import UserError
from export.model_folder import CERTIFICATE, GRAPH, MANIFEST, OPTIONAL
from export.package import check_unzipped
from export.packaging.certified import check_certificate
from export.packaging.target import MACHINES, lambda_name
from runtime.manifest import Manifest
from storage.damaged import DAMAGED
from storage.digest import sha256_of

PACKAGE_AGAIN = "package it again (python -m export.package)"
# The extension modules say what they were compiled for.
_COMPILED_FOR = re.compile(r"\.cpython-3(\d+)-(\w+)-linux-gnu\.so$")
_ONNXRUNTIME = re.compile(r"onnxruntime-([^/]+)\.dist-info/METADATA$")


@dataclass(frozen=True)
class Artifact:
    """`sha256` is the zip's, in hexadecimal; `runtime` and `arch` are Lambda's words, python3.13 and x86_64."""

    path: Path
    sha256: str
    size: int
    runtime: str
    arch: str
    manifest: Manifest

    @property
    def key(self) -> str:
        """Its name in a bucket, made of its content, so that an object never changes."""
        return key_of(self.sha256)


def key_of(sha256: str) -> str:
    """The name in a bucket of the package with that sha256 (hexadecimal)."""
    return f"packages/{sha256}.zip"


def read_artifact(path: Path) -> Artifact:
    """Raise UserError unless the file is a package with a certified model within Lambda's limits."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run python -m export.package first") from None
    try:
        with ZipFile(path) as archive:
            check_unzipped(sum(entry.file_size for entry in archive.infolist()))
            names = archive.namelist()
            runtime, arch = _target(path, names)
            manifest = _certified(path, archive, names)
    except DAMAGED as fault:
        raise UserError(f"{path}: is not a zip that can be read ({fault}); {PACKAGE_AGAIN}") from None
    return Artifact(path, sha256_of(content), len(content), runtime, arch, manifest)


def _target(path: Path, names: list[str]) -> tuple[str, str]:
    found = {match.groups() for name in names if (match := _COMPILED_FOR.search(name))}
    if len(found) != 1:
        what = "several Pythons or processors" if found else "none"
        raise UserError(
            f"{path}: expected modules compiled for one Python and processor, found {what}; {PACKAGE_AGAIN}"
        )
    minor, machine = found.pop()
    if (arch := lambda_name(machine)) is None:
        raise UserError(f"{path}: expected modules for {' or '.join(MACHINES)}, got {machine}; {PACKAGE_AGAIN}")
    return f"python3.{minor}", arch


def _certified(path: Path, archive: ZipFile, names: list[str]) -> Manifest:
    versions = [match[1] for name in names if (match := _ONNXRUNTIME.match(name))]
    if len(versions) != 1:
        raise UserError(f"{path}: expected onnxruntime once, found it {len(versions)} times; {PACKAGE_AGAIN}")
    with tempfile.TemporaryDirectory() as folder:
        for name in (GRAPH, MANIFEST, *OPTIONAL, CERTIFICATE):
            if f"model/{name}" in names:
                archive.extract(f"model/{name}", folder)
        model = Path(folder) / "model"
        model.mkdir(exist_ok=True)
        try:
            manifest, _ = check_certificate(model, versions[0])
        except UserError as refusal:
            raise UserError(str(refusal).replace(str(model), f"{path}: model")) from None
    return manifest
