"""`python -m delivery.bill_of_materials`: dist/sbom.cdx.json, all that a package is made of, in CycloneDX.

It is read off the package itself: a part that belongs to nothing is refused, and so is a distribution that is not
pinned. The same package gives the same bytes.
"""

import argparse
import sys
import uuid
from collections.abc import Iterator, Sequence
from email.parser import HeaderParser
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from cli import command
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped
from delivery.release_record import SBOM, ZIP, sha256_of
from export.model_folder import GRAPH, MANIFEST
from export.package import PARTS, REQUIREMENTS
from export.packaging.refusal import PackageRefused
from export.packaging.requirements import Pin, read_pins
from export.packaging.target import Target, architecture, python_version
from runtime.manifest import Manifest

METADATA = ".dist-info/METADATA"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    dist = Path(args.dist)
    progress = Progress(quiet=args.quiet)
    target = Target(args.python, args.arch)
    return command.run(lambda: write(dist, target, progress), f"{dist / SBOM} is as it was")


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = Parser(
        prog="python -m delivery.bill_of_materials",
        description="List what is in a package, with versions, hashes and licences, as CycloneDX 1.6.",
    )
    files = options.add_argument_group("input and output")
    files.add_argument("--dist", default="dist", metavar="DIR", help="the package, and where the list goes (dist)")
    target = options.add_argument_group("target")
    target.add_argument("--python", default="3.13", type=python_version, metavar="3.N", help="default: %(default)s")
    target.add_argument("--arch", default="x86_64", type=architecture, metavar="ARCH", help="x86_64 (default) or arm64")
    options.add_argument_group("display").add_argument("--quiet", action="store_true", help="say nothing but errors")
    return options


def write(dist: Path, target: Target, progress: Progress) -> None:
    """Writes `dist`/sbom.cdx.json. Raises PackageRefused where the package is not what the locks say."""
    task = dist / "task"
    if not (task / "model" / MANIFEST).is_file():
        raise PackageRefused(f"{task}: expected a package, found none; run python -m export.package first")
    bom = bill(dist, target)
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise PackageRefused(f"{task}: its bill of materials is not valid CycloneDX: {fault.data}")
    partial = dist / f".{SBOM}"
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(dist / SBOM)
    progress.say(f"Written to [bold]{escaped(dist / SBOM)}[/]: {len(bom.components)} components")


def bill(dist: Path, target: Target) -> Bom:
    """What is in the folder `dist`/task and so in `dist`/lambda.zip. Raises PackageRefused."""
    task = dist / "task"
    refuse_strangers(task)
    version = Manifest.read(str(task / "model" / MANIFEST)).model_version
    model = Component(
        name="model",
        type=ComponentType.MACHINE_LEARNING_MODEL,
        version=version,
        bom_ref="model",
        hashes=[_sha256(task / "model" / GRAPH)],
    )
    package = Component(
        name="lastbit",
        type=ComponentType.APPLICATION,
        version=f"{version}-{target.name}",
        bom_ref="lastbit",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
        hashes=[_sha256(dist / ZIP)],
    )
    components = [model, *distributions(task, read_pins(REQUIREMENTS, target)), *libraries(task)]
    bom = Bom(components=components, metadata=BomMetaData(component=package))
    # Both would be other ones each time.
    bom.metadata.timestamp = None
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_OID, sha256_of(dist / ZIP))
    bom.register_dependency(package, components)
    return bom


def refuse_strangers(task: Path) -> None:
    """Raises PackageRefused for a file that is of no part."""
    known = tuple(prefix for prefixes in PARTS.values() for prefix in prefixes)
    for path in sorted(task.rglob("*")):
        name = path.relative_to(task).as_posix()
        if path.is_file() and not name.startswith(known) and ".dist-info/" not in name:
            raise PackageRefused(f"{path}: expected a part of the package ({', '.join(known)}), found another file")


def distributions(task: Path, pins: Sequence[Pin]) -> Iterator[Component]:
    """The distributions whose metadata is there. Raises PackageRefused where they are not those of the lock."""
    wanted = {(pin.name, pin.version) for pin in pins}
    for path in sorted(task.glob(f"*{METADATA}")):
        metadata = HeaderParser().parsestr(path.read_text(encoding="utf-8"))
        name, version = str(canonicalize_name(metadata["Name"])), str(metadata["Version"])
        if (name, version) not in wanted:
            raise PackageRefused(f"{path}: {name} {version} is not pinned in {REQUIREMENTS.name}")
        wanted.remove((name, version))
        licence = metadata["License-Expression"] or metadata["License"]
        yield Component(
            name=name,
            version=version,
            bom_ref=name,
            purl=PackageURL("pypi", name=name, version=version),
            licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
            description=metadata["Summary"],
        )
    for name, version in sorted(wanted):
        raise PackageRefused(f"{task}: expected {name} {version}, which is pinned in {REQUIREMENTS.name}, found none")


def libraries(task: Path) -> Iterator[Component]:
    """The shared libraries of other projects that wheels bring along; their names hold a part of a hash."""
    for path in sorted(task.glob("*.libs/*")):
        name = path.relative_to(task).as_posix()
        yield Component(name=name, type=ComponentType.FILE, bom_ref=name, hashes=[_sha256(path)])


def _sha256(path: Path) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=sha256_of(path))


if __name__ == "__main__":
    sys.exit(main())
