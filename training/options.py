"""The flags of `python -m training.run`, and how they become settings.

A flag that sets a value has its dotted key as destination (`--test-size` is `split.test_size`) and no default
of its own: what is not on the command line comes from the TOML, or is the reference system's.
"""

import argparse
from pathlib import Path
from typing import Any

from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.settings.flags import Group, NamedLists, add_flags, named_list, named_value, names
from table.flags import add_exclude
from table.settings import Data
from training.settings import Settings, load_settings
from training.settings.engine import Engine
from training.settings.reasons import Reasons
from training.settings.tables import Model, Score, Split, Tuning
from training.settings.xgboost_parameters import REFERENCE, Parameters
from validation.settings import Costs, Evaluation, Fairness, MasterScale, Stability

# Flags of the command itself; everything else is a setting.
NOT_SETTINGS = {"config", "json", "out", "quiet", "strict"}
ARTIFACTS = "artifacts"  # where results go unless something else is said
WRITING = ("separator", "header", "sheet", "encoding", "decimal", "thousands", "normalization")
FAIRNESS = ("groups", "features_allowed", "least", "cutoff", "limit", "auc_loss")
TABLE = ("target", "positive", "negative", "weight", "id", "missing", *WRITING)

EPILOG = """\
Flags override the TOML, which overrides the defaults, which are the reference system's: docs/settings.md.
Exit status: 0 done; 1 failed, or an alarm with --strict, with one line that says why; 2 wrong flags or settings.

examples:
  python -m training.run
  python -m training.run --config examples/german_credit/settings.toml --out artifacts/german
  python -m training.run --data s3://bucket/loans.parquet --out s3://bucket/runs
  python -m training.run --data 'loans/*.parquet' --external-memory
  python -m training.run --data loans.csv --target Class --positive bad --id "" \\
      --numbers income,age --categories purpose --log1p income
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of `python -m training.run`; `settings_from` and `out_folder` read what it gives."""
    parser = Parser(
        prog="python -m training.run",
        usage="python -m training.run [--config FILE.toml] [--data FILE] [--out DIR] [option ...]",
        description="Fit, calibrate and evaluate a model of the probability of default on a table of applicants.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    command = parser.add_argument_group("input and output")
    add_input(command)
    command.add_argument(
        "--out",
        default=ARTIFACTS,
        metavar="DIR",
        help="folder of the results, or s3://bucket/prefix (docs/storage.md); default artifacts",
    )
    command.add_argument("--quiet", action="store_true", default=False, help="print errors only")
    command.add_argument(
        "--strict", action="store_true", default=False, help="exit with status 1 after an alarm; results are written"
    )
    add_columns(parser)
    add_flags(parser.add_argument_group("split"), Split, "split")
    add_flags(parser.add_argument_group("model"), Model, "model")
    add_flags(parser.add_argument_group("search for XGBoost's parameters"), Tuning, "tuning")
    add_flags(parser.add_argument_group("more rows than memory holds (docs/scale.md)"), Engine, "engine")
    xgboost = parser.add_argument_group("XGBoost")
    add_flags(xgboost, Parameters, "xgboost", *REFERENCE)
    xgboost.add_argument(
        "--xgboost",
        type=named_value,
        action="append",
        metavar="NAME=VALUE",
        help="any other parameter of XGBClassifier that can be exported exactly; repeatable",
    )
    add_flags(parser.add_argument_group("score"), Score, "score")
    evaluation = parser.add_argument_group("evaluation")
    add_flags(evaluation, Evaluation, "evaluation")
    add_flags(evaluation, Costs, "costs")
    add_flags(evaluation, Stability, "stability")
    add_flags(parser.add_argument_group("grades of a master scale (docs/grades.md)"), MasterScale, "grades")
    add_flags(parser.add_argument_group("groups of people"), Fairness, "fairness", *FAIRNESS)
    add_flags(parser.add_argument_group("reasons"), Reasons, "reasons")
    return parser


def settings_from(args: argparse.Namespace) -> Settings:
    """The settings of a parsed command line. Raises UserError, exit status 2, for every mistake in them."""
    flags: dict[str, Any] = {name: value for name, value in vars(args).items() if name not in NOT_SETTINGS}
    for name, value in flags.pop("xgboost", ()):
        flags[f"xgboost.{name}"] = value
    return load_settings(Path(args.config) if "config" in args else None, flags)


def out_folder(args: argparse.Namespace) -> Path:
    """Folder of the artifacts, which need not exist yet. Raises UserError if it is a file."""
    folder = Path(args.out)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--out: expected a folder, got the file {folder}; name another", WRONG_USAGE)
    return folder


def add_input(group: Group) -> None:
    """`--config` and `--data`."""
    group.add_argument("--config", metavar="FILE.toml", help="the settings; see examples/")
    add_flags(group, Data, "data", "file")


def add_columns(parser: argparse.ArgumentParser) -> None:
    """The columns of the table, and how it is read."""
    table = parser.add_argument_group("the table")
    add_flags(table, Data, "data", *TABLE)
    add_exclude(table)
    group = parser.add_argument_group("features", "Without a TOML these replace the reference's 24.")
    group.add_argument("--numbers", type=names, metavar="A,B", help="columns that hold numbers")
    group.add_argument("--booleans", type=names, metavar="A,B", help="columns that hold true/false, yes/no or 1/0")
    group.add_argument("--categories", type=names, metavar="A,B", help="columns that hold text")
    group.add_argument("--features", type=names, metavar="A,B", help="keep only these features, in this order")
    group.add_argument("--log1p", type=names, metavar="A,B", help="the numbers that trees see as ln(1 + value)")
    group.add_argument(
        "--row-max",
        type=named_list,
        action=NamedLists,
        metavar="NAME=A,B",
        help="replace columns by their row maximum; NAME= removes a group; repeatable",
    )
    group.add_argument(
        "--vocabulary",
        type=named_list,
        action=NamedLists,
        metavar="NAME=A,B",
        help='the levels of a category, or NAME=["A", "B, C"]; NAME= learns them; repeatable',
    )
