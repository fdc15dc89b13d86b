"""`python -m validation.run`: new applicants set beside those that a model was trained on, as one page."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table as Grid

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.progress import Progress
from storage.json_file import json_text
from storage.whole_file import out_file, write_whole
from table import read_applicants
from training.options import add_input, add_limits, add_separator, add_target, settings_from
from training.settings import Settings, Stability
from validation.bands import scores_of
from validation.outcomes import outcomes
from validation.report.pages import render
from validation.served import Served
from validation.stability import compare
from validation.stability.unusual import unusual

SHOWN = 10

EPILOG = """\
A limit comes from its flag, else from the TOML, else from the model's manifest, which has those of its training.
Exit status: 0 nothing has moved beyond its limit; 1 something has, or the comparison failed, with one line that
says what; 2 wrong flags or settings.

examples:
  python -m validation.run --data march.csv
  python -m validation.run --data march.parquet --config loans.toml --out march.html --json march.json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = build_parser().parse_args(arguments)

    def compare_and_write() -> None:
        settings, page = settings_from(args), out_file("--out", args.out)
        figures = out_file("--json", args.json) if "json" in args else None
        if settings.data.file is None:
            raise UserError("--data: expected the file of new applicants, got none; name one", WRONG_USAGE)
        progress = Progress(quiet=args.quiet)
        with progress.step("Opening the model"):
            served = Served.load(Path(args.model))
        settings = replace(settings, features=served.features, row_max={}, stability=_limits(args, settings, served))
        found = watch(served, settings, "data.target" in args, progress)
        if figures is not None:
            write_whole(figures, json_text(found))
        write_whole(page, render("monitor", **found))
        _summarise(found, page, progress)
        if found["moved"]:
            raise UserError(f"{settings.data.file}: moved beyond the limits: {_named(found)}; see {page}")

    return command.run(compare_and_write, "the last good page is as it was")


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = Parser(
        prog="python -m validation.run",
        usage="python -m validation.run --data FILE [--model DIR] [--config FILE.toml] [option ...]",
        description="Compare new applicants with those that a model was trained on: the score and each feature, and "
        "where outcomes are known, what was predicted with what happened.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    files = parser.add_argument_group("input and output")
    add_input(files, "that of the TOML")
    files.add_argument("--model", default="model", metavar="DIR", help="what was exported, default %(default)s")
    files.add_argument("--out", default="monitor.html", metavar="FILE.html", help="the page, default %(default)s")
    files.add_argument("--json", metavar="FILE.json", help="its figures too")
    files.add_argument("--quiet", action="store_true", default=False, help="print errors, and what has moved, only")
    table = parser.add_argument_group("the table", "Its features are those of the model; the target may be missing.")
    add_target(table)
    add_separator(table)
    add_limits(parser.add_argument_group("limits"), "the TOML's or the model's")
    return parser


def watch(served: Served, settings: Settings, must_have_outcomes: bool, progress: Progress) -> dict[str, Any]:
    """The applicants of the settings' file set beside the training rows, in JSON's types.

    `data` and `model` say which; `rows`, `score` and `features` are those of validation.stability.compare, each feature
    with what validation.stability.unusual says of it; `moved` names what is beyond its limit; `outcomes` is
    validation.outcomes' where the file has the target, with the test's metrics as `training`, else None.
    """
    with progress.step("Reading the applicants"):
        applicants = read_applicants(settings, progress, must_have_outcomes=must_have_outcomes)
    manifest = served.model.manifest
    with progress.step(f"Scoring {len(applicants.frame):,} applicants") as show:
        probability = served.probabilities(applicants.frame, show)
        scores = scores_of(probability, manifest.scale)
    with progress.step("Comparing"):
        found = compare(served.reference, applicants.frame, scores, settings.stability)
        oddities = unusual(served, applicants.frame)
        known = None
        if applicants.outcome is not None:
            known = outcomes(applicants.outcome, probability, scores, manifest.bands)
            known["training"] = served.reference.get("metrics")
    score = ["score"] if found["score"]["moved"] else []
    return {
        "data": {"source": applicants.source, "sha256": applicants.sha256},
        "model": {"version": manifest.model_version},
        "rows": found["rows"],
        "moved": score + [entry["feature"] for entry in found["features"] if entry["moved"]],
        "score": found["score"],
        "features": [entry | oddities[entry["feature"]] for entry in found["features"]],
        "outcomes": known,
    }


def _limits(args: argparse.Namespace, settings: Settings, served: Served) -> Stability:
    if "config" in args:
        return settings.stability
    recorded = {f"{what}_limit": limit for what, limit in served.reference["limits"].items()}
    told = {name: limit for name, limit in asdict(settings.stability).items() if f"stability.{name}" in args}
    return Stability(**recorded | told)


def _summarise(found: dict[str, Any], page: Path, progress: Progress) -> None:
    grid = Grid("", box=None, pad_edge=False)
    for title in ("index", "moved from", "missing", "unseen"):
        grid.add_column(title, justify="right")
    grid.add_row("Score", *_figures(found["score"], "psi"), "", "")
    for entry in found["features"][: max(SHOWN, len(found["moved"]))]:
        grid.add_row(
            escape(entry["feature"]), *_figures(entry, "csi"), f"{entry['missing']:.1%}", f"{entry['unseen']:.1%}"
        )
    progress.console.print(grid)
    known = found["outcomes"]
    if known is not None and known["rows"]:
        auc = "" if known["roc_auc"] is None else f", ROC-AUC {known['roc_auc']:.4f}"
        rates = f"observed {known['default_rate']:.2%}, predicted {known['mean_probability']:.2%}"
        progress.say(f"Default rate of the {known['rows']:,} whose outcome is known: {rates}{auc}")
    progress.say(f"Written to [bold]{escape(str(page))}[/]")


def _figures(entry: dict[str, Any], index: str) -> tuple[str, str]:
    shown = f"{entry[index]:.4f}"
    return f"[bold red]{shown}[/]" if entry["moved"] else shown, f"{entry['counts_from']:.3g}"


def _named(found: dict[str, Any]) -> str:
    entries = [("score", found["score"] | {"csi": found["score"]["psi"]})]
    entries += [(entry["feature"], entry) for entry in found["features"]]
    return ", ".join(
        f"{name} {entry['csi']:.3f} (from {entry['counts_from']:.3g})" for name, entry in entries if entry["moved"]
    )


if __name__ == "__main__":
    sys.exit(main())
