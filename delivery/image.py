"""`python -m delivery.image`: builds Dockerfile.lambda and pushes it; what came of it is in dist/image.json.

One image for each processor, since Lambda takes no image of several, and without BuildKit's own attestations, since it
takes no index either: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html. Those that it has are GitHub's.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from delivery import workflow
from delivery.release_record import BY_DIGEST, IMAGE, REPOSITORY, ZIP, model_version
from export.packaging.target import architecture, python_version

BASE = "public.ecr.aws/lambda/python"
PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    python = f"{args.python[0]}.{args.python[1]}"
    return command.run(lambda: build(Path(args.dist), python, args.arch), "no image was recorded")


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = Parser(
        prog="python -m delivery.image",
        description="Build the image of the model in model/ on AWS's base, by the digest that it has now, push it to "
        "IMAGE_REPOSITORY, and hand its `name` and `digest` on. docker has to be logged in there.",
    )
    files = options.add_argument_group("input and output")
    files.add_argument("--dist", default="dist", metavar="DIR", help="the package, and where image.json goes (dist)")
    target = options.add_argument_group("target")
    target.add_argument("--python", default="3.13", type=python_version, metavar="3.N", help="default: %(default)s")
    target.add_argument("--arch", default="x86_64", type=architecture, metavar="ARCH", help="x86_64 (default) or arm64")
    return options


def build(dist: Path, python: str, arch: str) -> None:
    """Builds, pushes and writes `dist`/image.json. Raises UserError where docker fails."""
    repository, commit = workflow.variable("IMAGE_REPOSITORY"), workflow.variable("GITHUB_SHA")
    if not re.fullmatch(REPOSITORY, repository):
        raise UserError(f"IMAGE_REPOSITORY: expected registry/name without a tag, got {repository!r}", WRONG_USAGE)
    # Tags cannot be moved in the repository, so a second try has another one.
    attempt = f"{workflow.variable('GITHUB_RUN_ID')}.{workflow.variable('GITHUB_RUN_ATTEMPT')}"
    tag = f"{model_version(dist / ZIP)}-{commit[:12]}-{arch}-{attempt}"
    base = f"{BASE}@{resolve(f'{BASE}:{python}')}"
    metadata = dist / ".docker.json"
    _docker(
        *("buildx", "build", "--push", "--file", "Dockerfile.lambda", "--platform", PLATFORMS[arch]),
        *("--provenance=false", "--sbom=false", "--metadata-file", str(metadata)),
        *("--build-arg", f"PYTHON={python}", "--build-arg", f"BASE={base}"),
        *("--label", f"org.opencontainers.image.revision={commit}", "--tag", f"{repository}:{tag}", "."),
    )
    digest = str(json.loads(metadata.read_text(encoding="utf-8")).get("containerimage.digest"))
    image = f"{repository}@{digest}"
    if not BY_DIGEST.fullmatch(image):
        raise UserError(f"docker: expected the digest of the pushed image, got {digest!r}")
    (dist / IMAGE).write_text(json.dumps({"image": image, "base": base}, indent=1) + "\n", encoding="utf-8")
    workflow.output("name", repository)
    workflow.output("digest", digest)


def resolve(reference: str) -> str:
    """The digest that a tag has now. Raises UserError where there is none."""
    said = _docker("buildx", "imagetools", "inspect", reference, "--format", "{{json .Manifest}}")
    try:
        digest = str(json.loads(said)["digest"])
    except (KeyError, TypeError, ValueError):
        digest = said
    if not DIGEST.fullmatch(digest):
        raise UserError(f"{reference}: expected a digest, docker says {digest!r}")
    return digest


def _docker(*words: str) -> str:
    """What docker writes to its standard output; its progress is seen as it comes."""
    try:
        return subprocess.run(["docker", *words], stdout=subprocess.PIPE, text=True, check=True).stdout
    except FileNotFoundError:
        raise UserError("docker: no such command; this step runs where there is Docker with buildx") from None
    except subprocess.CalledProcessError as fault:
        raise UserError(f"docker {' '.join(words[:3])}: failed with exit status {fault.returncode}") from None


if __name__ == "__main__":
    sys.exit(main())
