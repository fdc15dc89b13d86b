"""The settings of a run, and how its table is written."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from cli.settings.declared import Usage, read_values
from cli.settings.kinds import OptionalText
from cli.settings.origin import Origin
from cli.settings.toml import read_toml, tables_of
from scoring.plan import ROWS_OF_A_PART
from scoring.reading import WRITTEN
from table.contradictions import contradictions
from table.features import definitions_of, read_features
from table.settings import Data, Feature

ID = "id"
OUTCOMES = ("data.positive", "data.negative")  # not read here: they have their defaults


@dataclass(frozen=True)
class Scoring:
    """Options for scoring a whole table."""

    workers: Annotated[
        int | None, Field(ge=1, le=1_024, description="processes on this machine"), Usage(unset="one for each core")
    ] = None
    scheduler: Annotated[
        OptionalText,
        Field(description="address of a Dask scheduler whose workers score", examples=["tcp://10.0.0.1:8786"]),
        Usage(metavar="ADDRESS", unset="no cluster"),
    ] = None
    max_rejects: Annotated[
        float, Field(ge=0, le=1, description="share of rejected rows above which the run fails"), Usage(metavar="SHARE")
    ] = 0.01
    part_rows: Annotated[
        int,
        Field(ge=1_000, description="largest number of rows in a part, if the row groups allow it"),
        Usage(metavar="ROWS"),
    ] = ROWS_OF_A_PART

    @property
    def processes(self) -> int:
        """Processes on this machine."""
        return self.workers or os.cpu_count() or 1


@dataclass(frozen=True)
class Settings:
    """Settings of a run: how to score, and how its table is written."""

    scoring: Scoring
    data: Data
    features: tuple[Feature, ...]
    id: str | None
    """Column of the id, "" the model's own, None for no id."""


def settings_from(values: dict[str, object], config: str | None) -> Settings:
    """The settings of flags, by dotted key, and of a TOML that a model was trained with: `[data]` and `[features]`.

    Raises UserError, exit status 2.
    """
    origin = Origin(config, frozenset(values))
    content: dict[str, Any] = {} if config is None else read_toml(Path(config))
    tables: dict[str, dict[str, object]] = {"data": {}, "features": {}}
    tables |= tables_of(content, tables.keys(), origin, others=True)
    tables["scoring"] = {}
    tables["data"] = {key: value for key, value in tables["data"].items() if key in (ID, "exclude", *WRITTEN)}
    for key, value in values.items():
        table, _, name = key.partition(".")
        tables[table][name] = value
    scoring = Scoring(**read_values(Scoring, "scoring", tables["scoring"], origin))
    data = Data(**read_values(Data, "data", tables["data"], origin))
    definitions = definitions_of(tables["features"], origin)
    features = read_features(definitions, origin) if definitions else ()
    for key, contradiction in contradictions(data, features):
        if key not in OUTCOMES:
            origin.refuse(key, contradiction)
    return Settings(scoring, data, features, data.id if ID in tables["data"] else "")
