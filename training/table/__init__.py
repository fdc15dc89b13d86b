"""The table that a model is trained on: raw feature columns of canonical types, a 0/1 target, ids."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from training import population
from training.command import Progress
from training.errors import UserError, nearest
from training.settings import Settings
from training.settings.document import suggested_file
from training.settings.keys import listed, shown
from training.storage.files import local_file
from training.table.cells import Source, booleans, coded_labels, labels, numbers, refuse_cells
from training.table.csv_file import CsvFile
from training.table.parquet_file import MAGIC, SUFFIXES, ParquetFile

BUILT_IN = "built-in population"
SILENT = Progress(quiet=True)


@dataclass(frozen=True)
class Table:
    """N labelled applicants.

    `frame` [N] holds the feature columns only, in the settings' order: numbers float64, NaN for missing;
    booleans float64 too, 1 true, 0 false, NaN missing, as the model and the graph read them; categories
    object columns of str, None for missing. `target` is int8 [N], 1 for an applicant who defaulted. `ids` [N]
    are texts, "" where the file has none; None where no id column is named. `dropped_rows` had no target.
    `sha256` is that of the file's bytes, or of the population's values; `source` the file's name or address as given.
    """

    frame: pd.DataFrame
    target: NDArray[np.int8]
    ids: list[str] | None
    dropped_rows: int
    sha256: str
    source: str


def read_table(settings: Settings, progress: Progress = SILENT) -> Table:
    """The table of `settings.data.file`, CSV or Parquet, here or in S3.

    Raises UserError for whatever is wrong with it. `progress` shows the download.
    """
    if settings.data.file is None:
        raise ValueError("settings.data.file is None: the built-in population is synthetic_table's")
    with local_file(settings.data.file, progress) as path:
        source = _source(settings.data.file, path, settings)
    return _table(source, settings)


def synthetic_table(settings: Settings) -> Table:
    """The built-in population: 90,000 applicants drawn with a seed of their own, so always the same ones."""
    frame = population.draw()
    wanted = _wanted(settings)
    _check_columns(BUILT_IN, list(frame.columns), wanted, "its columns")
    drawn = pa.Table.from_pandas(frame[list(wanted)], preserve_index=False)
    columns = {name: drawn.column(name) for name in wanted}
    return _table(Source(BUILT_IN, _digest(frame), columns, lambda rows: [f"row {r + 1}" for r in rows]), settings)


def _wanted(settings: Settings) -> dict[str, str]:
    """The columns that are read, each with the setting that asks for it."""
    wanted = {feature.name: f"features.{feature.name}" for feature in settings.features}
    wanted[settings.data.target] = "data.target"
    if settings.data.id is not None:
        wanted[settings.data.id] = "data.id"
    return wanted


def _source(name: str, path: Path, settings: Settings) -> Source:
    """The columns of the file at `path`, which the user calls `name`."""
    wanted = _wanted(settings)
    with _opened(name, path) as file:
        if file.peek(len(MAGIC)).startswith(MAGIC) or Path(name).suffix.lower() in SUFFIXES:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            parquet = ParquetFile(name, path)
            _check_columns(name, parquet.columns, wanted, "its columns")
            return Source(name, sha256, parquet.read(wanted), parquet.places)
        content = file.read()
    text = CsvFile(name, content, settings.data.separator, wanted)
    _check_columns(name, text.columns, wanted, f"its columns, separated by {shown(text.separator)}")
    numeric = {feature.name for feature in settings.features if feature.type == "number"}
    return Source(name, hashlib.sha256(content).hexdigest(), text.read(wanted, numeric), text.places)


def _opened(name: str, path: Path) -> BufferedReader:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        problem = f"no such file{suggested_file(path)}; give --data an existing CSV or Parquet file"
    except IsADirectoryError:
        problem = "expected a CSV or Parquet file, got a folder; give --data a file in it"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except ValueError as error:  # a name that no file can have
        problem = f"cannot be read: {error}"
    else:
        if file.peek(1):
            return file
        file.close()
        problem = "is empty; expected a header and rows"
    raise UserError(f"{name}: {problem}")


def _check_columns(name: str, columns: Sequence[str], wanted: dict[str, str], introduction: str) -> None:
    for column, setting in wanted.items():
        if columns.count(column) > 1:
            raise UserError(f"{name}: column {column} is there {columns.count(column)} times; name each column once")
        if column not in columns:
            suggestion = nearest(column, columns)
            guess = f"did you mean {suggestion}? " if suggestion else ""
            remedy = '; set data.id to "" where rows have no id' if setting == "data.id" else ""
            known = f"{introduction}: {listed(columns)}"
            raise UserError(f"{name}: no column {column} ({setting}); {guess}{known}{remedy}")


def _table(source: Source, settings: Settings) -> Table:
    target, kept = _target(source, settings)
    columns = {}
    for feature in settings.features:
        if feature.type == "category":
            columns[feature.name] = pd.Series(labels(source, feature.name)[kept], dtype=object)
        else:
            values = (numbers if feature.type == "number" else booleans)(source, feature.name)
            if feature.log1p and (values <= -1).any():
                refuse_cells(source, feature.name, "numbers above -1, for log1p", values <= -1, values.tolist())
            columns[feature.name] = pd.Series(values[kept])
    ids = None
    if settings.data.id is not None:
        ids = ["" if text is None else text for text in labels(source, settings.data.id)[kept]]
    return Table(pd.DataFrame(columns, copy=False), target, ids, int((~kept).sum()), source.sha256, source.name)


def _target(source: Source, settings: Settings) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """0 or 1 for each row that has a target, and which rows [all] those are."""
    column, positive = settings.data.target, _plain(settings.data.positive)
    levels, codes = coded_labels(source, column)
    if not len(codes):
        raise UserError(f"{source.name}: has a header and no rows; expected rows")
    plain = [None if level is None else _plain(level) for level in levels]
    found = sorted({label for label in plain if label is not None})
    where = f"{source.name}: target {column}"
    if not found:
        raise UserError(f"{where}: every row is missing; expected two values")
    if len(found) == 1:
        raise UserError(f"{where}: expected two values, found only: {found[0]}; add rows of the other class")
    if len(found) > 2:
        raise UserError(f"{where}: expected two values, found: {listed(found)}; name another column as data.target")
    if positive not in found:
        named = f"no row has {shown(settings.data.positive)} (data.positive)"
        raise UserError(f"{where}: {named}, found: {', '.join(found)}; set data.positive to one of them")
    kept = np.array([label is not None for label in plain])[codes]
    target = np.array([label == positive for label in plain], dtype=np.int8)[codes[kept]]
    _refuse_small_classes(where, target, settings)
    return target, kept


def _refuse_small_classes(where: str, target: NDArray[np.int8], settings: Settings) -> None:
    """Every fold needs a training row of each class, and the test a row of each."""
    folds = settings.model.folds
    for label, rows in zip(("negative", "positive"), np.bincount(target, minlength=2).tolist(), strict=True):
        for_test = round(rows * settings.split.test_size)
        if rows - for_test < folds or not for_test:
            raise UserError(
                f"{where}: expected a {label} row for each of {folds} folds and one for the test, got "
                f"{rows - for_test} and {for_test}; add rows, or change model.folds or split.test_size"
            )


def _plain(text: str) -> str:
    """A label without the ways of writing it: `1.0` is `1`, `True` is `true`."""
    stripped = text.strip()
    try:
        number = float(stripped)
    except ValueError:
        return stripped.lower() if stripped.lower() in ("true", "false") else stripped
    return str(int(number)) if number.is_integer() else stripped


def _digest(frame: pd.DataFrame) -> str:
    """The sha256 of a frame, column after column: name, then float64 bytes or a JSON list of texts."""
    digest = hashlib.sha256()
    for name in frame.columns:
        column = frame[name]
        digest.update(f"{name}\n".encode())
        if pd.api.types.is_numeric_dtype(column.dtype):
            values = column.to_numpy(dtype=np.float64, na_value=np.nan)
            digest.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
        else:
            texts = [None if pd.isna(value) else str(value) for value in column]
            digest.update(json.dumps(texts).encode())
    return digest.hexdigest()
