"""The flags of `python -m training.run`, and how they become settings.

A flag that sets a value has its dotted key as destination (`--test-size` is `split.test_size`) and no default
of its own: what is not on the command line comes from the TOML, or is the reference system's.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from training.settings import Settings, load_settings
from training.settings.tables import CALIBRATE_ON, CALIBRATIONS, ESTIMATORS, SPLIT_METHODS

DEFAULTS = Settings()
# What the command does with the settings; everything else is a setting.
NOT_SETTINGS = {"config", "json", "model", "out", "quiet"}

EPILOG = """\
A flag goes before the TOML, the TOML before the defaults, which are the reference system's.
Exit status: 0 done; 1 failed, with one line that says why; 2 wrong flags or settings.

examples:
  python -m training.run
  python -m training.run --config examples/german_credit/settings.toml --out artifacts/german
  python -m training.run --data s3://bucket/loans.parquet --out s3://bucket/runs
  python -m training.run --data loans.csv --target Class --positive bad --id "" \\
      --numbers income,age --categories purpose --log1p income
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of `python -m training.run`; `settings_from` and `out_folder` read what it gives."""
    parser = Parser(
        prog="python -m training.run",
        usage="python -m training.run [--config FILE.toml] [--data FILE] [--out DIR] [option ...]",
        description="Fit, calibrate and evaluate a model of default on a table of applicants.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    _add_command(parser.add_argument_group("input and output"))
    add_data(parser.add_argument_group("the table"))
    add_features(parser.add_argument_group("features", "Without a TOML these replace the reference's 24."))
    _add_split(parser.add_argument_group("split"))
    _add_model(parser.add_argument_group("model"))
    _add_tuning(parser.add_argument_group("search for XGBoost's parameters"))
    _add_xgboost(parser.add_argument_group("XGBoost"))
    _add_score(parser.add_argument_group("score and evaluation"))
    return parser


def settings_from(args: argparse.Namespace) -> Settings:
    """The settings of a parsed command line. Raises UserError, exit status 2, for every mistake in them."""
    flags: dict[str, Any] = {name: value for name, value in vars(args).items() if name not in NOT_SETTINGS}
    for name in ("vocabulary", "row_max"):
        if name in flags:
            flags[name] = dict(flags[name])
    for name, value in flags.pop("xgboost", ()):
        flags[f"xgboost.{name}"] = value
    return load_settings(Path(args.config) if "config" in args else None, flags)


def out_folder(args: argparse.Namespace) -> Path:
    """Where the artifacts go; it need not be there yet. Raises UserError where a file stands in its place."""
    folder = Path(args.out)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--out: expected a folder, got the file {folder}; name another", WRONG_USAGE)
    return folder


Group = argparse._ArgumentGroup


def add_input(group: Group, default: str = "the built-in population") -> None:
    """`--config` and `--data`; `default` is the table that is read without either."""
    group.add_argument("--config", metavar="FILE.toml", help="the settings; see examples/")
    group.add_argument(
        "--data",
        dest="data.file",
        metavar="FILE",
        help=f"CSV or Parquet, here or s3://bucket/key, default {default}",
    )


def _add_command(group: Group) -> None:
    add_input(group)
    group.add_argument(
        "--out",
        default="artifacts",
        metavar="DIR",
        help="folder of the results, or s3://bucket/prefix (docs/storage.md); default artifacts",
    )
    group.add_argument("--quiet", action="store_true", default=False, help="print errors only")


def add_data(group: Group) -> None:
    """The columns of the table that are no features, and how it is read."""
    add_target(group)
    group.add_argument(
        "--id", dest="data.id", metavar="COLUMN", help=f"names a row; '' for none, default {DEFAULTS.data.id!r}"
    )
    add_separator(group)


def add_target(group: Group) -> None:
    """The column of the outcome."""
    data = DEFAULTS.data
    group.add_argument(
        "--target", dest="data.target", metavar="COLUMN", help=f"what is predicted, default {data.target!r}"
    )
    group.add_argument(
        "--positive",
        dest="data.positive",
        metavar="VALUE",
        help=f"the target of an applicant who defaulted, default {data.positive!r}",
    )


def add_separator(group: Group) -> None:
    """What stands between the cells of a CSV."""
    group.add_argument(
        "--separator",
        dest="data.separator",
        type=separator,
        metavar="CHARACTER",
        help="of a CSV, or tab; default: found out",
    )


def add_features(group: Group) -> None:
    """The columns that a model reads."""
    group.add_argument("--numbers", type=names, metavar="A,B", help="columns that hold numbers")
    group.add_argument("--booleans", type=names, metavar="A,B", help="columns that hold true/false, yes/no or 1/0")
    group.add_argument("--categories", type=names, metavar="A,B", help="columns that hold text")
    group.add_argument("--features", type=names, metavar="A,B", help="of all features keep these, in this order")
    group.add_argument("--log1p", type=names, metavar="A,B", help="exactly these numbers are taken as ln(1 + value)")
    group.add_argument(
        "--row-max",
        type=named_list,
        action="append",
        metavar="NAME=A,B",
        help="replace columns by their row maximum; NAME= removes a group; repeatable",
    )
    group.add_argument(
        "--vocabulary",
        type=named_list,
        action="append",
        metavar="NAME=A,B",
        help='the levels of a category, or NAME=["A", "B, C"]; NAME= learns them; repeatable',
    )


def _add_split(group: Group) -> None:
    split = DEFAULTS.split
    group.add_argument(
        "--split", dest="split.method", choices=SPLIT_METHODS, help=f"how the test is held out, default {split.method}"
    )
    _add_value(group, "split.test_size", float, f"share of the rows held out, default {split.test_size}")
    _add_value(group, "split.seed", int, f"of the split, the folds and the search, default {split.seed}")
    _add_column(group, "--time-column", "split.time", "each applicant's time, for --split time")
    group.add_argument(
        "--test-from", dest="split.test_from", metavar="TIME", help="first moment of the test, for --split time"
    )
    _add_column(group, "--group-column", "split.group", "what must not be in both parts, such as a customer")


def _add_model(group: Group) -> None:
    model = DEFAULTS.model
    _add_choice(group, "model.estimator", ESTIMATORS, model.estimator)
    _add_choice(group, "model.calibration", CALIBRATIONS, model.calibration)
    _add_choice(group, "model.calibrate_on", CALIBRATE_ON, model.calibrate_on)
    _add_value(group, "model.folds", int, f"of the cross-fit, default {model.folds}")
    _add_switch(group, "model.ensemble", "of calibrated-cv: one calibrated model per fold, default on")


def _add_tuning(group: Group) -> None:
    group.add_argument(
        "--tune",
        dest="tuning.trials",
        type=int,
        metavar="N",
        help="sets of parameters to try, on at most 100,000 rows; default 0: no search",
    )
    group.add_argument("--tune-folds", dest="tuning.folds", type=int, metavar="N", help="of each trial, default 4")
    group.add_argument(
        "--study", dest="tuning.study", metavar="FILE", help="holds the trials; resumed if there, default OUT.study"
    )
    group.add_argument(
        "--keep", dest="tuning.keep", type=names, metavar="A,B", help="parameters that stay as they are set"
    )


def _add_xgboost(group: Group) -> None:
    for name, value in DEFAULTS.xgboost.items():
        _add_value(group, f"xgboost.{name}", type(value), f"default {value:.6g}")
    group.add_argument(
        "--xgboost",
        type=named_value,
        action="append",
        metavar="NAME=VALUE",
        help="any other parameter of XGBClassifier that can be exported exactly; repeatable",
    )


def _add_score(group: Group) -> None:
    score, evaluation = DEFAULTS.score, DEFAULTS.evaluation
    _add_value(group, "score.points", float, f"of the score at --odds, default {score.points:g}")
    _add_value(group, "score.odds", float, f"good to bad, at --points, default {score.odds:g}")
    _add_value(group, "score.points_to_double", float, f"that double the odds, default {score.points_to_double:g}")
    group.add_argument(
        "--probability-limits",
        dest="score.probability_limits",
        type=limits,
        metavar="LOW,HIGH",
        help="beyond them the score stays, default 1e-8,0.99999999",
    )
    _add_value(
        group,
        "evaluation.threshold",
        float,
        f"probability of a predicted default, default {evaluation.threshold}",
    )
    group.add_argument(
        "--bands",
        dest="evaluation.bands",
        type=edges,
        metavar="A,B,C",
        help="edges of the score bands, default from the training scores",
    )
    _add_value(group, "evaluation.resamples", int, f"of the bootstrap, default {evaluation.resamples}")
    _add_switch(group, "evaluation.plots", "of the evaluation, default on")
    _add_value(group, "costs.gain", float, "profit from an approved applicant who repays")
    _add_value(group, "costs.loss", float, "loss from an approved applicant who defaults")
    _add_column(group, "--amount", "costs.amount", "of which gain and loss are shares")
    add_limits(group)


def add_limits(group: Group, default: str = f"{DEFAULTS.stability.score_limit:g}") -> None:
    """From which index on the score or a feature counts as moved."""
    _add_value(group, "stability.score_limit", float, f"of the score's PSI, default {default}")
    _add_value(group, "stability.feature_limit", float, f"of each feature's CSI, default {default}")


def _flag(key: str) -> str:
    return "--" + key.partition(".")[2].replace("_", "-")


def _add_value(group: Group, key: str, kind: Callable[[str], Any], help_: str) -> None:
    metavar = "N" if kind is int else "NUMBER"
    group.add_argument(_flag(key), dest=key, type=kind, metavar=metavar, help=help_)


def _add_column(group: Group, flag: str, key: str, help_: str) -> None:
    group.add_argument(flag, dest=key, metavar="COLUMN", help=help_)


def _add_choice(group: Group, key: str, choices: tuple[str, ...], default: str) -> None:
    group.add_argument(_flag(key), dest=key, choices=choices, help=f"default {default}")


def _add_switch(group: Group, key: str, help_: str) -> None:
    group.add_argument(_flag(key), dest=key, action=argparse.BooleanOptionalAction, help=help_)


def names(text: str) -> tuple[str, ...]:
    """`a,b` or, where a name has a comma, `["a", "b, c"]`; the empty text is no name."""
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
        except json.JSONDecodeError:
            listed = None
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise argparse.ArgumentTypeError(f'expected a JSON list of texts as in ["a", "b, c"], got {text}')
        return tuple(listed)
    return tuple(name.strip() for name in text.split(",")) if text else ()


def named_list(text: str) -> tuple[str, tuple[str, ...]]:
    """`NAME=a,b`, the list as `names` reads it."""
    name, equals, listed = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=A,B, got {text}")
    return name.strip(), names(listed)


def named_value(text: str) -> tuple[str, object]:
    """`NAME=VALUE`, the value as JSON where it is JSON, else as text."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text}")
    try:
        return name.strip(), json.loads(value)
    except json.JSONDecodeError:
        return name.strip(), value


def separator(text: str) -> str:
    """One character; `tab` and `\\t` are the tabulator, the empty text means that it is found out."""
    return "\t" if text in ("tab", "\\t") else text


def limits(text: str) -> tuple[float, ...]:
    """`LOW,HIGH` as two numbers."""
    try:
        return tuple(float(limit) for limit in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected LOW,HIGH as in 1e-8,0.99999999, got {text}") from None


def edges(text: str) -> tuple[float, ...]:
    """`A,B,C` as numbers."""
    try:
        return tuple(float(edge) for edge in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers as in 500,550,600, got {text}") from None
