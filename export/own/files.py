"""A fitted pipeline in a file, and the table of its rows. What would run code is opened only when it is trusted."""

import importlib
import warnings
import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import skops.io
from sklearn.exceptions import InconsistentVersionWarning

from cli.errors import UserError
from cli.progress import Progress
from cli.words import escaped, listed, shown, suggested_file
from export.own.faults import said_of
from export.own.raw import names_of
from training.artifacts.boosters import try_boosters
from training.artifacts.class_paths import LIBRARIES, TRUSTED, made_elsewhere

PICKLES = (".joblib", ".pkl", ".pickle")


def load_fitted(path: Path, progress: Progress, *, trust_pickle: bool = False) -> Any:
    """The object in a .skops file, or in a .joblib or .pkl that is trusted. Raises UserError for any other.

    A pickle runs whatever code it holds. A skops file is read without: all types in it must be classes of the
    libraries that pipelines are made of.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file{suggested_file(path)}; give --pipeline a .skops file")
    if path.suffix in PICKLES:
        if not trust_pickle:
            raise UserError(
                f"{path}: a pickle runs the code that it holds when it is opened; save the pipeline with "
                "skops.io.dump, or give --trust-pickle if you made this file"
            )
        return _unpickled(path, progress)
    if path.suffix != ".skops":
        raise UserError(f"{path}: expected a .skops, .joblib or .pkl file, got {path.suffix or 'no extension'}")
    dump = path.read_bytes()
    try:
        made = made_elsewhere(dump)
        unknown = sorted(set(skops.io.get_untrusted_types(data=dump)) - TRUSTED)
        if strange := [name for name in unknown if not _is_class_of_a_library(name)]:
            raise UserError(
                f"{path}: holds {listed(strange)}, which no pipeline of scikit-learn and XGBoost is made of; "
                "write these steps as transformers of scikit-learn's and save again"
            )
        try_boosters(dump)
        loaded = skops.io.loads(dump, trusted=[*sorted(TRUSTED), *unknown])
    except (UserError, KeyboardInterrupt):
        raise
    except Exception as fault:
        said = said_of(fault)
        raise UserError(f"{path}: is not a pipeline that can be read ({said}); save it again") from fault
    if made:
        progress.say(f"[yellow]![/] {escaped(path)} was {escaped(made)}: the certificate says whether that matters")
    return loaded


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


def _unpickled(path: Path, progress: Progress) -> Any:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", InconsistentVersionWarning)
        try:
            loaded = joblib.load(path)
        except Exception as fault:
            why = said_of(fault)
            raise UserError(f"{path}: is not a pickle that can be read here ({why}); save it again") from fault
    for warning in said:
        if isinstance(warning.message, InconsistentVersionWarning):
            made = warning.message.original_sklearn_version
            progress.say(
                f"[yellow]![/] {escaped(path)} was made with scikit-learn {escaped(made)}: the certificate says "
                "whether that matters"
            )
            break
    return loaded


def load_rows(path: Path, estimator: Any, target: str | None) -> tuple[pd.DataFrame, Any]:
    """The pipeline's columns of a Parquet or CSV file, and the target, None where none is named.

    A CSV is read as pandas reads it. Other columns of the file are left alone.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file{suggested_file(path)}; give --data a Parquet or CSV file of real rows")
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (ValueError, OSError, zipfile.BadZipFile) as fault:
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
