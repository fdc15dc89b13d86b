"""The settings of a table: where its rows are, which columns it has, and of which types."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from cli.settings.declared import Usage, problem
from cli.settings.kinds import Names, OptionalText, Text
from cli.words import shown
from storage.address import Address, is_remote

FeatureType = Literal["number", "boolean", "category"]


def _address(file: str | None) -> str | None:
    if file is not None and is_remote(file):
        Address.of_object(file)
    return file


def _one_character(separator: str | None) -> str | None:
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise problem(f"expected one character, got {shown(separator)}; leave it out to have it detected")
    return separator


def _tab(text: str) -> str:
    """`tab` and `\\t` are the tabulator on a command line."""
    return "\t" if text in ("tab", "\\t") else text


def _label(value: object) -> object:
    """The target's positive value as it is written in a CSV."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


@dataclass(frozen=True)
class Data:
    """The table of applicants: its file and the columns that are not features."""

    file: Annotated[
        str | None,
        Field(min_length=1, description="CSV or Parquet, here or s3://bucket/key", examples=["loans.csv"]),
        AfterValidator(_address),
        Usage(flag="--data", metavar="FILE", unset="the built-in population"),
    ] = None
    separator: Annotated[
        OptionalText,
        Field(description="character between the cells of a CSV, or tab", examples=[";"]),
        AfterValidator(_one_character),
        Usage(metavar="CHARACTER", parse=_tab, unset="detected"),
    ] = None
    id: Annotated[OptionalText, Field(description="column that names a row, '' for none"), Usage(metavar="COLUMN")] = (
        "uuid"
    )
    target: Annotated[Text, Field(description="column of the outcome"), Usage(metavar="COLUMN")] = "default"
    positive: Annotated[
        Text,
        Field(description="the target of an applicant who defaulted"),
        BeforeValidator(_label),
        Usage(metavar="VALUE", expected="text, a whole number, true or false"),
    ] = "1"


@dataclass(frozen=True)
class Feature:
    """A raw column that the model reads; any row may lack it. `NAME = "number"` in `[features]` is short for a type."""

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
        Field(ge=1, description="fewest training rows of a level that is not pooled, of this category", examples=[50]),
        Usage(unset="model.rare"),
    ] = None
    description: Annotated[str, Field(description="shown in reports and in /openapi.json", examples=["euros"])] = ""


@dataclass(frozen=True)
class Schema:
    """The columns that are read of a table: features in order, target and id, and a time and a group where named."""

    data: Data
    features: tuple[Feature, ...]
    time: str | None = None
    group: str | None = None
    every_row_has_a_time: bool = False


def beside(toml: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a TOML file with `data.file`, unless it is in S3, relative to the TOML's folder."""
    data = document.get("data")
    if not isinstance(data, Mapping):
        return dict(document)
    file = data.get("file")
    if not isinstance(file, str) or not file or is_remote(file):
        return dict(document)
    return {**document, "data": {**data, "file": str(toml.parent / file)}}
