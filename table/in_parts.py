"""A table that is read in parts, by the rules of a table that is read as a whole: Parquet files larger than memory.

Columns with a few bytes a row (outcome, weight, time, group) are read as a whole. The features are read on demand, a
few row groups at a time, in this process or in another process that sees the same files.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cli.errors import UserError
from cli.progress import Progress
from storage.files import local_file
from table import SILENT, Table, column_of, columns_wanted, labelled_rows
from table.amounts import Marks
from table.cells import Source, decoded, examples_of_signs, only_of, read_as, written_amounts
from table.parquet_file import MAGIC, ParquetFile
from table.parts import Part, parts_of
from table.settings import Schema
from table.sources import OpenTable, check_columns
from table.special import refuse_ordinary_codes, values_with_codes, with_special_codes
from table.words import Missing

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 1_000_000  # that tell which special codes are values
CONVERT = "convert it (docs/scale.md), or train in memory"


@dataclass(frozen=True)
class Piece:
    """Row groups of one file that are read together; `first` is the table's row, from 0, that they begin with."""

    part: int
    groups: tuple[int, ...]
    first: int
    rows: int


@dataclass(frozen=True)
class Layout:
    """Reader of a table's features; every process with access to the files can read its pieces."""

    name: str
    schema: Schema
    parts: tuple[Part, ...]
    types: Any
    """Arrow's schema of the columns: the types that all parts have in common."""
    groups: tuple[tuple[int, ...], ...]
    """Rows of each row group, by part."""
    signs: Mapping[str, str] = field(default_factory=dict)
    """Columns of numbers that are text with signs, such as %, each with the one of the whole column."""

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(map(sum, self.groups))

    def pieces(self, most: int) -> list[Piece]:
        """The whole table in order, each piece of at most so many rows, or of one row group."""
        found: list[Piece] = []
        first = 0
        for part, sizes in enumerate(self.groups):
            taken: list[int] = []
            rows = 0
            for group, size in enumerate(sizes):
                if taken and rows + size > most:
                    found.append(Piece(part, tuple(taken), first, rows))
                    first, taken, rows = first + rows, [], 0
                taken.append(group)
                rows += size
            if rows:
                found.append(Piece(part, tuple(taken), first, rows))
                first += rows
        return found

    def frames(
        self, piece: Piece, most: int, kept: NDArray[np.bool_] | None = None
    ) -> "Iterator[tuple[int, pd.DataFrame]]":
        """The features of a piece as Table.frame has them, at most so many rows at a time, each with its first row.

        Rows that are not `kept` [rows of the piece] are among them; what is text there need not be readable. Raises
        UserError for what a column cannot hold.
        """
        for first, source in self.sources(piece, most, self.types.names, kept):
            yield first, self._frame(source)

    def sources(
        self, piece: Piece, most: int, columns: Sequence[str], kept: NDArray[np.bool_] | None = None
    ) -> Iterator[tuple[int, Source]]:
        """Some columns of a piece, as `frames` divides it."""
        part, sizes = self.parts[piece.part], self.groups[piece.part]
        file = ParquetFile(part.name, part.path)
        own = [name for name in columns if name not in part.values]
        first, in_file = piece.first, sum(sizes[: piece.groups[0]])
        for batch in file.batches(own, piece.groups, most):
            source = self._source(part, {name: self._cells(part, name, batch) for name in columns}, in_file)
            at = first - piece.first
            yield first, source if kept is None else only_of(source, kept[at : at + batch.num_rows], columns)
            first += batch.num_rows
            in_file += batch.num_rows

    def _cells(self, part: Part, name: str, batch: Any) -> Any:
        type_ = self.types.field(name).type
        if name in part.values:
            return pa.chunked_array([pa.array([part.values[name]] * batch.num_rows, pa.string())])
        cells = decoded(batch.column(name))
        try:
            return pa.chunked_array([cells if cells.type == type_ else pc.cast(cells, type_)])
        except pa.ArrowException as error:
            problem = f"column {name}: is {cells.type} here and {type_} in other parts: {str(error).splitlines()[0]}"
            raise UserError(f"{part.name}: {problem}; write all parts with the same type") from error

    def _source(self, part: Part, columns: dict[str, Any], in_file: int) -> Source:
        data = self.schema.data
        where = f"{part.path.name}, " if len(self.parts) > 1 else ""
        return Source(
            self.name,
            "",
            columns,
            lambda rows: [f"{where}row {row + in_file + 1}" for row in rows],
            Missing.of(data.missing),
            Marks(data.decimal, data.thousands),
            data.normalization == "NFC",
            [],
            self.signs,
        )

    def _frame(self, source: Source) -> "pd.DataFrame":
        import pandas as pd

        return pd.DataFrame({its.name: column_of(source, its) for its in self.schema.features}, copy=False)


@dataclass(frozen=True)
class TableInParts:
    """A table whose features are still in its files.

    `table` holds the rows with an outcome, without features and ids; `kept` [rows of the files] says which those are.
    """

    table: Table
    layout: Layout
    kept: NDArray[np.bool_]
    before: NDArray[np.int64] = field(repr=False)
    """Rows that are kept before each multiple of STRIDE."""

    def position(self, row: int) -> int:
        """The position among the kept rows of a row of the files, or of the next one that is kept."""
        at = row // STRIDE
        return int(self.before[at] + np.count_nonzero(self.kept[at * STRIDE : row]))


STRIDE = 65_536


@contextmanager
def opened_in_parts(schema: Schema, progress: Progress = SILENT) -> Iterator[TableInParts]:
    """The table of `schema.data.file` for as long as the block runs; what is in S3 is brought here.

    Raises UserError for whatever is wrong with its columns and outcomes, and for files that are not Parquet.
    """
    name = schema.data.file
    if name is None:
        raise ValueError("schema.data.file is None: there is nothing to read in parts")
    with local_file(name, progress) as path:
        parts = parts_of(name, path)
        for part in parts:
            _refuse_other_formats(part)
        wanted = columns_wanted(schema)
        opened = OpenTable.at(name, path, schema.data, wanted)
        check_columns(parts[0].name if len(parts) == 1 else name, opened.columns, wanted, "its columns")
        of_rows = replace(schema, features=(), data=replace(schema.data, id=None))
        source = opened.read(of_rows, columns_wanted(of_rows))
        table, kept = labelled_rows(source, of_rows)
        del source
        files = [file for file in opened.files if isinstance(file, ParquetFile)]
        columns = list(dict.fromkeys(feature.column for feature in schema.features))
        groups = tuple(tuple(file.row_groups) for file in files)
        layout = Layout(name, schema, tuple(parts), _types(parts, files, columns), groups)
        signs, remarks = _signs(layout, kept)
        layout, table = replace(layout, signs=signs), replace(table, remarks=(*remarks, *table.remarks))
        _refuse_ordinary_codes(layout, kept)
        counts = np.add.reduceat(kept, np.arange(0, len(kept), STRIDE), dtype=np.int64)
        yield TableInParts(table, layout, kept, np.array([0, *accumulate(counts.tolist())], dtype=np.int64))


def _signs(layout: Layout, kept: NDArray[np.bool_]) -> tuple[dict[str, str], list[str]]:
    """The sign of each column of numbers that are text with signs, "" for a minus alone, and remarks on these columns.

    All numbers of a column have to have the same, which no part can tell by itself; so such columns are read once more.
    """
    features = [its for its in layout.schema.features if its.type == "number"]
    texts = (its.column for its in features if pa.types.is_string(layout.types.field(its.column).type))
    columns = list(dict.fromkeys(texts))
    signs, examples = dict[str, str](), dict[str, dict[str, str]]()
    for piece in layout.pieces(MOST_ROWS) if columns else ():
        for _, source in layout.sources(piece, STRIDE, columns, kept[piece.first :]):
            for column in columns:
                amounts = written_amounts(source, column)
                if amounts is None:
                    continue
                first = examples_of_signs(amounts)
                examples[column] = first | examples.get(column, {})
                signs[column] = signs.get(column) or ("" if "sign" not in first else amounts[first["sign"]].sign)
    data = layout.schema.data
    whole = Source(layout.name, "", {}, lambda _: [], marks=Marks(data.decimal, data.thousands))
    remarks = []
    for column in (its for its in columns if its in examples):
        texts = (examples[column][kind] for kind in ("sign", "minus") if kind in examples[column])
        remarks += read_as(whole, column, texts)
    return signs, remarks


def _refuse_ordinary_codes(layout: Layout, kept: NDArray[np.bool_]) -> None:
    """Refuse what a table read whole refuses, from every row of the columns in question or, of many, every n-th."""
    features = with_special_codes(layout.schema)
    looked_at = kept & (np.arange(len(kept)) % -(-len(kept) // MOST_ROWS) == 0)
    found: dict[str, list[NDArray[np.float64]]] = {feature.name: [] for feature in features}
    for piece in layout.pieces(MOST_ROWS) if features else ():
        columns = list(dict.fromkeys(its.column for its in features))
        for first, source in layout.sources(piece, STRIDE, columns, kept[piece.first :]):
            for feature in features:
                values = values_with_codes(source, feature)
                found[feature.name].append(values[looked_at[first : first + len(values)]])
    for feature in features:
        refuse_ordinary_codes(layout.name, feature, np.concatenate(found[feature.name]))


def _refuse_other_formats(part: Part) -> None:
    try:
        with part.path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError:
        return  # said where it is opened
    if start != MAGIC:
        raise UserError(f"{part.name}: expected Parquet, the only format read in parts, got another format; {CONVERT}")


def _types(parts: Sequence[Part], files: Sequence[ParquetFile], columns: Sequence[str]) -> Any:
    """The types that the columns have in all parts. Raises UserError where they have none in common."""
    found = []
    for column in columns:
        of_parts = {
            part.name: pa.string() if column in part.values else _plain(file.schema.field(column).type)
            for part, file in zip(parts, files, strict=True)
        }
        try:
            schemas = [pa.schema([(column, type_)]) for type_ in of_parts.values()]
            found.append(pa.unify_schemas(schemas, promote_options="permissive").field(0))
        except pa.ArrowException as error:
            one_of = {type_: name for name, type_ in of_parts.items()}
            problem = " and ".join(f"{type_} in {name}" for type_, name in one_of.items())
            raise UserError(f"column {column}: is {problem}; write all parts with the same type") from error
    return pa.schema(found)


def _plain(type_: Any) -> Any:
    plain = type_.value_type if pa.types.is_dictionary(type_) else type_
    return pa.string() if pa.types.is_large_string(plain) or pa.types.is_string_view(plain) else plain
