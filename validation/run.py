"""`python -m validation.run`: what a validator can say of a model from its folder and a table, as one page."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("validation.run")


import argparse
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.settings.declared import read_values
from cli.settings.flags import add_flags
from cli.settings.origin import Origin
from cli.settings.toml import read_toml, tables_of
from cli.words import counted, escaped
from storage.address import is_remote
from storage.folder import replaced_folder
from table.contradictions import contradictions
from table.features import definitions_of, read_features
from table.flags import add_exclude
from table.settings import Data, Feature, beside
from validation.documents import Validated
from validation.fairness.columns import contradicting_groups
from validation.history import record_of, remember, remembered
from validation.observing import Asked, observe
from validation.pack import MARKDOWN, write_pack
from validation.page import FIGURES, PAGE, validated, write_page
from validation.served import Served
from validation.settings import Fairness, Stability, Validation

SHOWN = 10
TABLE = ("target", "positive", "negative", "weight", "id", "missing")
WRITTEN = ("separator", "header", "sheet", "encoding", "decimal", "thousands", "normalization")
OUT = "validated"
GROUPS = ("groups", "features_allowed", "least", "cutoff", "limit")
LIKE_OURS = ("evaluation",)  # tables of training that are no mistyped ones of this command

EPILOG = """\
A limit comes from its flag, else from the TOML, else from the model's manifest, which has those of its training.
Exit status: 0 done, whatever was found; 1 a finding beyond a limit with --strict, or the validation failed, with one
line that says what; 2 wrong flags or settings.

examples:
  python -m validation.run --data march.csv
  python -m validation.run --data 2026/ --config loans.toml --period month --segment region --strict
  python -m validation.run --data june.parquet --previous january.parquet --history history
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)

    def validate_and_write() -> None:
        (data, declared, limits, settings, fairness), out = _settings(args), Path(args.out)
        if data.file is None:
            raise UserError("--data: expected a file or a folder of them, got none; name one", WRONG_USAGE)
        for flag, name in (("--out", args.out), ("--history", args.history), ("--pack", args.pack)):
            if name is not None and is_remote(name):
                raise UserError(f"{flag}: expected a folder, got {name}; write it here and copy it", WRONG_USAGE)
        history = None if args.history is None else Path(args.history)
        progress = Progress(quiet=args.quiet)
        with replaced_folder(out, PAGE) as folder:
            with progress.step("Opening the model"):
                served = Served.load(Path(args.model))
            _refuse_groups(fairness, served, data, args)
            if "config" not in args:
                limits = served.limits | limits
            named = frozenset(key for key in vars(args) if "." in key)
            asked = Asked(data, settings, Stability(**limits), named, args.previous, fairness)
            runs = [] if history is None else remembered(history)
            observed = observe(served.read_as(declared), asked, progress)
            with progress.step("Comparing"):
                found, tables = validated(served, observed)
                record = record_of(found, datetime.now(UTC).isoformat(timespec="seconds"))
                if history is not None:
                    found["history"] = _with(runs, record)
            with progress.step("Writing the page"):
                write_page(folder, found, tables)
        if args.pack is not None:
            with replaced_folder(Path(args.pack), MARKDOWN) as folder:
                write_pack(folder, found, served.model.manifest.document)
        if history is not None:
            remember(history, record)
        _summarise(found, out, progress)
        beyond = [finding["name"] for finding in found["findings"] if finding["level"] == "beyond"]
        if args.strict and beyond:
            more = f" and {len(beyond) - SHOWN} more" if len(beyond) > SHOWN else ""
            raise UserError(f"{data.file}: {'; '.join(beyond[:SHOWN])}{more} (--strict); see {out / PAGE}")

    return command.run(validate_and_write, "the last good page is as it was")


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = Parser(
        prog="python -m validation.run",
        usage="python -m validation.run --data FILE [--model DIR] [--config FILE.toml] [option ...]",
        description="Validate an exported model on a table: stability of score and features against the training rows, "
        "and where outcomes are known, discrimination, calibration and grades against the initial validation, by "
        "period and by segment.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    files = parser.add_argument_group("input and output")
    files.add_argument("--config", metavar="FILE.toml", help="settings that the model was trained with")
    add_flags(files, Data, "data", "file", default="that of the TOML")
    files.add_argument(
        "--model", default="model", metavar="DIR", help="folder of the exported model, default %(default)s"
    )
    files.add_argument(
        "--out", default=OUT, metavar="DIR", help=f"folder of {PAGE}, {FIGURES} and CSVs, default %(default)s"
    )
    files.add_argument(
        "--previous", default=None, metavar="FILE", help="earlier table of the same customers, for migrations"
    )
    files.add_argument(
        "--history",
        default=None,
        metavar="DIR",
        help="folder that keeps the figures of each run, to draw them over time",
    )
    files.add_argument(
        "--pack", default=None, metavar="DIR", help="folder for the answers in the order of supervisors' templates"
    )
    files.add_argument("--quiet", action="store_true", default=False, help="print errors only")
    files.add_argument(
        "--strict", action="store_true", default=False, help="exit with status 1 if a finding is beyond its limit"
    )
    table = parser.add_argument_group("the table", "Its features are those of the model; the target may be missing.")
    add_flags(table, Data, "data", *TABLE, *WRITTEN)
    add_exclude(table)
    parts = parser.add_argument_group("periods, segments and outcomes")
    add_flags(parts, Validation, "validation", *(its.name for its in fields(Validation) if its.name != "segments"))
    parts.add_argument(
        "--segment",
        dest="validation.segments",
        action="append",
        metavar="COLUMN",
        help="validate each level of this column, a feature or not; repeatable",
    )
    add_flags(parser.add_argument_group("groups of people"), Fairness, "fairness", *GROUPS)
    add_flags(parser.add_argument_group("limits"), Stability, "stability", default="the TOML's or the model's")
    return parser


def _settings(
    args: argparse.Namespace,
) -> tuple[Data, tuple[Feature, ...], dict[str, float], Validation, Fairness]:
    """The table, how its features are written, the limits, and what is asked for; other tables are training's."""
    file = Path(args.config) if "config" in args else None
    flags = {key: value for key, value in vars(args).items() if "." in key}
    origin = Origin(None if file is None else str(file), frozenset(flags))
    content = {} if file is None else beside(file, read_toml(file))
    tables: dict[str, dict[str, object]] = {
        "data": {},
        "features": {},
        "stability": {},
        "validation": {},
        "fairness": {},
    }
    others = {name: table for name, table in content.items() if name not in LIKE_OURS}
    tables |= tables_of(others, tables.keys(), origin, others=True)
    for key, value in flags.items():
        table, _, name = key.partition(".")
        tables[table][name] = value
    data = Data(**read_values(Data, "data", tables["data"], origin))
    definitions = definitions_of(tables["features"], origin)
    features = read_features(definitions, origin) if definitions else ()
    for key, contradiction in contradictions(data, features):
        origin.refuse(key, contradiction)
    settings = Validation(**read_values(Validation, "validation", tables["validation"], origin))
    fairness = Fairness(**read_values(Fairness, "fairness", tables["fairness"], origin))
    return data, features, read_values(Stability, "stability", tables["stability"], origin), settings, fairness


def _refuse_groups(fairness: Fairness, served: Served, data: Data, args: argparse.Namespace) -> None:
    """Raise UserError for groups that contradict the model's features or the table's columns."""
    origin = Origin(getattr(args, "config", None), frozenset(key for key in vars(args) if "." in key))
    for key, problem in contradicting_groups(fairness, [feature.column for feature in served.features], data):
        origin.refuse(key, problem)


def _with(runs: Sequence[Any], record: Any) -> list[Any]:
    """The runs with this one in its place, without an earlier one of the same table and model."""
    same = ("model", "sha256")
    others = [run for run in runs if any(run[key] != record[key] for key in same)]
    return sorted([*others, record], key=lambda run: (run["last_time"] or run["when"], run["when"]))


def _summarise(found: Validated, out: Path, progress: Progress) -> None:
    for remark in found["remarks"]:
        progress.say(f"  {escaped(remark)}")
    for finding in found["findings"][:SHOWN]:
        sign = "[bold red]![/]" if finding["level"] == "beyond" else "[yellow]?[/]"
        progress.say(f"{sign} {escaped(finding['name'])}. {escaped(finding['message'])}")
    if len(found["findings"]) > SHOWN:
        progress.say(f"  and {counted(len(found['findings']) - SHOWN, 'more finding')}")
    if not found["findings"]:
        progress.say("No finding is beyond its limit.")
    figure = found["sections"]["calibration"]["figure"]
    if figure is not None:
        metrics, ranking = figure["metrics"], found["sections"]["discrimination"]["figure"]
        auc = "" if ranking is None else f", ROC-AUC {ranking['metrics']['roc_auc']:.4f}"
        rates = f"observed {metrics['default_rate']:.2%}, predicted {metrics['mean_probability']:.2%}"
        progress.say(f"Default rate of the {metrics['rows']:,} whose outcome is known: {rates}{auc}")
    progress.say(f"Written to [bold]{escaped(str(out))}/[/] (open {PAGE})")
