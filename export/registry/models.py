"""Published models in S3: every version that ever served, and which of them is the latest.

    PREFIX/latest.json                 the pointer: version, sha256 of each file, time; moved last
    PREFIX/VERSION/model.onnx          a version's files never change
    PREFIX/VERSION/manifest.json
    PREFIX/VERSION/reasons.bin         where the model has reasons
    PREFIX/VERSION/batch.bin           where tables score its batches
    PREFIX/VERSION/certificate.json    uploaded last: a version is there when its certificate is

However an upload ends, the pointer names a version that is whole. Nothing is ever deleted.
"""

import json
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from cli.errors import UserError
from cli.progress import Progress
from cli.words import nearest
from export.documents import Certificate, Pointer
from export.model_folder import (
    CERTIFICATE,
    GRAPH,
    LARGEST_CERTIFICATE,
    MANIFEST,
    OPTIONAL,
    certified_files,
    files_of,
    read_certificate,
)
from export.refusal import ExportRefused
from runtime.manifest import Manifest, ModelRefused
from runtime.model import Model
from runtime.strict_json import NotStrict, parse_file
from storage.address import Address
from storage.digest import sha256_of
from storage.faults import Denied, Missing, Taken
from storage.folder import replaced_folder
from storage.store import Moved, Several, Store

FILES = (GRAPH, MANIFEST, CERTIFICATE)  # of every version
ALL_FILES = (GRAPH, MANIFEST, *OPTIONAL, CERTIFICATE)  # in the order of their upload
LATEST = "latest"
POINTER = "latest.json"
LARGEST_POINTER = 2**20  # bytes
POINTER_VERSION = 1  # raise it when an older reader could misread a newer pointer
VERSION = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class Published:
    """One version under a prefix; `time` is that of its upload."""

    version: str
    time: datetime
    latest: bool


class NoPointer(UserError):  # noqa: N818  (named for what is there)
    """latest.json does not point to a published model."""


class Registry:
    """The published models under a prefix in S3. Raises UserError for all that goes wrong."""

    def __init__(self, prefix: str) -> None:
        self.address = Address.of_prefix(prefix)
        self._store = Store()

    def check(self) -> None:
        """Report problems known before an export: missing credentials, no such bucket, files of another kind."""
        with suppress(Denied):  # without s3:ListBucket the pointer may just not be there
            self._pointer()

    def publish(self, folder: Path, progress: Progress) -> str:
        """Upload the model in a folder, make it the latest, and return its version.

        A version that is there with the same bytes is left as it is; raises ExportRefused for one with other bytes.
        """
        files = files_of(folder)
        version = _version_in(folder)
        sha256 = {name: sha256_of(folder / name) for name in files}
        with progress.transfer(f"Publishing model {version}") as moved:
            several = Several(moved, sum((folder / name).stat().st_size for name in files))
            for name in files:
                self._upload(folder / name, version, sha256[name], several.next())
        self._point(version, sha256)
        return version

    def fetch(self, version: str, out: Path, progress: Progress) -> str:
        """Replace the folder `out` by a version, or by the latest, and return which it is.

        Raises ExportRefused where the files are not those of the pointer, the certificate, the manifest and the
        version, or where the runtime does not start on them.
        """
        with replaced_folder(out, MANIFEST) as folder:
            return self._bring(version, folder, progress)[0]

    def roll_back(self, version: str, progress: Progress) -> str:
        """Make a version the latest; raise as `fetch` does."""
        with tempfile.TemporaryDirectory(prefix="lastbit-") as folder:
            version, sha256 = self._bring(version, Path(folder), progress)
        self._point(version, sha256)
        return version

    def versions(self) -> list[Published]:
        """All that are whole, the newest first."""
        times: dict[str, dict[str, datetime]] = {}
        for key, time, _ in self._store.listed(self.address):
            version, _, name = key.partition("/")
            if VERSION.fullmatch(version) and name in FILES:
                times.setdefault(version, {})[name] = time
        pointer = self._pointer()
        latest = pointer["model_version"] if pointer else None
        whole = [
            Published(version, files[CERTIFICATE], version == latest)
            for version, files in times.items()
            if files.keys() >= set(FILES)
        ]
        return sorted(whole, key=lambda published: (published.time, published.version), reverse=True)

    def _upload(self, path: Path, version: str, sha256: str, moved: Moved) -> None:
        address = self.address / version / path.name
        try:
            self._store.upload(path, address, sha256, moved, replace=False)
        except Taken:
            if (found := sha256_of(self._store.read(address))) != sha256:
                raise ExportRefused(
                    f"{address}: sha256: expected {sha256}, found {found}; a published version never changes: "
                    "find who wrote it, and publish under another prefix"
                ) from None

    def _bring(self, version: str, folder: Path, progress: Progress) -> tuple[str, dict[str, str]]:
        """Download a version into a folder, check all of it, and return its name and the sha256 of its files."""
        pointer = self._latest() if version == LATEST else None
        version = pointer["model_version"] if pointer else version
        source = self.address / version
        with progress.transfer(f"Downloading model {version}") as moved:
            try:
                several = Several(moved)
                self._store.download(source / CERTIFICATE, folder / CERTIFICATE, several.next())
                # It says whether there is such a version, and what belongs to it.
                files = (*_files_named(folder / CERTIFICATE), CERTIFICATE)
                for name in reversed(files[:-1]):
                    self._store.download(source / name, folder / name, several.next())
            except Missing as missing:
                raise self._no_version(version, bool(pointer), missing) from missing
        sha256 = {name: sha256_of(folder / name) for name in files}
        for name, expected in (pointer["sha256"] if pointer else sha256).items():
            if sha256.get(name) != expected:
                raise ExportRefused(
                    f"{source / name}: sha256: {POINTER} has {expected}, found {sha256.get(name)}; "
                    "do not use it: roll back to a complete version"
                )
        with progress.step("Starting the runtime on it"):
            self._examine(version, folder, source)
        return version, sha256

    def _examine(self, version: str, folder: Path, source: Address) -> None:
        """Raise ExportRefused for a model that is not what its certificate, its manifest or its version say."""
        try:
            read_certificate(folder)
            manifest = Model.load(str(folder)).manifest
            if version != manifest.model_version:
                raise ExportRefused(
                    f"{folder / MANIFEST}: expected model version {version}, found {manifest.model_version}; "
                    "do not use it"
                )
        except (ExportRefused, ModelRefused) as refusal:  # they know the folder, the user knows where it came from
            raise ExportRefused(str(refusal).replace(str(folder), str(source))) from refusal

    def _no_version(self, version: str, named_by_pointer: bool, missing: Missing) -> UserError:
        if missing.what == "bucket":
            return missing
        if named_by_pointer:
            return UserError(
                f"{self.address / POINTER}: names version {version}, which is incomplete; roll back to another"
            )
        try:
            suggestion = nearest(version, [published.version for published in self.versions()])
        except UserError:  # permission to fetch does not imply permission to list
            suggestion = None
        guess = f"did you mean {suggestion}? " if suggestion else ""
        return UserError(f"{self.address}: no version {version}; {guess}python -m export.registry versions lists them")

    def _latest(self) -> Pointer:
        if (pointer := self._pointer()) is None:
            raise UserError(
                f"{self.address}: no model is published there; publish one with python -m export.registry publish"
            )
        return pointer

    def _pointer(self) -> Pointer | None:
        """Content of latest.json; None before the first version."""
        address = self.address / POINTER
        try:
            content = self._store.read(address)
        except Missing as missing:
            if missing.what == "bucket":
                raise
            return None
        try:
            pointer = cast(Pointer, parse_file(content, LARGEST_POINTER))
            if pointer["schema_version"] != POINTER_VERSION or pointer["sha256"].keys() - set(OPTIONAL) != set(FILES):
                raise ValueError
            if not VERSION.fullmatch(pointer["model_version"]):
                raise ValueError
        except (ValueError, TypeError, KeyError, AttributeError):
            problem = "does not point to a published model; name another prefix, or roll back to a version"
            raise NoPointer(f"{address}: {problem}") from None
        return pointer

    def _point(self, version: str, sha256: dict[str, str]) -> None:
        """Move the pointer, unless it is there already."""
        try:
            pointer = self._pointer()
        except (Denied, NoPointer):
            pointer = None
        if pointer is not None and (pointer["model_version"], pointer["sha256"]) == (version, sha256):
            return
        content: Pointer = {
            "schema_version": POINTER_VERSION,
            "model_version": version,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "sha256": sha256,
        }
        self._store.write(self.address / POINTER, (json.dumps(content, indent=2) + "\n").encode())


def _version_in(folder: Path) -> str:
    try:
        return Manifest.read(str(folder / MANIFEST)).model_version
    except ModelRefused as refusal:
        raise ExportRefused(str(refusal)) from refusal


def _files_named(certificate: Path) -> tuple[str, ...]:
    """The files that a certificate that has just come is about; what is wrong with it is said later."""
    try:
        content = parse_file(certificate.read_bytes(), LARGEST_CERTIFICATE)
    except NotStrict:
        return (GRAPH, MANIFEST)
    named = content.get("sha256") if isinstance(content, dict) else None
    return certified_files(cast(Certificate, {"sha256": named if isinstance(named, dict) else {}}))
