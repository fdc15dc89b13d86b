"""`python -m export.to_onnx`: artifacts/ to model/ — one graph, its manifest, and the certificate that it is exact."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("export.to_onnx")


import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd
from rich.table import Table as Grid

from cli import command
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped, next_command
from export.batch.build import BuiltBatch, build_batch
from export.candidate import candidate_of
from export.certificate.certify import Tolerance, certify, versions
from export.documents import Certificate, Findings
from export.graph.pipeline import build
from export.manifest import manifest_of
from export.model_folder import (
    BATCH,
    CERTIFICATE,
    CERTIFICATE_VERSION,
    GRAPH,
    INITIAL,
    MANIFEST,
    REASONS,
    certified_files,
)
from export.reasons.build import BuiltReasons, RawRows, build_reasons, raw_rows
from export.reasons.hints import add_hints, compare_hints
from export.refusal import ExportRefused
from runtime.explain import load_explainer
from runtime.manifest import Manifest
from runtime.model import Model
from runtime.session import open_session
from storage.address import is_remote
from storage.digest import sha256_of
from storage.folder import replaced_folder
from storage.json_file import write_json
from training.artifacts import PIPELINE, TRAIN_AGAIN, Artifacts, load_artifacts
from training.artifacts.runs import local_run
from training.players import players_of
from training.reasons import REFERENCE_ROWS, read_own_rows, reference_rows
from training.settings import Settings, settings_from_dict, with_reasons_of
from training.settings.reasons import NONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parser()
    args = options.parse_args(arguments)
    progress = Progress(quiet=args.quiet)
    if is_remote(args.out):
        options.error(f"--out is a folder of this machine; python -m export.registry publish {args.out} uploads it")
    refuse_contradicting(options, args)

    def load_and_export() -> None:
        if args.pipeline is not None:
            export_pipeline(args, progress)
            return
        with local_run(args.artifacts, progress) as folder, progress.step("Opening the fitted pipeline"):
            artifacts = load_artifacts(folder)
            settings, own = reasons_settings(artifacts, args.reasons, progress)
        export(artifacts, Path(args.out), progress, settings, own)

    return command.run(load_and_export, "the last good model is as it was")


def refuse_contradicting(options: Parser, args: argparse.Namespace) -> None:
    """End the command, status 2, where flags of an own pipeline lack each other."""
    flags = {"--data": args.data, "--target": args.target, "--config": args.config, "--trust-pickle": args.trust_pickle}
    flags["--tolerance"] = getattr(args, "tolerance", None) is not None
    if args.pipeline is None and (lone := [flag for flag, value in flags.items() if value]):
        options.error(f"{lone[0]} goes with --pipeline")
    if args.pipeline is not None and args.data is None:
        options.error("--pipeline needs --data, a file of real rows to compare it on")


def export_pipeline(args: argparse.Namespace, progress: Progress) -> None:
    """Export a fitted pipeline of the user's own. Raises ExportRefused."""
    from export.own.files import load_fitted, load_rows
    from export.own.made import with_versions
    from export.own.model import export_own
    from export.own.settings import own_settings

    settings = own_settings(args.config, args.tolerance, "--tolerance", args.reasons)
    with progress.step("Opening the fitted pipeline"):
        estimator, made = load_fitted(Path(args.pipeline), progress, trust_pickle=args.trust_pickle)
        rows, outcomes = load_rows(Path(args.data), estimator, args.target)
    try:
        certificate = export_own(estimator, rows, outcomes, Path(args.out), settings, progress, made)
    except ExportRefused as refusal:
        raise with_versions(refusal, args.pipeline, made) from refusal.__cause__
    summarise(certificate, progress)


def parser() -> Parser:
    """The command's options."""
    options = Parser(
        prog="python -m export.to_onnx",
        description="Convert the fitted pipeline, calibrator included, to one ONNX graph, and prove that it answers "
        "as scikit-learn does. A graph that is not shown to be exact is refused, and nothing is written.",
    )
    files = options.add_argument_group("input and output")
    files.add_argument(
        "--artifacts",
        default="artifacts",
        metavar="DIR",
        help="folder of the artifacts, or s3://bucket/prefix (default: %(default)s)",
    )
    files.add_argument("--out", default="model", metavar="DIR", help="folder for the model (default: %(default)s)")
    files.add_argument(
        "--reasons",
        metavar="FILE.toml",
        help="texts, codes, groups and reference rows of reasons; default training's or --config's (docs/reasons.md)",
    )
    own = add_own(options)
    own.add_argument(
        "--tolerance",
        type=float,
        metavar="P",
        help="accept steps that mix columns, such as PCA, if no probability differs by more than P",
    )
    options.add_argument_group("display").add_argument("--quiet", action="store_true", help="print errors only")
    return options


def add_own(options: Parser) -> Any:
    """Add the flags of a pipeline that this project did not train, and return their group."""
    own = options.add_argument_group("a fitted scikit-learn pipeline of your own (docs/own-pipeline.md)")
    own.add_argument("--pipeline", metavar="FILE", help="fitted.skops; .joblib and .pkl with --trust-pickle")
    own.add_argument("--data", metavar="FILE", help="Parquet or CSV of real rows, in the pipeline's raw columns")
    own.add_argument("--target", metavar="COLUMN", help="column of --data with the outcomes, for the metrics")
    own.add_argument(
        "--config",
        metavar="FILE",
        help="TOML of score, bands, grades, limits, target, exactness, descriptions, reasons",
    )
    own.add_argument("--trust-pickle", action="store_true", help="open a pickle, which runs the code that it holds")
    return own


def export(
    artifacts: Artifacts,
    out: Path,
    progress: Progress,
    settings: Settings | None = None,
    own: pd.DataFrame | None = None,
) -> None:
    """Write graph, tables of reasons, manifest and certificate, and replace `out` when all hold.

    `settings` are those of the run, or with other reasons; `own` the reference rows of a file that they name. Raises
    ExportRefused.
    """
    pipeline = artifacts.pipeline
    settings = settings or _settings_of(artifacts)
    rows = None if settings is None else reference_rows(settings, artifacts.drawn, own)
    with replaced_folder(out, MANIFEST) as folder:
        with progress.step("Converting"):
            contract = build(pipeline)
            graph = contract.model.SerializeToString(deterministic=True)
            session = open_session(graph)
        tolerance = Tolerance.of(pipeline[1])
        (folder / GRAPH).write_bytes(graph)
        with progress.step("Building the tables of batches"):
            batch = build_batch(contract, players_of(pipeline[0], {}).columns, sha256_of(graph))
        write_batch(batch, folder, progress)
        reasons = None
        if settings is not None and settings.reasons.reference != NONE:
            with progress.step("Building the tables of reasons") as show:
                reasons = build_reasons(artifacts, settings, contract, session, sha256_of(graph), rows, show)
            if reasons.content:
                (folder / REASONS).write_bytes(reasons.content)
            else:
                progress.say(f"[yellow]![/] Exported without reasons: {escaped(reasons.why)}")
            add_hints(reasons.record, settings, artifacts.schema, hinted_rows(artifacts))
        manifest = manifest_of(artifacts, contract, graph, session, tolerance.of_self_check, batch, reasons)
        write_json(folder / MANIFEST, manifest)
        if artifacts.initial is not None:
            write_json(folder / INITIAL, artifacts.initial)
        with progress.step("Certifying against the fitted pipeline") as show:
            findings = certify(candidate_of(artifacts, contract, session, batch.batch), show)
        certificate = certificate_of(artifacts, folder, findings, reasons)
        before = Model(Manifest.read(str(folder / MANIFEST)), session, str(folder))
        if reasons is not None and (hints := compare_hints(before, reasons.content, hinted_rows(artifacts)[0])):
            certificate["hints"] = hints
        write_json(folder / CERTIFICATE, certificate)
        with progress.step("Starting the runtime on it"):
            served = Model.load(str(folder))
            version = served.manifest.model_version
            if batch.content:
                served.batch()
            if reasons is not None and reasons.content:
                load_explainer(served)
    summarise(certificate, progress)
    size = sum((out / name).stat().st_size for name in certified_files(certificate)) / 1e6
    where = f"[bold]{escaped(out)}/[/]"
    then = next_command("runtime.local", "--model", str(out), "model")
    progress.say(f"Written to {where}: model [bold]{version}[/], {size:.1f} MB. Next: {escaped(then)}")


def hinted_rows(artifacts: Artifacts) -> list[RawRows]:
    """Raw rows of real applicants: those of the certificate, and those that reference rows are taken from."""
    drawn = artifacts.drawn.get(REFERENCE_ROWS)
    frames = [artifacts.sample, *([] if drawn is None else [drawn.iloc[:, :-1]])]
    return [raw_rows(artifacts.pipeline[0], frame) for frame in frames]


def write_batch(batch: BuiltBatch, folder: Path, progress: Progress) -> None:
    """Write batch.bin, or say why batches stay with the graph."""
    if batch.content:
        (folder / BATCH).write_bytes(batch.content)
    else:
        progress.say(f"[yellow]![/] Batches stay with the graph: {escaped(batch.why)}")


def certificate_of(
    artifacts: Artifacts, folder: Path, findings: Findings, reasons: BuiltReasons | None = None
) -> Certificate:
    """The findings with what they are about: the sha256 of every file that took part, and the versions."""
    head = {
        "schema_version": CERTIFICATE_VERSION,
        "sha256": {name: sha256_of(folder / name) for name in (GRAPH, MANIFEST)}
        | {PIPELINE: artifacts.pipeline_sha256},
        "versions": versions(),
    }
    certificate = cast(Certificate, {**head, **findings})
    if "batch" in findings:
        certificate["sha256"][BATCH] = sha256_of(folder / BATCH)
    if artifacts.initial is not None:
        certificate["sha256"][INITIAL] = sha256_of(folder / INITIAL)
    if reasons is not None and reasons.compared is not None:
        certificate["sha256"][REASONS] = sha256_of(folder / REASONS)
        certificate["reasons"] = reasons.compared
    return certificate


def reasons_settings(
    artifacts: Artifacts, file: str | None, progress: Progress
) -> tuple[Settings | None, pd.DataFrame | None]:
    """The run's settings, with the reasons of a TOML file instead of its own, and that file's reference rows."""
    settings = _settings_of(artifacts)
    if file is None:
        return settings, None
    if settings is None:
        raise ExportRefused(f"{artifacts.folder}: holds no reference rows, which --reasons needs; {TRAIN_AGAIN}")
    settings = with_reasons_of(settings, Path(file))
    return settings, read_own_rows(settings, progress)


def _settings_of(artifacts: Artifacts) -> Settings | None:
    """The settings of a run that has kept reference rows; None for one of before, whose settings are not needed."""
    return settings_from_dict(artifacts.run["settings"]) if artifacts.drawn else None


def summarise(certificate: Findings, progress: Progress) -> None:
    """Print the certificate's counts."""
    grid = Grid(box=None, pad_edge=False)
    for title, justify in (
        ("Certificate", "left"),
        ("rows", "right"),
        ("margins equal", "right"),
        ("p equal", "right"),
        ("max |Δp|", "right"),
        ("bands ≠", "right"),
        *([("grades ≠", "right")] if "grades_that_differ" in certificate["total"] else []),
    ):
        grid.add_column(title, justify=justify)  # type: ignore[arg-type]
    for row in [*certificate["rows"], certificate["total"]]:
        grid.add_row(
            row["kind"],
            f"{row['rows']:,}",
            f"{row['margins_bit_equal'] / max(row['margins'], 1):.2%}",
            f"{row['probabilities_bit_equal'] / max(row['rows'], 1):.2%}",
            f"{row['largest_probability_difference']:.1e}",
            f"{row['bands_that_differ']:,}",
            *([f"{row['grades_that_differ']:,}"] if "grades_that_differ" in row else []),
        )
    progress.console.print(grid)
    if tables := certificate.get("batch"):
        progress.say(f"Batches: {tables['rows']:,} rows by tables, margins and probabilities bit-equal to the graph's")
    if compared := cast(Certificate, certificate).get("reasons"):
        progress.say(
            f"Reasons: {compared['rows']} × {compared['reference_rows']} rows, at most "
            f"{compared['largest_difference']:.1e} of margin from the leaf rule"
        )
    if hints := cast(Certificate, certificate).get("hints"):
        progress.say(f"Hints: {hints['hints']} of {hints['rows']} applicants, each applied and scored by the graph")
    for found in certificate["monotone"]:
        way, name = "rises" if found["sign"] > 0 else "falls", escaped(found["feature"])
        where = f"{found['trees']:,} trees, {found['splits']:,} splits, {found['rows']:,} rows"
        progress.say(f"Monotone: the probability only {way} with [bold]{name}[/] ({where})")
