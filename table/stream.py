"""A table of any number of rows: a few columns whole, the features piece by piece.

A piece holds what a whole frame holds at the same rows: every cell is read by the same functions of table.cells.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cli.progress import Progress
from storage.files import local_file
from table import SILENT, column_of
from table.cells import Source, with_rows
from table.outcomes import excluded_note, excluded_rows, refuse_no_rows_left
from table.parquet_file import ParquetFile
from table.settings import Schema
from table.sources import OpenTable, check_columns

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Stream:
    """An open table of `rows` rows, without those that `data.exclude` leaves out.

    `source` holds the columns that were asked for besides the features, of all these rows, and the first feature's;
    `parts` are the files with their numbers of rows.
    """

    source: Source
    rows: int
    parts: Sequence[tuple[str, int]]
    _opened: OpenTable
    _schema: Schema
    _whole: Source
    """`source` with the rows that are left out."""
    _kept: NDArray[np.bool_]
    """Which rows of the files are not left out."""

    @property
    def columns(self) -> Sequence[str]:
        """All columns of the table."""
        return self._opened.columns

    def features(self, rows_at_once: int) -> Iterator["pd.DataFrame"]:
        """The features, as Table.frame has them, of at most so many rows at a time, in the order of the table.

        Parquet is read row group by row group, any other file as a whole. Raises UserError for what a feature cannot
        hold.
        """
        import pandas as pd

        for piece in self._pieces(rows_at_once):
            columns = {feature.name: column_of(piece, feature) for feature in self._schema.features}
            yield pd.DataFrame(columns, copy=False)

    def _pieces(self, rows_at_once: int) -> Iterator[Source]:
        wanted = list(dict.fromkeys(feature.column for feature in self._schema.features))
        numeric = {feature.column for feature in self._schema.features if feature.type == "number"}
        before = 0
        for part, file in zip(self._opened.parts, self._opened.files, strict=True):
            own = [column for column in wanted if column not in part.values]
            for columns in _batches(file, own, numeric, rows_at_once):
                rows = len(next(iter(columns.values())))
                said = {name: pa.chunked_array([pa.array([part.values[name]] * rows, pa.string())]) for name in wanted
                        if name in part.values}  # fmt: skip
                its = self._kept[before : before + rows]
                piece = replace(self._whole, columns=columns | said, places=_shifted(self._whole, before))
                before += rows
                if its.any():
                    yield with_rows(piece, its)


@contextmanager
def streamed(
    schema: Schema, wanted: dict[str, str], optional: frozenset[str] = frozenset(), progress: Progress = SILENT
) -> Iterator[Stream]:
    """The table of `schema.data.file`, open for as long as the block runs.

    `wanted` are columns besides the features, each with the setting that asks for it; `optional` ones are read where
    the table has them. Rows that `data.exclude` leaves out are not there; their number is a remark of the source.
    Raises UserError for whatever is wrong with it.
    """
    if schema.data.file is None:
        raise ValueError("schema.data.file is None: there is nothing to read")
    name = schema.data.file
    of_features = {feature.column: f"features.{feature.column}" for feature in schema.features}
    with local_file(name, progress) as path:
        opened = OpenTable.at(name, path, schema.data, of_features | wanted)
        beside = {column: key for column, key in wanted.items() if column in opened.columns or column not in optional}
        exclude = {column: values for column, values in schema.data.exclude.items() if column in opened.columns}
        beside = {column: f"data.exclude.{column}" for column in exclude} | beside
        first = opened.parts[0].name if len(opened.parts) == 1 else name
        check_columns(first, opened.columns, of_features | beside, opened.files[0].introduction)
        rows_of = next(iter(of_features.items()))
        source = opened.read(schema, dict([rows_of]) | beside)
        excluded, exclusions, _ = excluded_rows(source, exclude)
        if len(excluded) and excluded.all():
            refuse_no_rows_left(source)
        source.remarks.extend(filter(None, [excluded_note(source, excluded, exclusions)]))
        for column in (its for its in schema.data.exclude if its not in exclude):
            source.remarks.append(f"the table has no column {column} (data.exclude); no row is left out by it")
        ends = np.cumsum(opened.sizes(rows_of[0]))
        sizes = [int(its.sum()) for its in np.split(~excluded, ends[:-1])]
        parts = [(part.relative or part.name, size) for part, size in zip(opened.parts, sizes, strict=True)]
        yield Stream(with_rows(source, ~excluded), sum(sizes), parts, opened, schema, source, ~excluded)


def _batches(file: Any, columns: list[str], numeric: set[str], rows_at_once: int) -> Iterator[dict[str, Any]]:
    if isinstance(file, ParquetFile):
        for batch in file.batches(columns, range(len(file.row_groups)), rows_at_once):
            if batch.num_rows:
                yield {name: pa.chunked_array([batch.column(name)]) for name in columns}
        return
    read = file.read(columns, numeric)
    rows = len(next(iter(read.values())))
    for first in range(0, rows, rows_at_once):
        yield {name: cells.slice(first, rows_at_once) for name, cells in read.items()}


def _shifted(source: Source, before: int) -> Any:
    return lambda rows: source.places([row + before for row in rows])
