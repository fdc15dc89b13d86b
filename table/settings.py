"""The settings of a table: where its rows are, which columns it has, and of which types."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cli.settings.declared import Usage, problem
from cli.settings.flags import names
from cli.settings.kinds import WORDS, Names, OptionalText, Text, Words, WordsByName
from cli.words import shown
from storage.address import Address, is_remote
from table.amounts import THOUSANDS
from table.packed import encoding_fault

FeatureType = Literal["number", "boolean", "category"]


def _address(file: str | None) -> str | None:
    if file is not None and is_remote(file):
        Address.of_table(file)
    return file


def _one_character(separator: str | None) -> str | None:
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise problem(f"expected one character, got {shown(separator)}; leave it out to have it detected")
    return separator


def _encoding(encoding: str | None) -> str | None:
    if encoding is not None and (fault := encoding_fault(encoding)):
        raise problem(fault)
    return encoding


def _mark(thousands: str | None) -> str | None:
    if thousands is not None and thousands not in THOUSANDS:
        raise problem(f"expected one of {' '.join(map(shown, THOUSANDS))}, got {shown(thousands)}")
    return thousands


def _tab(text: str) -> str:
    """The separator of a word: `tab` and backslash-t are the tabulator on a command line."""
    return "\t" if text in ("tab", "\\t") else text


@dataclass(frozen=True)
class Data:
    """The table of applicants: its file and the columns that are not features."""

    file: Annotated[
        str | None,
        Field(
            min_length=1,
            description="CSV, Parquet or Excel, a folder or a pattern of them, or s3://bucket/key",
            examples=["loans.csv"],
        ),
        AfterValidator(_address),
        Usage(flag="--data", metavar="FILE", unset="the built-in population"),
    ] = None
    separator: Annotated[
        OptionalText,
        Field(description="CSV separator: a character, tab, or a blank for one or more", examples=[";"]),
        AfterValidator(_one_character),
        Usage(metavar="CHARACTER", parse=_tab, unset="detected"),
    ] = None
    id: Annotated[
        OptionalText, Field(description="column that identifies a row, '' for none"), Usage(metavar="COLUMN")
    ] = "uuid"
    target: Annotated[Text, Field(description="column of the outcome"), Usage(metavar="COLUMN")] = "default"
    positive: Annotated[
        Words,
        Field(min_length=1, description="target value of an applicant who defaulted"),
        Usage(metavar="A,B", parse=names, expected=WORDS),
    ] = ("1",)
    negative: Annotated[
        Words,
        Field(
            description="target value of one who repaid; other rows are left out",
            examples=[["Fully Paid"]],
        ),
        Usage(metavar="A,B", parse=names, expected=WORDS, unset="the only other value"),
    ] = ()
    exclude: Annotated[
        WordsByName,
        Field(
            description="values of columns whose rows training, validation and scoring leave out, '' for a missing one",
            examples=[{"product": ["test", "staff"]}],
        ),
        Usage(expected="a table of columns and values"),
    ] = field(default_factory=dict)
    missing: Annotated[
        Words,
        Field(
            description="values that stand for missing in any column, besides the empty cell, NA, NaN and null",
            examples=[["N/A", ".", -9]],
        ),
        Usage(metavar="A,B", parse=names, expected=WORDS),
    ] = ()
    encoding: Annotated[
        OptionalText,
        Field(description="text encoding of a CSV", examples=["cp1252"]),
        AfterValidator(_encoding),
        Usage(metavar="NAME", unset="UTF-8, or that of the byte order mark"),
    ] = None
    decimal: Annotated[Literal[".", ","], Field(description="decimal mark of numbers in text")] = "."
    thousands: Annotated[
        OptionalText,
        Field(description="mark between thousands: , . ' _ or a blank", examples=["."]),
        AfterValidator(_mark),
        Usage(metavar="CHARACTER"),
    ] = None
    sheet: Annotated[
        OptionalText,
        Field(description="sheet of an Excel workbook", examples=["loans"]),
        Usage(metavar="NAME", unset="the first"),
    ] = None
    header: Annotated[
        int | None,
        Field(ge=1, description="line of a CSV, row of a sheet, with the names of the columns", examples=[3]),
        Usage(metavar="LINE", unset="the first that is not empty"),
    ] = None
    normalization: Annotated[
        Literal["none", "NFC"],
        Field(description="Unicode form of categories in the table and in requests"),
    ] = "none"
    weight: Annotated[
        OptionalText,
        Field(description="column of sample weights above 0, used by the fit and every figure", examples=["exposure"]),
        Usage(metavar="COLUMN", unset="every row has the same weight"),
    ] = None


@dataclass(frozen=True)
class Feature:
    """A raw column that the model reads; values may be missing. `NAME = "number"` in `[features]` is a short form."""

    name: str
    type: Annotated[
        FeatureType,
        Field(description="type of the column", examples=["number"]),
    ]
    log1p: Annotated[bool, Field(description="trees see ln(1 + value) of a number, which is above -1")] = False
    vocabulary: Annotated[
        Names,
        Field(description="levels of a category that the model distinguishes", examples=[["a", "b"]]),
        Usage(unset="the levels of the training rows"),
    ] = ()
    rare: Annotated[
        int | None,
        Field(ge=1, description="levels of this category with fewer training rows are pooled into one", examples=[50]),
        Usage(unset="model.rare"),
    ] = None
    description: Annotated[str, Field(description="shown in reports and in /openapi.json", examples=["euros"])] = ""
    special: Annotated[
        Words,
        Field(description="codes of this column that stand for missing in the file", examples=[[-9, -8]]),
        Usage(expected=WORDS),
    ] = ()
    indicator: Annotated[
        OptionalText,
        Field(
            description="name of a boolean feature to add, true where the file has a special code",
            examples=["income_refused"],
        ),
    ] = None
    true: Annotated[
        Words,
        Field(description="words of a boolean that mean true in the file, besides the usual ones", examples=[["owns"]]),
        Usage(expected=WORDS),
    ] = ()
    false: Annotated[
        Words,
        Field(description="words of a boolean that mean false in the file", examples=[["rents"]]),
        Usage(expected=WORDS),
    ] = ()
    indicates: str | None = None
    """The column whose special codes this feature is the indicator of; not a key, made by `indicator`."""

    @property
    def column(self) -> str:
        """The column of the file that it is read from."""
        return self.name if self.indicates is None else self.indicates

    def indicated(self) -> Iterator["Feature"]:
        """The feature, and the indicator of its special codes where it asks for one."""
        yield self
        if self.indicator is not None:
            said = f"{self.name} is {' or '.join(self.special)} in the file"
            yield Feature(self.indicator, "boolean", description=said, special=self.special, indicates=self.name)


@dataclass(frozen=True)
class Schema:
    """The columns that are read of a table: features in order, target, id; where named a time, a group, exposures.

    `beside` are columns that divide applicants into groups of people: read as features are, and never features.
    """

    data: Data
    features: tuple[Feature, ...]
    time: str | None = None
    time_format: str | None = None
    group: str | None = None
    every_row_has_a_time: bool = False
    exposure: str | None = None
    beside: tuple[Feature, ...] = ()


def beside(toml: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a TOML file with `data.file`, unless it is in S3, relative to the TOML's folder."""
    return beside_in("data", "file", toml, document)


def beside_in(
    table: str, key: str, toml: Path, document: Mapping[str, Any], words: Collection[str] = ()
) -> dict[str, Any]:
    """The document with the file that one key names relative to the TOML's folder; `words` are no files."""
    values = document.get(table)
    if not isinstance(values, Mapping):
        return dict(document)
    file = values.get(key)
    if not isinstance(file, str) or not file or is_remote(file) or file in words:
        return dict(document)
    return {**document, table: {**values, key: str(toml.parent / file)}}
