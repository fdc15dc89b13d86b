"""`python -m export.verify`: checks a model's certificate again, file by file and row by row."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("export.verify")


import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import onnx

from cli import command
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped
from export.candidate import candidate_of
from export.certificate.certify import certify
from export.documents import Certificate, Findings
from export.graph.pipeline import build
from export.model_folder import CERTIFICATE, GRAPH, REASONS, read_certificate, refuse_other
from export.reasons.again import build_again, refuse_other_tables
from export.reasons.build import RawRows
from export.reasons.hints import compare_hints
from export.refusal import ExportRefused
from export.to_onnx import add_own, hinted_rows, refuse_contradicting, summarise
from runtime.explain import load_explainer
from runtime.manifest import ModelRefused
from runtime.model import Model
from runtime.session import open_session
from storage.digest import sha256_of
from training.artifacts import PIPELINE, load_artifacts
from training.artifacts.runs import local_run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = Parser(
        prog="python -m export.verify",
        description="Check that a model is the one that its certificate names and was made from these artifacts, and "
        "compare it with the fitted pipeline again.",
    )
    files = options.add_argument_group("input")
    files.add_argument(
        "--model", default="model", metavar="DIR", help="folder of the exported model (default: %(default)s)"
    )
    files.add_argument(
        "--artifacts",
        default="artifacts",
        metavar="DIR",
        help="folder of the artifacts, or s3://bucket/prefix (default: %(default)s)",
    )
    add_own(options)
    options.add_argument_group("display").add_argument("--quiet", action="store_true", help="print errors only")
    args = options.parse_args(arguments)
    refuse_contradicting(options, args)

    def run() -> None:
        progress = Progress(quiet=args.quiet)
        if args.pipeline is None:
            verify(Path(args.model), args.artifacts, progress)
        else:
            verify_pipeline(Path(args.model), args, progress)

    return command.run(run, "nothing was changed")


def verify_pipeline(model: Path, args: argparse.Namespace, progress: Progress) -> None:
    """Verify the model of a pipeline of the user's own, with the rows that it was exported with.

    Raises ExportRefused with the first thing that does not hold.
    """
    from export.own.files import load_fitted, load_rows
    from export.own.fitted import read_fitted
    from export.own.model import digest_of_pipeline, findings_of
    from export.own.reasons import raw_rows_of
    from export.own.settings import own_settings

    certificate = read_certificate(model)
    with progress.step("Opening the fitted pipeline"):
        estimator, _ = load_fitted(Path(args.pipeline), progress, trust_pickle=args.trust_pickle)
        rows, _ = load_rows(Path(args.data), estimator, args.target)
    refuse_other(f"{args.pipeline}: sha256", certificate["sha256"].get(PIPELINE), digest_of_pipeline(estimator))
    with progress.step("Starting the runtime on the model"):
        try:
            served = Model.load(str(model))
            manifest = served.manifest
            if manifest.reasons_size:
                load_explainer(served)
        except ModelRefused as refusal:
            raise ExportRefused(str(refusal)) from refusal
    with progress.step("Converting"):
        fitted = read_fitted(estimator, rows, own_settings(args.config).positive, manifest.stated_tolerance or None)
    refuse_other(f"{model / GRAPH}: made again from these rows", manifest.sha256, sha256_of(fitted.graph))
    refuse_other_hints(model, certificate, served, raw_rows_of(fitted.real))
    with progress.step("Certifying against the fitted pipeline") as show:
        findings = findings_of(fitted, manifest.scale, list(manifest.bands), manifest.grades, show)
    _refuse_other_findings(model, certificate, findings, progress)


def verify(model: Path, fitted: str, progress: Progress) -> None:
    """Verify the model in a folder and the artifacts in another, which may be in S3.

    Raises ExportRefused with the first thing that does not hold.
    """
    certificate = read_certificate(model)
    with local_run(fitted, progress) as folder, progress.step("Opening the fitted pipeline"):
        artifacts = load_artifacts(folder)
    refuse_other(f"{fitted}/{PIPELINE}: sha256", certificate["sha256"].get(PIPELINE), artifacts.pipeline_sha256)
    with progress.step("Starting the runtime on the model"):
        try:
            served = Model.load(str(model))
            if served.manifest.reasons_size:
                load_explainer(served)
            batch = served.batch() if served.manifest.batch_size else None
        except ModelRefused as refusal:
            raise ExportRefused(str(refusal)) from refusal
    graph = (model / GRAPH).read_bytes()
    contract = replace(build(artifacts.pipeline), model=onnx.load_model_from_string(graph))
    session = open_session(graph)
    if served.manifest.reasons_size:
        with progress.step("Building the tables of reasons again") as show:
            built = build_again(artifacts, served.manifest, contract, session, show)
            if built is not None:
                refuse_other_tables(model, built)
        if built is None:
            progress.say(
                "[yellow]![/] The tables of reasons were not built again: the artifacts do not hold their reference "
                "rows, which are those of a file that was given at export"
            )
        refuse_other_hints(model, certificate, served, hinted_rows(artifacts)[0])
    with progress.step("Certifying against the fitted pipeline") as show:
        findings = certify(candidate_of(artifacts, contract, session, batch), show)
    _refuse_other_findings(model, certificate, findings, progress)


def refuse_other_hints(model: Path, certificate: Certificate, served: Model, rows: RawRows) -> None:
    """Raise ExportRefused where hints, applied again, are not those that the certificate counts."""
    if served.manifest.reasons_size:
        found = compare_hints(served, (model / REASONS).read_bytes(), rows)
        refuse_other(f"{model / CERTIFICATE}: hints", certificate.get("hints"), found)


def _refuse_other_findings(model: Path, certificate: Certificate, findings: Findings, progress: Progress) -> None:
    summarise(findings, progress)
    recorded: Mapping[str, object] = certificate
    compared: Mapping[str, object] = findings
    for part in ("tolerances", "total", "monotone", "batch"):
        refuse_other(f"{model / CERTIFICATE}: {part}", recorded.get(part), compared.get(part))
    progress.say(f"The certificate of [bold]{escaped(model)}/[/] holds.")
