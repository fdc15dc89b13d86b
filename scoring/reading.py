"""Columns read from files of applicants: the id and the model's features, and the form of text cells."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from cli.errors import UserError
from cli.words import listed, named, nearest
from runtime.manifest import Manifest
from table.cells import MISSING, is_date
from table.settings import Data, Feature

types = pa.types
ROWS_AT_ONCE = 16_384  # a chunk of the batch engine
WRITTEN = ("missing", "separator", "header", "encoding", "decimal", "thousands")
"""Keys of `[data]` that say how cells are written."""
WAYS = ("special", "true", "false", "indicates")  # those of a feature
CELLS_AT_ONCE = 2**24  # one-hot columns that the graph may make of a batch


@dataclass(frozen=True)
class Reading:
    """The columns of the files by name, in the manifest's order; `id` None where rows have none."""

    id: str | None
    numbers: tuple[Feature, ...]
    categories: tuple[Feature, ...]
    nullable: tuple[str, ...]
    data: Data = field(default_factory=Data)
    rows_at_once: int = ROWS_AT_ONCE

    @classmethod
    def of(cls, manifest: Manifest, identifier: str | None, data: Data, declared: Sequence[Feature] = ()) -> "Reading":
        """The columns of a model; `declared` are features of settings, for their words and special codes."""
        known = {feature.name: feature for feature in declared}

        def read(name: str, kind: Any) -> Feature:
            its = known.get(name, Feature(name, kind))
            return Feature(name, kind, special=its.special, true=its.true, false=its.false, indicates=its.indicates)

        width = len(manifest.numbers) + sum(len(feature.vocabulary) + 1 for feature in manifest.categories)
        return cls(
            identifier,
            tuple(read(feature.name, feature.type) for feature in manifest.numbers),
            tuple(read(feature.name, feature.type) for feature in manifest.categories),
            tuple(feature.name for feature in manifest.features if feature.nullable),
            data,
            max(64, min(ROWS_AT_ONCE, CELLS_AT_ONCE // max(width, 1))),
        )

    @property
    def needed(self) -> list[str]:
        """The columns that a file has to have, each once."""
        its = [feature.column for feature in (*self.numbers, *self.categories)]
        return list(dict.fromkeys([*([] if self.id is None else [self.id]), *its]))

    @property
    def columns(self) -> list[str]:
        """The columns that are read where a file has them, each once."""
        return list(dict.fromkeys([*self.needed, *self.data.exclude]))

    def columns_of(self, schema: pa.Schema) -> list[str]:
        """The columns of a file with this schema, which was checked, that are read."""
        there = set(schema.names)
        return [column for column in self.columns if column in there]

    def as_dict(self) -> dict[str, Any]:
        """Form of the cells in JSON's types, for the record of a run."""
        features = {its.name: asdict(its) for its in (*self.numbers, *self.categories)}
        own = {name: {key: its[key] for key in WAYS if its[key]} for name, its in features.items()}
        data = {key: value for key, value in asdict(self.data).items() if key in WRITTEN}
        if self.data.exclude:
            data["exclude"] = {column: list(values) for column, values in self.data.exclude.items()}
        return {"id": self.id, **data, "features": {name: its for name, its in own.items() if its}}

    def missing(self, is_text: bool) -> tuple[str, ...]:
        """The words for missing, in a CSV those that every CSV has too."""
        return (*MISSING, *self.data.missing) if is_text else self.data.missing

    def check(self, name: str, schema: pa.Schema) -> None:
        """Raise UserError for a file that lacks a column, has one twice, or one of a type that is not supported."""
        for column in self.columns:
            if (count := schema.names.count(column)) > 1:
                raise UserError(f"{name}: column {named(column)} is there {count} times; name each column once")
            if not count and column in self.needed:
                guess = nearest(column, schema.names)
                hint = f"did you mean {named(guess)}? " if guess else ""
                remedy = "; name it with --id, or --id '' where rows have none" if column == self.id else ""
                raise UserError(f"{name}: no column {named(column)}; {hint}its columns: {listed(schema.names)}{remedy}")
        if self.id is not None:
            _refuse_unless(name, self.id, schema, "texts or whole numbers", _is_name)
        for feature in self.numbers:
            if feature.type == "number":
                _refuse_unless(name, feature.column, schema, "numbers", _is_numeric)
            else:
                _refuse_unless(name, feature.column, schema, "true or false", _is_plain)
        for feature in self.categories:
            _refuse_unless(name, feature.column, schema, "text", _is_label)
        for column in self.data.exclude:
            if column in schema.names:
                _refuse_unless(name, column, schema, "text", _is_label)


def _refuse_unless(name: str, column: str, schema: pa.Schema, expected: str, is_one: Any) -> None:
    type_ = schema.field(column).type
    if not is_one(type_.value_type if types.is_dictionary(type_) else type_):
        raise UserError(
            f"{name}: column {named(column)}: expected {expected}, got values of type {type_}; convert the column"
        )


def is_text(type_: Any) -> bool:
    """True for every kind of string."""
    return bool(types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_))


def _is_name(type_: Any) -> bool:
    return is_text(type_) or types.is_integer(type_) or types.is_null(type_)


def _is_numeric(type_: Any) -> bool:
    return is_text(type_) or any(
        kind(type_) for kind in (types.is_integer, types.is_floating, types.is_decimal, types.is_null)
    )


def _is_plain(type_: Any) -> bool:
    return _is_numeric(type_) or types.is_boolean(type_)


def _is_label(type_: Any) -> bool:
    return _is_plain(type_) or is_date(type_)
