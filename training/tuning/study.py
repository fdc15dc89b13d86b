"""The file that holds the trials of a search, from which a search resumes.

It is Optuna's journal: one line of JSON for each thing that happened, appended and synced. Only finished trials are
written, each in one line, so a search that is killed leaves no half of one, and the search that resumes asks the
same questions as one that ran through.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cli.errors import UserError
from cli.words import shown
from storage.address import is_remote
from storage.lock import try_lock
from training.settings import Settings, settings_as_dict

NAME = "lastbit"
JOURNAL = b'{"op_code":'  # how each line of Optuna's journal begins
MADE_WITH = "made_with"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
SEARCH_VERSION = 3  # of all that decides on the trials; raise it with every change in training.tuning that does
PACKAGES = ("numpy", "optuna", "scikit-learn", "xgboost")
# Settings that no trial depends on: places of data and trials, number of trials, and steps after the fit.
LEFT_OUT = ("data.file", "data.id", "data.separator", "tuning.trials", "tuning.study")
TABLES_LEFT_OUT = ("score", "evaluation", "costs", "stability", "validation", "fairness")
ANEW = "name another with --study, or delete it to search anew"


def study_file(settings: Settings, out: Path | str) -> Path:
    """File of the trials: set, or beside the artifacts, which are replaced whole."""
    if settings.tuning.study is not None:
        return Path(settings.tuning.study)
    if is_remote(str(out)):
        return Path("artifacts.study")
    out = Path(out)
    return out.with_name(f"{out.name}.study")


def made_with(settings: Settings, data_sha256: str) -> dict[str, str]:
    """All that decides on the trials, by dotted key, each value as TOML writes it."""
    found: dict[str, Any] = {"data.sha256": data_sha256, "search.version": SEARCH_VERSION}
    found |= {f"versions.{package}": version(package) for package in PACKAGES}
    for table, content in settings_as_dict(settings).items():
        if table not in TABLES_LEFT_OUT and isinstance(content, Mapping):
            found |= {f"{table}.{key}": value for key, value in content.items() if f"{table}.{key}" not in LEFT_OUT}
    found |= {
        "features": [feature.name for feature in settings.features],
        "row_max": list(settings.row_max),
    }  # in order
    return {key: json.dumps(value, ensure_ascii=False) for key, value in found.items()}


@contextmanager
def open_study(file: Path, origin: Mapping[str, str]) -> Iterator[Study]:
    """The study in a file, a new one if the file does not exist, for this search alone.

    Raises UserError where the file holds something else, the trials of another search, or where another process
    is writing to it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with _held(file), _without_messages():
        _drop_torn_line(file)
        try:
            storage = JournalStorage(JournalFileBackend(str(file), lock_obj=_NoLock(str(file))))
            names = optuna.get_all_study_names(storage)
            study = (optuna.load_study if names else optuna.create_study)(study_name=NAME, storage=storage)
        except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as fault:
            raise UserError(f"{file}: is not the study of a search; {ANEW}") from fault
        if MADE_WITH not in study.user_attrs:
            if study.trials:
                raise UserError(f"{file}: is a study of another program; {ANEW}")
            study.set_user_attr(MADE_WITH, dict(origin))
        _refuse_other(file, study.user_attrs[MADE_WITH], origin)
        yield study


def finished(study: Study) -> list[FrozenTrial]:
    """The finished trials, in order."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def _refuse_other(file: Path, found: Mapping[str, str], origin: Mapping[str, str]) -> None:
    for key in sorted({**origin, **found}, key=lambda key: "." not in key):  # the orders last
        if found.get(key) != origin.get(key):
            there, here = (shown(json.loads(side[key])) if key in side else "not set" for side in (found, origin))
            raise UserError(f"{file}: is the study of another search: {key} is {there} there and {here} here; {ANEW}")


@contextmanager
def _without_messages() -> Iterator[None]:
    """Silence Optuna, which reports every trial through one logger of the process, while the block runs."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """Hold the file for this process. The system releases it, however the process ends."""
    with file.open("ab") as held:
        if not try_lock(held):
            raise UserError(f"{file}: another search is writing to this study; wait for it, or {ANEW}")
        yield


class _NoLock(JournalFileOpenLock):
    """Optuna's own locks are files that a killed process leaves behind; `_held` makes them needless."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def _drop_torn_line(file: Path) -> None:
    """A process killed while it wrote leaves part of a line, which says nothing that was finished."""
    content = file.read_bytes()
    if content and not content.startswith(JOURNAL):
        raise UserError(f"{file}: is not the study of a search; {ANEW}")
    if not content.endswith(b"\n"):
        with file.open("r+b") as torn:
            torn.truncate(content.rfind(b"\n") + 1)
