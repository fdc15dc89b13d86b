"""`python -m delivery.certificate`: which model this is and what was shown of it, for the summary of a workflow."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.certificate")


import argparse
from collections.abc import Sequence
from pathlib import Path

from cli import command
from cli.parser import Parser
from delivery import workflow
from delivery.markdown import table
from export.documents import Certificate, ComparedKind, Tolerances
from export.model_folder import EXPORT_AGAIN
from export.package import REQUIREMENTS
from export.packaging.certified import check_certificate
from export.packaging.requirements import read_pins
from export.packaging.target import Target
from export.refusal import ExportRefused

COLUMNS = ("Kind of rows", "Rows", "Margins equal", "p equal", "Largest difference of p", "Bands that differ")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = parser().parse_args(arguments)
    return command.run(lambda: show(Path(args.model)), "nothing was changed")


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = Parser(
        prog="python -m delivery.certificate",
        description="Check that a model belongs to its certificate and can be packaged, add the certificate to "
        "the summary of the workflow, and set the output `version` to the model's version.",
    )
    files = options.add_argument_group("input")
    files.add_argument(
        "--model", default="model", metavar="DIR", help="folder of the exported model (default: %(default)s)"
    )
    return options


def show(model: Path) -> None:
    """Raise ExportRefused or PackageRefused for a model without a valid certificate of its own."""
    [packaged] = {
        pin.version for pin in read_pins(REQUIREMENTS, Target((3, 13), "x86_64")) if pin.name == "onnxruntime"
    }
    manifest, certificate = check_certificate(model, packaged)
    workflow.summary(as_markdown(manifest.model_version, certificate))
    workflow.output("version", manifest.model_version)


def as_markdown(version: str, certificate: Certificate) -> str:
    """The certificate as a section of a summary. Raises ExportRefused where it has no findings."""
    try:
        rows = [_row(row) for row in [*certificate["rows"], certificate["total"]]]
        tolerances, single = certificate["tolerances"], certificate["single_rows"]
        alone = single["bit_equal"] == single["rows"] or tolerances["margins_bit_equal_share"] < 1
        holds = _holds(certificate["total"], tolerances) and alone
        text = (
            f"### Model `{version}`\n\n{table(COLUMNS, rows)}\n"
            f"{single['bit_equal']:,} of {single['rows']:,} rows answer alone exactly as in a batch. "
            f"The tolerances are a difference of p of {tolerances['probability_difference']:.1e} and "
            f"{tolerances['bands_that_differ']:,} bands that differ{_of_grades(certificate)}.\n\n"
        )
    except (KeyError, TypeError, ValueError):
        raise ExportRefused(f"the certificate of model {version} has no findings; {EXPORT_AGAIN}") from None
    if not holds:
        raise ExportRefused(f"the findings of model {version} are beyond its certificate's tolerances; {EXPORT_AGAIN}")
    versions = ", ".join(f"{name} {found}" for name, found in sorted(certificate["versions"].items()))
    hashes = "".join(f"{digest}  {name}\n" for name, digest in sorted(certificate["sha256"].items()))
    return f"{text}Compared with: {versions}.\n\n```\n{hashes}```\n"


def _of_grades(certificate: Certificate) -> str:
    if (found := certificate["total"].get("grades_that_differ")) is None:
        return ""
    return f"; of grades {certificate['tolerances']['grades_that_differ']:,}, and {found:,} do"


def _holds(total: ComparedKind, tolerances: Tolerances) -> bool:
    return bool(
        total["margins_bit_equal"] >= tolerances["margins_bit_equal_share"] * total["margins"]
        and total["largest_probability_difference"] <= tolerances["probability_difference"]
        and total["probabilities_bit_equal"] >= tolerances["probabilities_bit_equal_share"] * total["rows"]
        and total["bands_that_differ"] <= tolerances["bands_that_differ"]
        and total.get("grades_that_differ", 0) <= tolerances.get("grades_that_differ", 0)
    )


def _row(row: ComparedKind) -> tuple[str, ...]:
    return (
        str(row["kind"]),
        f"{row['rows']:,}",
        f"{row['margins_bit_equal'] / max(row['margins'], 1):.2%}",
        f"{row['probabilities_bit_equal'] / max(row['rows'], 1):.2%}",
        f"{row['largest_probability_difference']:.1e}",
        f"{row['bands_that_differ']:,}",
    )
