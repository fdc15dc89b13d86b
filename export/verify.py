"""`python -m export.verify`: checks a model's certificate again, file by file and row by row."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from export.certificate import SCHEMA_VERSION, certify
from export.contract import build
from export.manifest import binary_columns, scale_of
from export.refusal import ExportRefused
from export.to_onnx import CERTIFICATE, GRAPH, MANIFEST, summarise
from runtime.manifest import ModelRefused
from runtime.model import Model
from runtime.session import open_session
from training import command
from training.artifacts import load_artifacts, sha256_of

EXPORT_AGAIN = "export again (python -m export.to_onnx)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    options = argparse.ArgumentParser(
        prog="python -m export.verify",
        description="Check that a model is the one that its certificate names, made from these artifacts, and compare "
        "it with the fitted pipeline once more.",
        allow_abbrev=False,
    )
    files = options.add_argument_group("input")
    files.add_argument("--model", default="model", metavar="DIR", help="what the export wrote (default: %(default)s)")
    files.add_argument(
        "--artifacts", default="artifacts", metavar="DIR", help="what training wrote (default: %(default)s)"
    )
    options.add_argument_group("display").add_argument("--quiet", action="store_true", help="say nothing but errors")
    args = options.parse_args(arguments)
    return command.run(
        lambda: verify(Path(args.model), Path(args.artifacts), command.Progress(quiet=args.quiet)),
        "nothing was changed",
    )


def verify(model: Path, artifacts_folder: Path, progress: command.Progress) -> None:
    """Raises ExportRefused with the first thing that does not hold."""
    certificate = read_certificate(model)
    for name in (GRAPH, MANIFEST):
        _same(f"{model / name}: sha256", certificate["sha256"].get(name), sha256_of(model / name))
    with progress.step("Opening the fitted pipeline"):
        artifacts = load_artifacts(artifacts_folder)
    _same(f"{artifacts_folder}: pipeline's sha256", certificate["sha256"]["pipeline.skops"], artifacts.pipeline_sha256)
    with progress.step("Starting the runtime on the model"):
        try:
            Model.load(str(model))
        except ModelRefused as refusal:
            raise ExportRefused(str(refusal)) from refusal
    contract = build(artifacts.pipeline)
    with progress.step("Certifying against the fitted pipeline") as show:
        findings = certify(
            artifacts.pipeline,
            contract,
            open_session((model / GRAPH).read_bytes()),
            artifacts.pipeline[0].raw_inputs(artifacts.sample),
            binary_columns(artifacts),
            scale_of(artifacts),
            artifacts.run["bands"],
            show,
        )
    summarise(findings, progress)
    for part in ("limits", "total"):
        _same(f"{model / CERTIFICATE}: {part}", certificate.get(part), findings[part])
    progress.say(f"The certificate of [bold]{model}/[/] holds.")


def read_certificate(model: Path) -> dict[str, Any]:
    """The certificate of a model folder. Raises ExportRefused where there is none that can be read."""
    path = model / CERTIFICATE
    try:
        certificate = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExportRefused(f"{path}: no such file; {EXPORT_AGAIN}") from None
    except ValueError as fault:
        raise ExportRefused(f"{path}: is not JSON ({fault}); {EXPORT_AGAIN}") from None
    version = certificate.get("schema_version") if isinstance(certificate, dict) else None
    if version != SCHEMA_VERSION or not isinstance(certificate.get("sha256"), dict):
        raise ExportRefused(f"{path}: schema_version: expected {SCHEMA_VERSION}, got {version!r}; {EXPORT_AGAIN}")
    return dict(certificate)


def _same(what: str, expected: object, came: object) -> None:
    if expected != came:
        raise ExportRefused(f"{what}: the certificate has {expected}, found {came}; {EXPORT_AGAIN}")


if __name__ == "__main__":
    sys.exit(main())
