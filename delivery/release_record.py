"""`python -m delivery.release_record`: dist/release.json, which says what exactly was built, for the deployments.

A deployment takes the bytes that a record names, and no others: see delivery.accept.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.release_record")


import argparse
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from cli import command
from cli.errors import UserError
from cli.parser import Parser
from delivery import workflow
from delivery.markdown import table
from export.model_folder import MANIFEST
from export.packaging.target import architecture
from runtime.strict_json import parse_file
from storage import digest
from storage.damaged import DAMAGED

ZIP, SBOM, IMAGE, IMAGE_SBOM = "lambda.zip", "sbom.cdx.json", "image.json", "image.spdx.json"
RECORD = "release.json"
LARGEST_FILE = 256 * 2**20  # bytes
BUILD_AGAIN = "build the release again"

COMMIT = re.compile(r"[0-9a-f]{40}")
VERSION = re.compile(r"[0-9a-f]{12}")
SPDX_VERSION = re.compile(r"SPDX-(\d+\.\d+)")
SHA256 = re.compile(r"[0-9a-f]{64}")
REPOSITORY = r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[a-z0-9._-]+)+"
BY_DIGEST = re.compile(rf"{REPOSITORY}@sha256:[0-9a-f]{{64}}")
SHAPES = {
    "commit": COMMIT,
    "model_version": VERSION,
    "arch": re.compile("x86_64|arm64"),
    "zip_sha256": SHA256,
    "sbom_sha256": SHA256,
    "image_sbom_sha256": SHA256,
    "image": BY_DIGEST,
    "base": BY_DIGEST,
}


@dataclass(frozen=True)
class Record:
    """Record of a release for one kind of processor."""

    commit: str
    model_version: str
    arch: str
    zip_sha256: str
    sbom_sha256: str
    image_sbom_sha256: str
    image: str  # repository@sha256:…
    base: str  # what the image is built on, in the same form


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = parser().parse_args(arguments)
    return command.run(lambda: write(Path(args.dist), args.arch), "nothing was recorded")


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = Parser(
        prog="python -m delivery.release_record",
        description="Record commit, model, sha256 of the zip and digest of the image in release.json. GITHUB_SHA is "
        "the commit.",
    )
    files = options.add_argument_group("input and output")
    files.add_argument("--dist", default="dist", metavar="DIR", help="folder of the build (default: %(default)s)")
    target = options.add_argument_group("target")
    target.add_argument("--arch", default="x86_64", type=architecture, metavar="ARCH", help="x86_64 (default) or arm64")
    return options


def write(dist: Path, arch: str) -> None:
    """Write `dist`/release.json from what else is there. Raises UserError where a part of the release is missing."""
    image = _object(dist / IMAGE)
    record = _checked(
        {
            "commit": workflow.variable("GITHUB_SHA"),
            "model_version": model_version(dist / ZIP),
            "arch": arch,
            "zip_sha256": sha256_of(dist / ZIP),
            "sbom_sha256": sha256_of(dist / SBOM),
            "image_sbom_sha256": sha256_of(dist / IMAGE_SBOM),
            "image": image.get("image"),
            "base": image.get("base"),
        },
        dist / IMAGE,
    )
    partial = dist / f".{RECORD}"
    partial.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
    partial.replace(dist / RECORD)
    workflow.summary(f"### Release for {arch}\n\n{table(('', 'Value'), [*asdict(record).items()])}\n")


def read(path: Path) -> Record:
    """A record that was written before. Raises UserError for what is not a record."""
    return _checked(_object(path), path)


def model_version(package: Path) -> str:
    """The version of the model inside a package. Raises UserError for a file that is not a package."""
    try:
        with ZipFile(package) as archive:
            return str(_parsed(archive.read(f"model/{MANIFEST}"))["model_version"])
    except FileNotFoundError:
        raise UserError(f"{package}: no such file; {BUILD_AGAIN}") from None
    except (*DAMAGED, KeyError, TypeError, ValueError):
        raise UserError(f"{package}: expected a package with a model inside; {BUILD_AGAIN}") from None


def spdx_predicate(document: Mapping[str, object]) -> str:
    """Predicate type of an attested SPDX document in GitHub's action; the version is the document's own (SPDX-2.3).

    Raises ValueError for anything else.
    """
    version = SPDX_VERSION.fullmatch(str(document.get("spdxVersion")))
    if version is None:
        raise ValueError("no SPDX document")
    return f"https://spdx.dev/Document/v{version[1]}"


def sha256_of(path: Path) -> str:
    """The digest of a file's bytes. Raises UserError where it is not there."""
    try:
        return digest.sha256_of(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {BUILD_AGAIN}") from None


def _parsed(content: bytes) -> Any:
    """Raise NotStrict, a ValueError: a JSON constant that strict JSON does not have."""
    return parse_file(content, LARGEST_FILE)


def _object(path: Path) -> dict[str, object]:
    try:
        content = _parsed(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {BUILD_AGAIN}") from None
    except ValueError as fault:
        raise UserError(f"{path}: is not JSON ({fault}); {BUILD_AGAIN}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected an object, got {type(content).__name__}; {BUILD_AGAIN}")
    return content


def _checked(content: dict[str, object], where: Path) -> Record:
    names = [field.name for field in fields(Record)]
    if sorted(content) != sorted(names):
        raise UserError(f"{where}: expected {', '.join(names)}; got {', '.join(content) or 'nothing'}; {BUILD_AGAIN}")
    for name, shape in SHAPES.items():
        if not shape.fullmatch(str(content[name])):
            raise UserError(f"{where}: {name}: expected {shape.pattern}, got {content[name]!r}; {BUILD_AGAIN}")
    return Record(**{name: str(content[name]) for name in names})
