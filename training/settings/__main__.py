"""`python -m training.settings > docs/settings.md`: the reference page of every setting, from its declaration."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("training.settings.__main__")


import json
import shlex
import sys

from cli.settings.declared import settings_of
from cli.settings.page import page_of
from training.settings.tables import DECLARED
from training.settings.xgboost_parameters import REFERENCE, Parameters
from validation.settings import Validation

HEAD = """\
# Settings

Made by `make settings` from the declarations in `table/settings.py`, `validation/settings.py` and `training/settings/`;
do not edit it. `python -m training.run --config FILE.toml` reads these tables. A flag overrides the TOML, and the
TOML overrides the default. `""` stands for no value. The flags of `scoring.run` are in [scoring.md](scoring.md),
those of `validation.run` in [validation.md](validation.md).

"""
# Tables of features and groups, whose keys are names of the user's.
TITLES = {"features": "features.NAME", "reason_texts": "reason_texts.NAME"}
FLAGS = {
    "features.type": ("--numbers A,B", "--booleans A,B", "--categories A,B"),
    "features.log1p": ("--log1p A,B",),
    "features.vocabulary": ("--vocabulary NAME=A,B",),
    "features.rare": (),
    "features.description": (),
    "features.special": (),
    "features.indicator": (),
    "features.true": (),
    "features.false": (),
    "data.exclude": ("--exclude COLUMN=A,B",),
    "fairness.reference": (),
    "fairness.bins": (),
    "row_max.NAME": ("--row-max NAME=A,B",),
    "reason_groups.NAME": (),
    "reason_texts.text": (),
    "reason_texts.missing": (),
    "reason_texts.code": (),
    "reason_texts.inquiries": (),
    "reason_texts.actionable": (),
    "reason_texts.direction": (),
    "reason_texts.levels": (),
    **{f"validation.{name}": () for name in settings_of(Validation)},  # which has a command of its own
}


def main() -> int:
    """Print the page and return the exit status."""
    sys.stdout.write(reference_page())
    return 0


def reference_page() -> str:
    """The content of docs/settings.md."""
    others = {name: setting for name, setting in settings_of(Parameters).items() if name not in REFERENCE}
    flags = {f"xgboost.{name}": (f"--xgboost {_word(name, setting.example)}",) for name, setting in others.items()}
    return HEAD + page_of(DECLARED, TITLES, {**FLAGS, **flags})


def _word(name: str, value: object) -> str:
    """`name=value` as a shell takes it."""
    return shlex.quote(f"{name}={value if isinstance(value, str) else json.dumps(value)}")
