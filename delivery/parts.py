"""Components of a package: distributions with licences and suppliers, and their bundled libraries."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.model.license import DisjunctiveLicense, License
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from delivery.release_record import sha256_of
from export.package import REQUIREMENTS
from export.packaging.refusal import PackageRefused
from export.packaging.requirements import Pin

METADATA = ".dist-info/METADATA"
# Licence names of distributions that are not SPDX expressions.
SPDX = {"MIT License": "MIT"}


@dataclass(frozen=True)
class Library:
    """A shared library, by how its file's name begins; `version` is looked for in the name, or `inside` of the file."""

    file: str
    name: str
    version: re.Pattern[bytes]
    inside: bool
    licence: str
    supplier: str


_GCC = ("GPL-3.0-or-later WITH GCC-exception-3.1", "Free Software Foundation")
_OPENBLAS = re.compile(rb"OpenBLAS (\d+\.\d+\.\d+)")
_SONAME = re.compile(rb"\.so\.([\d.]+)$")
LIBRARIES = (
    Library("libscipy_openblas", "OpenBLAS", _OPENBLAS, True, "BSD-3-Clause", "OpenBLAS project"),
    Library("libgfortran", "libgfortran", _SONAME, False, *_GCC),
    Library("libgcc_s", "libgcc", _SONAME, False, *_GCC),
    Library("libquadmath", "libquadmath", _SONAME, False, "LGPL-2.1-or-later", _GCC[1]),
)


def distributions(task: Path, pins: Sequence[Pin]) -> Iterator[Component]:
    """The distributions whose metadata is there. Raises PackageRefused where they are not those of the lock."""
    wanted = {(pin.name, pin.version) for pin in pins}
    for path in sorted(task.glob(f"*{METADATA}")):
        metadata = HeaderParser().parsestr(path.read_text(encoding="utf-8"))
        name, version = str(canonicalize_name(metadata["Name"])), str(metadata["Version"])
        if (name, version) not in wanted:
            raise PackageRefused(f"{path}: {name} {version} is not pinned in {REQUIREMENTS.name}")
        wanted.remove((name, version))
        yield Component(
            name=name,
            version=version,
            bom_ref=name,
            purl=PackageURL("pypi", name=name, version=version),
            licenses=[licence_of(name, metadata["License-Expression"] or metadata["License"] or "")],
            supplier=OrganizationalEntity(name=supplier_of(metadata)),
            description=metadata["Summary"],
        )
    for name, version in sorted(wanted):
        raise PackageRefused(f"{task}: expected {name} {version}, which is pinned in {REQUIREMENTS.name}, found none")


def licence_of(name: str, text: str) -> License:
    """An SPDX expression. Raises PackageRefused for a text that is not one."""
    expression = SPDX.get(text, text)
    licence = LicenseFactory().make_from_string(expression)
    if isinstance(licence, DisjunctiveLicense) and licence.id is None:
        raise PackageRefused(f"{name}: expected a licence of SPDX, got {text!r}; say which it is in delivery/parts.py")
    return licence


def supplier_of(metadata: Message) -> str:
    """Supplier that a distribution states."""
    for key in ("Maintainer", "Maintainer-email", "Author", "Author-email"):
        if name := str(metadata[key] or "").partition("<")[0].strip().strip('"'):
            return name
    return "unknown"


def libraries(task: Path) -> Iterator[Component]:
    """The shared libraries of other projects that wheels bring along. Raises PackageRefused for one that is not known.

    Their files' names hold a part of a hash; versions are read off the files.
    """
    for path in sorted(task.glob("*.libs/*")):
        file = path.relative_to(task).as_posix()
        known = next((entry for entry in LIBRARIES if path.name.startswith(entry.file)), None)
        if known is None:
            raise PackageRefused(f"{path}: expected a known library, found another; name it in delivery/parts.py")
        version = known.version.search(path.read_bytes() if known.inside else path.name.encode())
        if version is None:
            raise PackageRefused(f"{path}: expected {known.name} with a version, found none")
        yield Component(
            name=known.name,
            type=ComponentType.LIBRARY,
            version=version[1].decode(),
            bom_ref=file,
            hashes=[sha256(path)],
            licenses=[licence_of(known.name, known.licence)],
            supplier=OrganizationalEntity(name=known.supplier),
            properties=[Property(name="lastbit:file", value=file)],
        )


def sha256(path: Path) -> HashType:
    """The SHA-256 of a file, as CycloneDX holds it."""
    return HashType(alg=HashAlgorithm.SHA_256, content=sha256_of(path))
