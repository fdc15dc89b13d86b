"""`python -m delivery.bill_of_materials`: dist/sbom.cdx.json, all that a package is made of, in CycloneDX.

It is read off the package itself: a part that belongs to nothing is refused, and so is a distribution that is not
pinned. The same package gives the same bytes.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.bill_of_materials")


import argparse
import os
import subprocess
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from cli import command
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped
from delivery.parts import distributions, libraries, licence_of, sha256
from delivery.release_record import SBOM, ZIP, sha256_of
from export.model_folder import GRAPH, MANIFEST
from export.package import PARTS, REQUIREMENTS, ROOT
from export.packaging.refusal import PackageRefused
from export.packaging.requirements import read_pins
from export.packaging.target import Target, architecture, python_version
from runtime.manifest import Manifest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
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
    files.add_argument(
        "--dist", default="dist", metavar="DIR", help="folder of the package and of the list (default: dist)"
    )
    target = options.add_argument_group("target")
    target.add_argument("--python", default="3.13", type=python_version, metavar="3.N", help="default: %(default)s")
    target.add_argument("--arch", default="x86_64", type=architecture, metavar="ARCH", help="x86_64 (default) or arm64")
    options.add_argument_group("display").add_argument("--quiet", action="store_true", help="print errors only")
    return options


def write(dist: Path, target: Target, progress: Progress) -> None:
    """Write `dist`/sbom.cdx.json. Raises PackageRefused where the package is not what the locks say."""
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
    """Components of the folder `dist`/task, and so of `dist`/lambda.zip. Raises PackageRefused."""
    task = dist / "task"
    refuse_strangers(task)
    version = Manifest.read(str(task / "model" / MANIFEST)).model_version
    model = Component(
        name="model",
        type=ComponentType.MACHINE_LEARNING_MODEL,
        version=version,
        bom_ref="model",
        hashes=[sha256(task / "model" / GRAPH)],
    )
    owner = os.environ.get("GITHUB_REPOSITORY", "").partition("/")[0]
    builder = OrganizationalEntity(name=owner) if owner else None
    package = Component(
        name="lastbit",
        type=ComponentType.APPLICATION,
        version=f"{version}-{target.name}",
        bom_ref="lastbit",
        licenses=[licence_of("lastbit", "Apache-2.0")],
        supplier=builder,
        hashes=[sha256(dist / ZIP)],
    )
    components = [model, *distributions(task, read_pins(REQUIREMENTS, target)), *libraries(task)]
    bom = Bom(components=components, metadata=BomMetaData(component=package, supplier=builder))
    # The library's own time and number would be other ones each time.
    bom.metadata.timestamp = time_of_the_source()
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_OID, sha256_of(dist / ZIP))
    bom.register_dependency(package, components)
    return bom


def refuse_strangers(task: Path) -> None:
    """Raise PackageRefused for a file that is of no part."""
    known = tuple(prefix for prefixes in PARTS.values() for prefix in prefixes)
    for path in sorted(task.rglob("*")):
        name = path.relative_to(task).as_posix()
        if path.is_file() and not name.startswith(known) and ".dist-info/" not in name:
            raise PackageRefused(f"{path}: expected a part of the package ({', '.join(known)}), found another file")


def time_of_the_source() -> datetime | None:
    """SOURCE_DATE_EPOCH (seconds), or else the time of the commit; None where neither is known.

    https://reproducible-builds.org/specs/source-date-epoch/
    """
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not seconds:
        try:
            words = ["git", "log", "--max-count=1", "--format=%ct"]
            seconds = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return None
    if not seconds.isdecimal():
        raise PackageRefused(f"SOURCE_DATE_EPOCH: expected seconds since 1970, got {seconds!r}")
    return datetime.fromtimestamp(int(seconds), UTC)
