"""The columns that a table's settings ask for, out of the files that they name."""

import hashlib
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol, Self

import pyarrow as pa

from cli.errors import UserError
from cli.words import listed, named, nearest, suggested_file
from storage.digest import sha256_of
from table.amounts import Marks
from table.cells import MISSING, Source, decoded
from table.csv_file import CsvFile
from table.header import UNNAMED
from table.json_lines import JsonLines, is_json
from table.packed import ZIP, in_utf8, unpacked
from table.parquet_file import FEATHER, MAGIC, SUFFIXES, FeatherFile, ParquetFile
from table.parts import Part, parts_of
from table.settings import Data, Schema
from table.short_rows import Wanted, excluded_by
from table.words import Missing
from table.workbook import Workbook


class TableFile(Protocol):
    """A file of any format."""

    introduction: str
    """Its columns, in a message."""
    columns: list[str]

    def read(self, columns: Collection[str], numbers: Collection[str]) -> dict[str, Any]:
        """Some columns as arrow arrays [N], null for missing; where there are no types `numbers` are float64."""

    def places(self, rows: Sequence[int]) -> list[str]:
        """The place in the file of each of some rows, counted from 0 and ascending."""


def source_of(
    name: str, path: Path, schema: Schema, wanted: dict[str, str], optional: frozenset[str] = frozenset()
) -> Source:
    """The wanted columns (each with the setting that asks for it) of what is at `path`, which the user calls `name`.

    `optional` ones where it has them.
    """
    opened = OpenTable.at(name, path, schema.data, wanted)
    wanted = {
        column: setting for column, setting in wanted.items() if column in opened.columns or column not in optional
    }
    return opened.read(schema, wanted)


@dataclass(frozen=True)
class OpenTable:
    """The files of a table, whose columns are known and not read yet."""

    name: str
    parts: Sequence[Part]
    files: Sequence[TableFile]
    digests: Sequence[str]
    columns: Sequence[str]

    @classmethod
    def at(cls, name: str, path: Path, data: Data, wanted: Collection[str], completes: Wanted | None = None) -> Self:
        """Open the table at `path`; the `wanted` columns decide on a separator. Raises UserError on failure.

        Rows of a CSV with too few cells are completed if `data.exclude` leaves them out, or if they are what
        `completes` says.
        """
        if completes is None:
            missing = Missing.of((*MISSING, *data.missing))
            completes = excluded_by(data.exclude, missing, nfc=data.normalization == "NFC")
        parts = parts_of(name, path)
        opened = [_open(part, data, wanted, completes) for part in parts]
        columns = [[*file.columns, *part.values] for (file, _), part in zip(opened, parts, strict=True)]
        _refuse_parts_that_differ(parts, columns)
        return cls(name, parts, [file for file, _ in opened], [sha256 for _, sha256 in opened], columns[0])

    def sizes(self, column: str) -> list[int]:
        """The number of rows of each part; `column` is one that the files have."""
        return [
            sum(file.row_groups) if isinstance(file, ParquetFile) else _rows(file.read([column], ()))
            for file in self.files
        ]

    def short(self) -> dict[int, tuple[CsvFile, int]]:
        """The rows that were read although they had too few cells, each with its file and its row there."""
        if not any(isinstance(file, CsvFile) and file.short for file in self.files):
            return {}
        column = next(name for name in self.files[0].columns if self.files[0].columns.count(name) == 1)
        starts = accumulate(self.sizes(column), initial=0)
        its = [(file, before) for file, before in zip(self.files, starts, strict=False) if isinstance(file, CsvFile)]
        return {before + row: (file, row) for file, before in its for row in file.short}

    def read(self, schema: Schema, wanted: Mapping[str, str]) -> Source:
        """Some columns, each with the setting that asks for it; those of the schema's number features as numbers."""
        parts, files = self.parts, self.files
        check_columns(parts[0].name if len(parts) == 1 else self.name, self.columns, wanted, files[0].introduction)
        numeric = {feature.column for feature in schema.features if feature.type == "number"}
        if schema.data.weight is not None:
            numeric.add(schema.data.weight)
        if schema.exposure is not None:
            numeric.add(schema.exposure)
        remarks: list[str] = []
        if UNNAMED in self.columns and UNNAMED not in wanted:
            remarks.append(f'the first column has no name and is left out; data.id = "{UNNAMED}" takes it as the id')
        read = [_read(file, part, wanted, numeric) for file, part in zip(files, parts, strict=True)]
        if len(parts) > 1 and _types(read, wanted):  # text in one part is text in all
            read = [_read(file, part, wanted, ()) for file, part in zip(files, parts, strict=True)]
        data = schema.data
        remarks += [remark for file, each in zip(files, read, strict=True) for remark in _remarks(file, each, data)][:1]
        texts = all(isinstance(file, CsvFile | Workbook) for file in files)
        return Source(
            self.name,
            _digest(parts, self.digests),
            {column: _joined(parts, [each[column] for each in read], column) for column in wanted},
            _places(parts, files, [_rows(each) for each in read]),
            Missing.of((*MISSING, *data.missing) if texts else data.missing),
            Marks(data.decimal, data.thousands),
            data.normalization == "NFC",
            remarks,
        )


def _open(part: Part, data: Data, wanted: Collection[str], completes: Wanted | None) -> tuple[TableFile, str]:
    """A file of any format, and the sha256 of its bytes."""
    name, path = part.name, part.path
    try:
        with path.open("rb") as file:
            magic = file.peek(len(MAGIC))
            if magic.startswith(MAGIC) or (magic and Path(name).suffix.lower() in SUFFIXES):
                return ParquetFile(name, path), hashlib.file_digest(file, "sha256").hexdigest()
            content = file.read()
    except FileNotFoundError:
        problem = f"no such file{suggested_file(path)}; name an existing CSV, Parquet or Excel file"
        raise UserError(f"{name}: {problem}") from None
    except OSError as error:
        raise UserError(f"{name}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # a name that no file can have
        raise UserError(f"{name}: cannot be read: {error}") from error
    if not content:
        raise UserError(f"{name}: is empty; expected a header and rows")
    return _of_content(name, unpacked(name, content), data, wanted, completes), sha256_of(content)


def _of_content(name: str, content: bytes, data: Data, wanted: Collection[str], completes: Wanted | None) -> TableFile:
    if content.startswith(MAGIC):
        return ParquetFile(name, content)
    if content.startswith(FEATHER):
        return FeatherFile(name, content)
    if content.startswith(ZIP):
        return Workbook(name, content, data.sheet, data.decimal, data.header)
    content = in_utf8(name, content, data.encoding)
    if is_json(name, content):
        return JsonLines(name, content)
    return CsvFile(
        name, content, data.separator, wanted, (*MISSING, *data.missing), data.decimal, data.header, completes
    )


def _read(file: TableFile, part: Part, wanted: Collection[str], numeric: Collection[str]) -> dict[str, Any]:
    own = [column for column in wanted if column not in part.values]
    read = file.read(own, numeric)
    rows = len(read[own[0]]) if own else 0
    said = {column: pa.array([part.values[column]] * rows, pa.string()) for column in wanted if column in part.values}
    return {**read, **{column: pa.chunked_array([cells]) for column, cells in said.items()}}


def _rows(columns: dict[str, Any]) -> int:
    return len(next(iter(columns.values())))


def _types(read: Sequence[dict[str, Any]], wanted: Collection[str]) -> bool:
    """True if a column is text in one part and numbers in another."""
    return any(len({pa.types.is_string(each[column].type) for each in read}) > 1 for column in wanted)


def _joined(parts: Sequence[Part], cells: Sequence[Any], column: str) -> Any:
    if len(cells) == 1:
        return cells[0]
    plain = [pa.table({column: decoded(each)}) for each in cells]
    try:
        return pa.concat_tables(plain, promote_options="permissive").column(column)
    except pa.ArrowException as error:
        types = {str(table.schema.field(0).type): part.name for table, part in zip(plain, parts, strict=True)}
        problem = " and ".join(f"{type_} in {name}" for type_, name in types.items())
        raise UserError(f"column {column}: is {problem}; write all parts with the same type") from error


def _refuse_parts_that_differ(parts: Sequence[Part], columns: Sequence[Sequence[str]]) -> None:
    for part, its in zip(parts, columns, strict=True):
        if odd := sorted(set(its) ^ set(columns[0])):
            one, other = (parts[0], part) if odd[0] in columns[0] else (part, parts[0])
            problem = f"column {named(odd[0])} is in {one.name} and not here"
            raise UserError(f"{other.name}: {problem}; all parts of a table need the same columns")


def check_columns(name: str, columns: Sequence[str], wanted: Mapping[str, str], introduction: str) -> None:
    """Raise UserError, with the nearest name, for a wanted column that is absent or there twice."""
    for column, setting in wanted.items():
        if columns.count(column) > 1:
            raise UserError(f"{name}: column {column} is there {columns.count(column)} times; name each column once")
        if column not in columns:
            suggestion = nearest(column, columns)
            guess = f"did you mean {named(suggestion)}? " if suggestion else ""
            remedy = '; set data.id to "" where rows have no id' if setting == "data.id" else ""
            known = f"{introduction}: {listed(columns)}"
            raise UserError(f"{name}: no column {named(column)} ({setting}); {guess}{known}{remedy}")


def _remarks(file: TableFile, read: dict[str, Any], data: Data) -> list[str]:
    if isinstance(file, Workbook):
        return file.remarks(read, data.sheet)
    return file.points_that_may_mark_thousands(read) if isinstance(file, CsvFile) else []


def _digest(parts: Sequence[Part], digests: Sequence[str]) -> str:
    """The sha256 of the one file, or of a list with that of each."""
    if not parts[0].relative:
        return digests[0]
    lines = [f"{digest}  {part.relative}" for part, digest in zip(parts, digests, strict=True)]
    return sha256_of("\n".join(lines).encode())


def _places(parts: Sequence[Part], files: Sequence[TableFile], rows: Sequence[int]) -> Any:
    if len(parts) == 1:
        return files[0].places
    ends = list(accumulate(rows))

    def places(wanted: Sequence[int]) -> list[str]:
        found = []
        for row in wanted:
            at = bisect_right(ends, row)
            [place] = files[at].places([row - (ends[at - 1] if at else 0)])
            found.append(f"{parts[at].path.name}, {place}")
        return found

    return places
