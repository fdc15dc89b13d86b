"""The table that a model is trained on: raw feature columns of canonical types, a 0/1 target, ids."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cli.errors import UserError
from cli.progress import Progress
from storage.files import local_file
from table.cells import (
    Source,
    booleans,
    coded_labels,
    codes_there,
    labels,
    numbers,
    only_of,
    places_of,
    refuse_cells,
)
from table.outcomes import NO_ROWS, Exclusion, left_out_note, outcomes_of, refuse_one_class
from table.remarks import remarks_of
from table.settings import Feature, Schema
from table.sources import check_columns, source_of
from table.special import refuse_ordinary_codes, values_with_codes, with_special_codes
from table.times import Times, times
from table.weights import exposures_of, refuse_constant, weights_of
from table.words import Missing

if TYPE_CHECKING:
    import pandas as pd

BUILT_IN = "built-in population"
SILENT = Progress(quiet=True)


@dataclass(frozen=True)
class Table:
    """N labelled applicants.

    `frame` [N] holds the feature columns only, in the schema's order: numbers float64, NaN for missing; booleans
    float64 too, 1 true, 0 false, NaN missing, as the model and the graph read them; categories object columns of str,
    None for missing. `target` is int8 [N], 1 for an applicant who defaulted. `ids` [N] are texts, "" for an empty cell;
    None if no id column is named. `time` [N] and `group` [N] are the columns of the split, None if the schema names
    none. In a split by time no time is missing; a group is never missing. `weight` [N] are the sample weights, above 0,
    and `exposure` [N] the exposures, NaN for missing, as the file has them; None if the schema names no column.
    `beside` [N] has the schema's columns besides the features, None if it names none; no model reads them.
    `dropped_rows` is the number of rows without a target or left out by a setting. `dropped_note` states in a sentence
    how many they are, where, how late, and for which values; `exclusions` has their counts. `remarks` are lines about
    the file to be printed. `sha256` is the digest of the file's bytes, or of the population's values; `source` is the
    file's name or address as given.
    """

    frame: "pd.DataFrame"
    target: NDArray[np.int8]
    ids: list[str] | None
    time: Times | None
    group: "pd.Categorical | None"
    dropped_rows: int
    dropped_note: str
    sha256: str
    source: str
    exclusions: tuple[Exclusion, ...] = ()
    remarks: tuple[str, ...] = ()
    weight: NDArray[np.float64] | None = None
    exposure: NDArray[np.float64] | None = None
    beside: "pd.DataFrame | None" = None


@dataclass(frozen=True)
class Applicants:
    """N applicants whose outcomes need not be known yet; `frame`, `sha256` and `source` are as in Table.

    `outcome` is float64 [N]: 1 defaulted, 0 repaid, NaN not known yet; `weight` [N] are the sample weights. Each is
    None if the file has no column for it. `beside` [N] has the schema's columns besides the features, as far as the
    file has them; None if it has none.
    """

    frame: "pd.DataFrame"
    outcome: NDArray[np.float64] | None
    sha256: str
    source: str
    weight: NDArray[np.float64] | None = None
    beside: "pd.DataFrame | None" = None


def read_table(schema: Schema, progress: Progress = SILENT) -> Table:
    """Read the table of `schema.data.file`, on this machine or in S3.

    Raises UserError for a table that cannot be used. `progress` shows the download.
    """
    if schema.data.file is None:
        raise ValueError("schema.data.file is None: the built-in population is synthetic_table's")
    with local_file(schema.data.file, progress) as path:
        source = source_of(schema.data.file, path, schema, columns_wanted(schema))
    return _table(source, schema)


def read_applicants(
    schema: Schema,
    progress: Progress = SILENT,
    *,
    must_have_outcomes: bool = False,
    must_have_weights: bool = False,
    must_have_beside: bool = False,
) -> Applicants:
    """Read the features of every row of `schema.data.file`, and target, weight and other columns if it has them.

    Raises UserError for a file that cannot be used, and if a column is missing that must be there.
    """
    if schema.data.file is None:
        raise ValueError("schema.data.file is None: there is nothing to read")
    wanted = _read_by_features(schema)
    target = schema.data.target
    optional = frozenset() if must_have_outcomes else frozenset({target})
    wanted[target] = "data.target"
    weight = schema.data.weight
    if weight is not None:
        wanted[weight] = "data.weight"
        optional = optional if must_have_weights else optional | {weight}
    for column in _beside(schema).keys() - wanted.keys():
        wanted[column] = "fairness.groups"
        optional = optional if must_have_beside else optional | {column}
    with local_file(schema.data.file, progress) as path:
        source = source_of(schema.data.file, path, schema, wanted, optional)
    frame = _features(source, schema, slice(None))
    if not len(frame):
        raise UserError(f"{source.name}: {NO_ROWS}")
    outcome = outcomes_of(source, replace(schema.data, exclude={})).values if target in source.columns else None
    weights = weights_of(source, weight) if weight in source.columns and weight is not None else None
    return Applicants(frame, outcome, source.sha256, source.name, weights, _columns_beside(source, schema, slice(None)))


def synthetic_table(schema: Schema) -> Table:
    """The built-in population: 90,000 applicants, drawn with a fixed seed and so always the same."""
    import population

    frame = population.draw()
    wanted = columns_wanted(schema)
    check_columns(BUILT_IN, list(frame.columns), wanted, "its columns")
    drawn = pa.Table.from_pandas(frame[list(wanted)], preserve_index=False)
    columns = {name: drawn.column(name) for name in wanted}
    source = Source(BUILT_IN, _digest(frame), columns, lambda rows: [f"row {r + 1}" for r in rows])
    return _table(replace(source, missing=Missing.of(schema.data.missing)), schema)


def columns_wanted(schema: Schema) -> dict[str, str]:
    """The columns that are read, each with the setting that asks for it."""
    wanted = {column: f"data.exclude.{column}" for column in schema.data.exclude}
    wanted |= _beside(schema) | _read_by_features(schema)
    wanted[schema.data.target] = "data.target"
    if schema.data.id is not None:
        wanted[schema.data.id] = "data.id"
    if schema.data.weight is not None:
        wanted[schema.data.weight] = "data.weight"
    if schema.time is not None:
        wanted[schema.time] = "split.time"
    if schema.group is not None:
        wanted[schema.group] = "split.group"
    if schema.exposure is not None:
        wanted[schema.exposure] = "validation.exposure"
    return wanted


def _read_by_features(schema: Schema) -> dict[str, str]:
    return {feature.column: f"features.{feature.column}" for feature in schema.features}


def _beside(schema: Schema) -> dict[str, str]:
    return {feature.column: "fairness.groups" for feature in schema.beside}


def _table(source: Source, schema: Schema) -> Table:
    return labelled_rows(source, schema)[0]


def labelled_rows(source: Source, schema: Schema) -> tuple[Table, NDArray[np.bool_]]:
    """The rows that have an outcome, and their positions in the source."""
    outcomes = outcomes_of(source, schema.data)
    refuse_one_class(source, schema.data, outcomes)
    kept = ~np.isnan(outcomes.values)
    frame = _features(source, schema, kept)
    others = (schema.data.weight, schema.time, schema.exposure)
    source = only_of(source, ~outcomes.excluded, filter(None, others))
    ids = None
    if schema.data.id is not None:
        ids = ["" if text is None else text for text in labels(source, schema.data.id)[kept]]
    time = _times(source, schema, kept)
    weight = None
    if schema.data.weight is not None:
        weight = weights_of(source, schema.data.weight, kept)
        refuse_constant(source, schema.data.weight, weight)
    table = Table(
        frame=frame,
        target=outcomes.values[kept].astype(np.int8),
        ids=ids,
        time=None if time is None else time.of(kept),
        group=_groups(source, schema, kept),
        dropped_rows=int((~kept).sum()),
        dropped_note=left_out_note(source, outcomes, time),
        sha256=source.sha256,
        source=source.name,
        exclusions=outcomes.exclusions,
        remarks=(*source.remarks, *outcomes.remarks, *remarks_of(frame, schema)),
        weight=weight,
        exposure=None if schema.exposure is None else exposures_of(source, schema.exposure)[kept],
        beside=_columns_beside(source, schema, kept),
    )
    return table, kept


def _features(source: Source, schema: Schema, kept: "NDArray[np.bool_] | slice") -> "pd.DataFrame":
    import pandas as pd

    if not isinstance(kept, slice):
        source = only_of(source, kept, (feature.column for feature in schema.features))
    for feature in with_special_codes(schema):
        refuse_ordinary_codes(source.name, feature, values_with_codes(source, feature)[kept])
    columns = {feature.name: column_of(source, feature, kept) for feature in schema.features}
    return pd.DataFrame(columns, copy=False)


def _columns_beside(source: Source, schema: Schema, kept: "NDArray[np.bool_] | slice") -> "pd.DataFrame | None":
    import pandas as pd

    if not isinstance(kept, slice):
        source = only_of(source, kept, (its.column for its in schema.beside))
    columns = {its.name: column_of(source, its, kept) for its in schema.beside if its.column in source.columns}
    return pd.DataFrame(columns, copy=False) if columns else None


def column_of(source: Source, feature: Feature, kept: "NDArray[np.bool_] | slice" = slice(None)) -> "pd.Series[Any]":
    """A feature's column in the form of Table.frame, of all rows or some. Raises UserError for what it cannot hold."""
    import pandas as pd

    column, special = feature.column, feature.special
    if feature.type == "category":
        return pd.Series(labels(source, column, special)[kept], dtype=object)
    if feature.indicates is not None:
        values = codes_there(source, column, special)
    elif feature.type == "boolean":
        values = booleans(source, column, special, feature.true, feature.false)
    else:
        values = numbers(source, column, special)
    if feature.log1p and (values <= -1).any():
        refuse_cells(source, column, "numbers above -1, for log1p", values <= -1, values.tolist())
    return pd.Series(values[kept])


def _times(source: Source, schema: Schema, kept: NDArray[np.bool_]) -> Times | None:
    if schema.time is None:
        return None
    time = times(source, schema.time, schema.time_format)
    if schema.every_row_has_a_time:
        _refuse_missing(source, schema.time, "a time", time.missing() & kept)
    return time


def _groups(source: Source, schema: Schema, kept: NDArray[np.bool_]) -> "pd.Categorical | None":
    if schema.group is None:
        return None
    import pandas as pd

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


def _digest(frame: "pd.DataFrame") -> str:
    """The sha256 of a frame, column after column: name, then float64 bytes or a JSON list of texts."""
    import pandas as pd

    digest = hashlib.sha256()
    for name in frame.columns:
        column = frame[name]
        digest.update(f"{name}\n".encode())
        if pd.api.types.is_numeric_dtype(column.dtype):
            values = column.to_numpy(dtype=np.float64, na_value=np.nan)
            digest.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
        else:
            codes, levels = pd.factorize(column)
            texts = np.array([*map(str, levels.tolist()), None], dtype=object)
            digest.update(json.dumps(texts[codes].tolist()).encode())
    return digest.hexdigest()
