"""`python -m delivery.image`: builds Dockerfile.lambda and pushes it; what came of it is in dist/image.json.

One image for each processor, since Lambda takes no image of several, and without BuildKit's own attestations, since it
takes no index either: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html. Those that it has are GitHub's.
"""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.image")


import argparse
import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from delivery import workflow
from delivery.release_record import BY_DIGEST, IMAGE, IMAGE_SBOM, REPOSITORY, ZIP, model_version, spdx_predicate
from export.package import REQUIREMENTS
from export.packaging.requirements import read_pins
from export.packaging.target import Target, architecture, python_version

BASE = "public.ecr.aws/lambda/python"
PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
# BuildKit's own; its digest is resolved at each build, as the base's is.
SCANNER, SCANNER_TAG = "docker.io/docker/buildkit-syft-scanner", "stable-1"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = parser().parse_args(arguments)
    return command.run(lambda: build(Path(args.dist), Target(args.python, args.arch)), "no image was recorded")


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = Parser(
        prog="python -m delivery.image",
        description="Build the image of the model in model/ on the current digest of AWS's base, push it to "
        "IMAGE_REPOSITORY, and set the outputs `name` and `digest`. docker has to be logged in to the registry.",
    )
    files = options.add_argument_group("input and output")
    files.add_argument(
        "--dist", default="dist", metavar="DIR", help="folder of the package and of image.json (default: dist)"
    )
    target = options.add_argument_group("target")
    target.add_argument("--python", default="3.13", type=python_version, metavar="3.N", help="default: %(default)s")
    target.add_argument("--arch", default="x86_64", type=architecture, metavar="ARCH", help="x86_64 (default) or arm64")
    return options


def build(dist: Path, target: Target) -> None:
    """Build, push and write `dist`/image.json and image.spdx.json. Raises UserError where docker fails."""
    python, arch = target.version, target.arch
    repository, commit = workflow.variable("IMAGE_REPOSITORY"), workflow.variable("GITHUB_SHA")
    if not re.fullmatch(REPOSITORY, repository):
        raise UserError(f"IMAGE_REPOSITORY: expected registry/name without a tag, got {repository!r}", WRONG_USAGE)
    # Tags cannot be moved in the repository, so a second try has another one.
    attempt = f"{workflow.variable('GITHUB_RUN_ID')}.{workflow.variable('GITHUB_RUN_ATTEMPT')}"
    tag = f"{model_version(dist / ZIP)}-{commit[:12]}-{arch}-{attempt}"
    base = f"{BASE}@{resolve(f'{BASE}:{python}')}"
    metadata = dist / ".docker.json"
    built = (
        *("--file", "Dockerfile.lambda", "--platform", PLATFORMS[arch], "--provenance=false"),
        *("--build-arg", f"PYTHON={python}", "--build-arg", f"BASE={base}"),
        *("--label", f"org.opencontainers.image.revision={commit}"),
    )
    pushed = ("--push", "--sbom=false", "--metadata-file", str(metadata), "--tag", f"{repository}:{tag}")
    _docker("buildx", "build", *built, *pushed, ".")
    digest = str(json.loads(metadata.read_text(encoding="utf-8")).get("containerimage.digest"))
    image = f"{repository}@{digest}"
    if not BY_DIGEST.fullmatch(image):
        raise UserError(f"docker: expected the digest of the pushed image, got {digest!r}")
    _list_parts(dist, built, target)
    (dist / IMAGE).write_text(json.dumps({"image": image, "base": base}, indent=1) + "\n", encoding="utf-8")
    workflow.output("name", repository)
    workflow.output("digest", digest)


def _list_parts(dist: Path, built: Sequence[str], target: Target) -> None:
    """Write `dist`/image.spdx.json: what BuildKit's scanner finds in the same layers, which its cache still has.

    The base's system packages and its Python are in it, which the zip's list cannot know. Lambda takes no image with
    the list attached, so it goes to a folder: https://docs.docker.com/build/metadata/attestations/sbom/
    """
    scanner = f"{SCANNER}@{resolve(f'{SCANNER}:{SCANNER_TAG}')}"
    with tempfile.TemporaryDirectory(prefix=".image-", dir=dist) as folder:
        _docker(
            *("buildx", "build", *built, "--attest", f"type=sbom,generator={scanner}"),
            *("--output", f"type=local,dest={folder}", "."),
        )
        document = parts_of(Path(folder) / "sbom.spdx.json", target)
    (dist / IMAGE_SBOM).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def parts_of(path: Path, target: Target) -> dict[str, Any]:
    """The SPDX document in what BuildKit wrote, a statement about it or the document itself.

    Raises UserError where it is neither, or is without a distribution that is pinned for the package.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        document: dict[str, Any] = content.get("predicate", content)
        spdx_predicate(document)
        found = {(str(part["name"]).lower(), str(part.get("versionInfo"))) for part in document["packages"]}
    except FileNotFoundError:
        raise UserError(f"docker: expected the image's parts in {path.name}, got none") from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UserError(f"{path.name}: expected the image's parts as SPDX, got something else") from None
    for pin in read_pins(REQUIREMENTS, target):
        if (pin.name, pin.version) not in found:
            raise UserError(f"{path.name}: expected {pin.name} {pin.version} among {len(found)} parts, found none")
    return document


def resolve(reference: str) -> str:
    """The digest that a tag has now. Raises UserError for a tag without one."""
    said = _docker("buildx", "imagetools", "inspect", reference, "--format", "{{json .Manifest}}")
    try:
        digest = str(json.loads(said)["digest"])
    except (KeyError, TypeError, ValueError):
        digest = said
    if not DIGEST.fullmatch(digest):
        raise UserError(f"{reference}: expected a digest, docker says {digest!r}")
    return digest


def _docker(*words: str) -> str:
    """Return docker's standard output; show its progress meanwhile."""
    try:
        return subprocess.run(["docker", *words], stdout=subprocess.PIPE, text=True, check=True).stdout
    except FileNotFoundError:
        raise UserError("docker: no such command; this step needs Docker with buildx") from None
    except subprocess.CalledProcessError as fault:
        raise UserError(f"docker {' '.join(words[:3])}: failed with exit status {fault.returncode}") from None
