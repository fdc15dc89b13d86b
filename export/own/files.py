"""A fitted pipeline in a file, and the table of its rows. What would run code is opened only when it is trusted."""

import importlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd

from cli.errors import UserError
from cli.progress import Progress
from cli.words import escaped, listed, shown, suggested_file
from export.own.branches import as_classifier
from export.own.faults import said_of
from export.own.made import made_with, others, with_versions
from export.own.raw import names_of
from storage.damaged import DAMAGED
from training.artifacts import skops_io
from training.artifacts.boosters import try_boosters
from training.artifacts.class_paths import LIBRARIES, TRUSTED

PICKLES = (".joblib", ".pkl", ".pickle")


class Opened(NamedTuple):
    """Content of a file, and the versions of the libraries that made it, if stated."""

    estimator: Any
    made: Mapping[str, str]


def load_fitted(path: Path, progress: Progress, *, trust_pickle: bool = False) -> Opened:
    """The object in a .skops file, or in a .joblib or .pkl that is trusted. Raises UserError for any other.

    A pickle runs whatever code it holds. A skops file is read without: all types in it must be classes of the
    libraries that pipelines are made of.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file{suggested_file(path)}; give --pipeline a .skops file")
    if path.suffix not in (".skops", *PICKLES):
        raise UserError(f"{path}: expected a .skops, .joblib or .pkl file, got {path.suffix or 'no extension'}")
    if path.suffix in PICKLES and not trust_pickle:
        raise UserError(
            f"{path}: a pickle runs the code that it holds when it is opened; save the pipeline with "
            "skops.io.dump, or give --trust-pickle if you made this file"
        )
    content = path.read_bytes()
    try:
        made = made_with(content)
    except Exception:
        made = {}  # what opens it says what is wrong
    try:
        with warnings.catch_warnings():  # of other versions, which are said below
            warnings.simplefilter("ignore")
            estimator = _unpickled(path) if path.suffix in PICKLES else _unpacked(path, content)
    except UserError as refusal:
        raise with_versions(refusal, path, made) from refusal.__cause__
    if named := others(made):
        progress.say(
            f"[yellow]![/] {escaped(path)} was made with {escaped(named)}: the certificate says whether that matters"
        )
    return Opened(as_classifier(estimator), made)


def _unpacked(path: Path, dump: bytes) -> Any:
    try:
        unknown = sorted(set(skops_io.get_untrusted_types(data=dump)) - TRUSTED)
        if strange := [name for name in unknown if not _is_class_of_a_library(name)]:
            raise UserError(
                f"{path}: holds {listed(strange)}, which scikit-learn and XGBoost do not define; "
                "write these steps as scikit-learn transformers and save again"
            )
        try_boosters(dump)
        return skops_io.loads(dump, trusted=[*sorted(TRUSTED), *unknown])
    except (UserError, KeyboardInterrupt):
        raise
    except Exception as fault:
        raise UserError(f"{path}: is not a pipeline that can be read ({said_of(fault)}); save it again") from fault


def _is_class_of_a_library(name: str) -> bool:
    """True for a class that is defined in a library that pipelines are made of; never for a function."""
    if not name.startswith(LIBRARIES):
        return False
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):
        return False
    return isinstance(found, type | np.ufunc)


def _unpickled(path: Path) -> Any:
    try:
        return joblib.load(path)
    except Exception as fault:
        raise UserError(f"{path}: is not a pickle that can be read here ({said_of(fault)}); save it again") from fault


def load_rows(path: Path, estimator: Any, target: str | None) -> tuple[pd.DataFrame, Any]:
    """The pipeline's columns of a Parquet or CSV file, and the target, None where none is named.

    A CSV is read as pandas reads it. Other columns of the file are left alone.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file{suggested_file(path)}; give --data a Parquet or CSV file of real rows")
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (*DAMAGED, ValueError, OSError, ImportError) as fault:
        said = said_of(fault)
        raise UserError(f"{path}: expected a Parquet or CSV file ({said})") from None
    outcomes = None
    if target is not None:
        if target not in frame.columns:
            raise UserError(f"{path}: no column {shown(target)}; give --target the column of outcomes")
        outcomes = frame[target]
    known = names_of(estimator)
    if known is None:
        return frame.drop(columns=[] if target is None else [target]), outcomes
    return frame[[str(name) for name in known if name in frame.columns]], outcomes
