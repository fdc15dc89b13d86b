"""`python -m delivery.accept`: a deployment's first step takes the bytes that were built, tried and attested, or none.

The outputs `package` and, for a stage that runs an image, `image` are what the deployment is then given.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.accept")


import argparse
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cli import command
from cli.errors import UserError
from cli.parser import Parser
from delivery import workflow
from delivery.release_record import (
    BUILD_AGAIN,
    IMAGE_SBOM,
    RECORD,
    SBOM,
    ZIP,
    Record,
    model_version,
    read,
    sha256_of,
    spdx_predicate,
)
from deploy.stages import read_stage

SIGNER = ".github/workflows/release.yml"
PROVENANCE, CYCLONEDX = "https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = parser().parse_args(arguments)
    return command.run(lambda: accept(Path(args.bundles), args.stage), f"{args.stage} is as it was")


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = Parser(
        prog="python -m delivery.accept",
        description="Check that a release is the one that was recorded for this commit (GITHUB_SHA), and that zip and "
        "image were attested by the release workflow of this repository (GITHUB_REPOSITORY). Needs gh.",
    )
    files = options.add_argument_group("input")
    files.add_argument(
        "--bundles",
        default="bundles",
        metavar="DIR",
        help="downloaded folder with bundle-x86_64 and bundle-arm64 (default: %(default)s)",
    )
    files.add_argument("--stage", required=True, metavar="STAGE", help="a stage of deploy/stages.toml")
    return options


def accept(bundles: Path, stage: str) -> None:
    """Output what `stage` receives. Raises UserError at the first mismatch."""
    commit, repository = workflow.variable("GITHUB_SHA"), workflow.variable("GITHUB_REPOSITORY")
    settings = read_stage(stage).parameters
    arch = settings.get("Architecture", "x86_64")
    is_image = settings.get("PackageType", "Zip") == "Image"
    bundle = bundles / f"bundle-{arch}"
    record = read(bundle / RECORD)
    refuse_other(bundle, record, {"commit": commit, "arch": arch})
    attested = [(str(bundle / ZIP), PROVENANCE), (str(bundle / ZIP), CYCLONEDX)]
    if is_image:
        listed = _parts_predicate(bundle / IMAGE_SBOM)
        attested += [(f"oci://{record.image}", PROVENANCE), (f"oci://{record.image}", listed)]
    for subject, predicate in attested:
        refuse_unattested(subject, predicate, repository, commit)
    workflow.output("package", str(bundle / ZIP))
    workflow.output("image", record.image if is_image else "")


def _parts_predicate(path: Path) -> str:
    try:
        return spdx_predicate(json.loads(path.read_text(encoding="utf-8")))
    except (AttributeError, ValueError):
        raise UserError(f"{path}: expected the image's parts as SPDX; {BUILD_AGAIN}") from None


def refuse_other(bundle: Path, record: Record, expected: dict[str, str]) -> None:
    """Raise UserError where a bundle differs from its record, or the record is of another release."""
    found = {
        "zip_sha256": sha256_of(bundle / ZIP),
        "sbom_sha256": sha256_of(bundle / SBOM),
        "image_sbom_sha256": sha256_of(bundle / IMAGE_SBOM),
        "model_version": model_version(bundle / ZIP),
        **expected,
    }
    for name, value in found.items():
        if getattr(record, name) != value:
            raise UserError(
                f"{bundle / RECORD}: {name}: the record has {getattr(record, name)}, this deployment {value}; "
                "it is not deployed"
            )


def refuse_unattested(subject: str, predicate: str, repository: str, commit: str) -> None:
    """Raise UserError where the release workflow did not say this of `subject` at this commit."""
    words = ["attestation", "verify", subject, "--repo", repository, "--predicate-type", predicate]
    words += ["--signer-workflow", f"{repository}/{SIGNER}", "--source-digest", commit, "--deny-self-hosted-runners"]
    try:
        said = subprocess.run(["gh", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError("gh: no such command; GitHub's own runners have it") from None
    if said.returncode:
        reason = " ".join(said.stderr.split()) or f"gh ended with {said.returncode}"
        raise UserError(f"{subject}: no attestation ({predicate}) of this release: {reason}; it is not deployed")
