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

import population
from cli.errors import UserError
from cli.progress import Progress
from cli.words import listed, nearest, shown, suggested_file
from storage.digest import sha256_of
from storage.files import local_file
from table.cells import Source, booleans, coded_labels, labels, numbers, places_of, refuse_cells
from table.csv_file import CsvFile
from table.parquet_file import MAGIC, SUFFIXES, ParquetFile
from table.settings import Schema
from table.times import Times, times

BUILT_IN = "built-in population"
NO_ROWS = "has a header and no rows; expected rows"
SILENT = Progress(quiet=True)


@dataclass(frozen=True)
class Table:
    """N labelled applicants.

    `frame` [N] holds the feature columns only, in the schema's order: numbers float64, NaN for missing;
    booleans float64 too, 1 true, 0 false, NaN missing, as the model and the graph read them; categories
    object columns of str, None for missing. `target` is int8 [N], 1 for an applicant who defaulted. `ids` [N]
    are texts, "" where the file has none; None where no id column is named. `time` [N] and `group` [N] are those
    of the split, None where the schema names none; of a split by time no time is missing, and never a group.
    `dropped_rows` had no target, `dropped_note` says it in a sentence: how many, where, and by time how late.
    `sha256` is that of the file's bytes, or of the population's values; `source` the file's name or address as given.
    """

    frame: pd.DataFrame
    target: NDArray[np.int8]
    ids: list[str] | None
    time: Times | None
    group: pd.Categorical | None
    dropped_rows: int
    dropped_note: str
    sha256: str
    source: str


@dataclass(frozen=True)
class Applicants:
    """N applicants whose outcomes need not be known yet; `frame`, `sha256` and `source` are as in Table.

    `outcome` is float64 [N]: 1 defaulted, 0 repaid, NaN not known yet; None where the file has no column for it.
    """

    frame: pd.DataFrame
    outcome: NDArray[np.float64] | None
    sha256: str
    source: str


def read_table(schema: Schema, progress: Progress = SILENT) -> Table:
    """The table of `schema.data.file`, CSV or Parquet, here or in S3.

    Raises UserError for whatever is wrong with it. `progress` shows the download.
    """
    if schema.data.file is None:
        raise ValueError("schema.data.file is None: the built-in population is synthetic_table's")
    with local_file(schema.data.file, progress) as path:
        source = _source(schema.data.file, path, schema, _wanted(schema))
    return _table(source, schema)


def read_applicants(schema: Schema, progress: Progress = SILENT, *, must_have_outcomes: bool = False) -> Applicants:
    """The features of every row of `schema.data.file`, and the target where there is one.

    Raises UserError for whatever is wrong with the file, and for a missing target if it must be there.
    """
    if schema.data.file is None:
        raise ValueError("schema.data.file is None: there is nothing to read")
    wanted = {feature.name: f"features.{feature.name}" for feature in schema.features}
    target = schema.data.target
    optional = frozenset() if must_have_outcomes else frozenset({target})
    with local_file(schema.data.file, progress) as path:
        source = _source(schema.data.file, path, schema, wanted | {target: "data.target"}, optional)
    frame = _features(source, schema, slice(None))
    if not len(frame):
        raise UserError(f"{source.name}: {NO_ROWS}")
    outcome = _outcomes(source, schema)[0] if target in source.columns else None
    return Applicants(frame, outcome, source.sha256, source.name)


def synthetic_table(schema: Schema) -> Table:
    """The built-in population: 90,000 applicants drawn with a seed of their own, so always the same ones."""
    frame = population.draw()
    wanted = _wanted(schema)
    _check_columns(BUILT_IN, list(frame.columns), wanted, "its columns")
    drawn = pa.Table.from_pandas(frame[list(wanted)], preserve_index=False)
    columns = {name: drawn.column(name) for name in wanted}
    return _table(Source(BUILT_IN, _digest(frame), columns, lambda rows: [f"row {r + 1}" for r in rows]), schema)


def _wanted(schema: Schema) -> dict[str, str]:
    """The columns that are read, each with the setting that asks for it."""
    wanted = {feature.name: f"features.{feature.name}" for feature in schema.features}
    wanted[schema.data.target] = "data.target"
    if schema.data.id is not None:
        wanted[schema.data.id] = "data.id"
    if schema.time is not None:
        wanted[schema.time] = "split.time"
    if schema.group is not None:
        wanted[schema.group] = "split.group"
    return wanted


def _source(
    name: str, path: Path, schema: Schema, wanted: dict[str, str], optional: frozenset[str] = frozenset()
) -> Source:
    """The wanted columns of the file at `path`, which the user calls `name`; `optional` ones where it has them."""
    with _opened(name, path) as file:
        if file.peek(len(MAGIC)).startswith(MAGIC) or Path(name).suffix.lower() in SUFFIXES:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            parquet = ParquetFile(name, path)
            wanted = _there(wanted, optional, parquet.columns)
            _check_columns(name, parquet.columns, wanted, "its columns")
            return Source(name, sha256, parquet.read(wanted), parquet.places)
        content = file.read()
    text = CsvFile(name, content, schema.data.separator, wanted)
    wanted = _there(wanted, optional, text.columns)
    _check_columns(name, text.columns, wanted, f"its columns, separated by {shown(text.separator)}")
    numeric = {feature.name for feature in schema.features if feature.type == "number"}
    return Source(name, sha256_of(content), text.read(wanted, numeric), text.places)


def _there(wanted: dict[str, str], optional: frozenset[str], columns: Sequence[str]) -> dict[str, str]:
    return {column: setting for column, setting in wanted.items() if column in columns or column not in optional}


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


def _table(source: Source, schema: Schema) -> Table:
    target, kept = _target(source, schema)
    frame = _features(source, schema, kept)
    ids = None
    if schema.data.id is not None:
        ids = ["" if text is None else text for text in labels(source, schema.data.id)[kept]]
    time = _times(source, schema, kept)
    return Table(
        frame=frame,
        target=target,
        ids=ids,
        time=None if time is None else time.of(kept),
        group=_groups(source, schema, kept),
        dropped_rows=int((~kept).sum()),
        dropped_note=_dropped_note(source, kept, time),
        sha256=source.sha256,
        source=source.name,
    )


def _features(source: Source, schema: Schema, kept: "NDArray[np.bool_] | slice") -> pd.DataFrame:
    columns = {}
    for feature in schema.features:
        if feature.type == "category":
            columns[feature.name] = pd.Series(labels(source, feature.name)[kept], dtype=object)
        else:
            values = (numbers if feature.type == "number" else booleans)(source, feature.name)
            if feature.log1p and (values <= -1).any():
                refuse_cells(source, feature.name, "numbers above -1, for log1p", values <= -1, values.tolist())
            columns[feature.name] = pd.Series(values[kept])
    return pd.DataFrame(columns, copy=False)


def _times(source: Source, schema: Schema, kept: NDArray[np.bool_]) -> Times | None:
    if schema.time is None:
        return None
    time = times(source, schema.time)
    if schema.every_row_has_a_time:
        _refuse_missing(source, schema.time, "a time", time.missing() & kept)
    return time


def _groups(source: Source, schema: Schema, kept: NDArray[np.bool_]) -> pd.Categorical | None:
    if schema.group is None:
        return None
    levels, codes = coded_labels(source, schema.group)
    named = np.array([level is not None for level in levels])
    codes = np.where(named, np.cumsum(named) - 1, -1)[codes]
    _refuse_missing(source, schema.group, "a group", (codes < 0) & kept)
    return pd.Categorical.from_codes(codes[kept], categories=levels[named]).remove_unused_categories()


def _refuse_missing(source: Source, column: str, what: str, missing: NDArray[np.bool_]) -> None:
    if missing.any():
        count = f"{missing.sum():,} row{'s have' if missing.sum() > 1 else ' has'} none"
        raise UserError(
            f"{source.name}: column {column}: expected {what} in every row, {count} ({places_of(source, missing)}); "
            "fill it in, or leave such rows out"
        )


def _dropped_note(source: Source, kept: NDArray[np.bool_], time: Times | None) -> str:
    """What is said of the rows without a target. Those later than all others have one that is not known yet."""
    if kept.all():
        return ""
    count = int((~kept).sum())
    note = f"{count:,} row{'s' if count > 1 else ''} without a target left out ({places_of(source, ~kept)})"
    if time is None:
        return note
    last = time.of(kept & ~time.missing()).values.max()
    later = int((time.of(~kept).values > last).sum())
    if not later:
        return f"{note}; none is later than the last one with a target, {time.shown(last)}"
    share = "all" if later == count else f"{later:,} of them"
    return f"{note}; {share} later than the last one with a target, {time.shown(last)}: the outcome is not known yet"


def _target(source: Source, schema: Schema) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """0 or 1 for each row that has a target, and which rows [all] those are."""
    outcome, found = _outcomes(source, schema)
    where = f"{source.name}: target {schema.data.target}"
    if not len(outcome):
        raise UserError(f"{source.name}: {NO_ROWS}")
    if not found:
        raise UserError(f"{where}: every row is missing; expected two values")
    if len(found) == 1:
        raise UserError(f"{where}: expected two values, found only: {found[0]}; add rows of the other class")
    kept = ~np.isnan(outcome)
    return outcome[kept].astype(np.int8), kept


def _outcomes(source: Source, schema: Schema) -> tuple[NDArray[np.float64], list[str]]:
    """1 for each row [all] whose target is the positive one, 0 for the other, NaN for none; the values that it has."""
    column, positive = schema.data.target, _plain(schema.data.positive)
    levels, codes = coded_labels(source, column)
    plain = [None if level is None else _plain(level) for level in levels]
    found = sorted({label for label in plain if label is not None})
    where = f"{source.name}: target {column}"
    if len(found) > 2:
        raise UserError(f"{where}: expected two values, found: {listed(found)}; name another column as data.target")
    if len(found) == 2 and positive not in found:
        named = f"no row has {shown(schema.data.positive)} (data.positive)"
        raise UserError(f"{where}: {named}, found: {', '.join(found)}; set data.positive to one of them")
    return np.array([np.nan if label is None else float(label == positive) for label in plain])[codes], found


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
