"""`python -m validation.run`: new applicants set beside those that a model was trained on, as one page."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("validation.run")


import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table as Grid

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.settings.declared import read_values
from cli.settings.flags import add_flags
from cli.settings.origin import Origin
from cli.settings.toml import read_toml, tables_of
from storage.json_file import json_text
from storage.whole_file import out_file, write_whole
from table import read_applicants
from table.contradictions import contradictions
from table.features import definitions_of, read_features
from table.settings import Data, Feature, Schema, beside
from validation.bands import scores_of
from validation.outcomes import outcomes
from validation.report.pages import render
from validation.report.weights import monitored
from validation.served import Served
from validation.settings import Stability
from validation.stability import shifts
from validation.stability.unusual import unusual

SHOWN = 10
TABLE = ("target", "positive", "negative", "missing", "separator", "sheet", "encoding", "decimal", "thousands")

EPILOG = """\
A limit comes from its flag, else from the TOML, else from the model's manifest, which has those of its training.
Exit status: 0 nothing has moved beyond its limit, or --report-only; 1 something has, or the comparison failed, with
one line that says what; 2 wrong flags or settings.

examples:
  python -m validation.run --data march.csv
  python -m validation.run --data march.parquet --config loans.toml --out march.html --json march.json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = build_parser().parse_args(arguments)

    def compare_and_write() -> None:
        (data, declared, limits), page = _settings(args), out_file("--out", args.out)
        figures = out_file("--json", args.json) if "json" in args else None
        if data.file is None:
            raise UserError("--data: expected the file of new applicants, got none; name one", WRONG_USAGE)
        progress = Progress(quiet=args.quiet)
        with progress.step("Opening the model"):
            served = Served.load(Path(args.model))
        if "config" not in args:
            limits = served.limits | limits
        served = served.read_as(declared)
        must_have = Needed("data.target" in args, "data.weight" in args)
        found = watch(served, data, Stability(**limits), must_have, progress)
        if figures is not None:
            write_whole(figures, json_text(found))
        write_whole(page, render("monitor", **found, weights=monitored(found)))
        _summarise(found, page, progress)
        if found["moved"]:
            moved = f"{data.file}: moved beyond the limits: {_named(found)}; see {page}"
            if not args.report_only:
                raise UserError(moved)
            progress.say(escape(moved))

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
    files.add_argument("--config", metavar="FILE.toml", help="the settings that the model was trained with")
    add_flags(files, Data, "data", "file", default="that of the TOML")
    files.add_argument("--model", default="model", metavar="DIR", help="what was exported, default %(default)s")
    files.add_argument("--out", default="monitor.html", metavar="FILE.html", help="the page, default %(default)s")
    files.add_argument("--json", metavar="FILE.json", help="its figures too")
    files.add_argument("--quiet", action="store_true", default=False, help="print errors, and what has moved, only")
    files.add_argument(
        "--report-only", action="store_true", default=False, help="exit status 0 where something has moved, too"
    )
    table = parser.add_argument_group("the table", "Its features are those of the model; the target may be missing.")
    add_flags(
        table,
        Data,
        "data",
        "target",
        "positive",
        "negative",
        "weight",
        "missing",
        "separator",
        "sheet",
        "encoding",
        "decimal",
        "thousands",
        "normalization",
    )
    add_flags(parser.add_argument_group("limits"), Stability, "stability", default="the TOML's or the model's")
    return parser


@dataclass(frozen=True)
class Needed:
    """The columns that a file must have, since a flag names them."""

    outcomes: bool
    weights: bool


def watch(served: Served, data: Data, limits: Stability, must_have: Needed, progress: Progress) -> dict[str, Any]:
    """The applicants of the data's file set beside the training rows, in JSON's types.

    `data` and `model` say which; `rows`, `score` and `features` are those of validation.stability.shifts, each feature
    with what validation.stability.unusual says of it; `grades` the rows of each grade, empty without grades; `moved`
    names what is beyond its limit; `outcomes` is validation.outcomes' where the file has the target, with the test's
    metrics as `training`, else None. `weight` is the column of the sample weights, the model's unless `data` names one,
    where the file has it; else None.
    """
    if data.weight is None:
        data = replace(data, weight=served.weight)
    if served.model.manifest.normalization:
        data = replace(data, normalization="NFC")
    with progress.step("Reading the applicants"):
        schema = Schema(data, served.features)
        applicants = read_applicants(
            schema, progress, must_have_outcomes=must_have.outcomes, must_have_weights=must_have.weights
        )
    weight = applicants.weight
    manifest = served.model.manifest
    with progress.step(f"Scoring {len(applicants.frame):,} applicants") as show:
        probability = served.probabilities(applicants.frame, show)
        scores = scores_of(probability, manifest.scale)
    with progress.step("Comparing"):
        found = shifts(served.reference, applicants.frame, scores, limits, weight)
        oddities = unusual(served, applicants.frame)
        known = None
        if applicants.outcome is not None:
            known = outcomes(applicants.outcome, probability, scores, manifest.bands, weight, manifest.grades)
            known["training"] = served.reference.get("metrics")
    score = ["score"] if found["score"]["moved"] else []
    return {
        "data": {"source": applicants.source, "sha256": applicants.sha256},
        "model": {"version": manifest.model_version},
        "weight": None if weight is None else data.weight,
        "rows": found["rows"],
        "moved": score + [entry["feature"] for entry in found["features"] if entry["moved"]],
        "score": found["score"],
        "features": [entry | oddities[entry["feature"]] for entry in found["features"]],
        "grades": served.by_grade(probability, weight),
        "outcomes": known,
    }


def _settings(args: argparse.Namespace) -> tuple[Data, tuple[Feature, ...], dict[str, float]]:
    """The table of applicants, how its features are written, and the limits; the TOML's other tables are training's."""
    file = Path(args.config) if "config" in args else None
    flags = {key: value for key, value in vars(args).items() if "." in key}
    origin = Origin(None if file is None else str(file), frozenset(flags))
    content = {} if file is None else beside(file, read_toml(file))
    tables: dict[str, dict[str, object]] = {"data": {}, "features": {}, "stability": {}}
    tables |= tables_of(content, tables.keys(), origin, others=True)
    for key, value in flags.items():
        table, _, name = key.partition(".")
        tables[table][name] = value
    data = Data(**read_values(Data, "data", tables["data"], origin))
    definitions = definitions_of(tables["features"], origin)
    features = read_features(definitions, origin) if definitions else ()
    for key, contradiction in contradictions(data, features):
        origin.refuse(key, contradiction)
    return data, features, read_values(Stability, "stability", tables["stability"], origin)


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
    for sentence in monitored(found):
        progress.say(escape(sentence))
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
