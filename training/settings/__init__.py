"""The whole configuration of a training run, and how it is read from TOML and flags.

`Settings()` has the values of the reference system: its 24 features, its preparation, its XGBoost parameters. Every
class is frozen: a setting is changed only where it is read.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from cli.settings.declared import read_values
from cli.settings.origin import Origin
from cli.settings.toml import read_toml, tables_of
from runtime.score import Scale
from storage.address import is_remote
from table.features import read_features
from table.settings import Data, Feature, FeatureType, beside, beside_in
from training.settings.checks import refuse_contradictions
from training.settings.document import OF_REASONS, TABLES, Document, document_of, read_reason_texts, read_row_max
from training.settings.engine import Engine
from training.settings.flags import flagged_keys, lay_flags_over
from training.settings.reasons import NAMED, Reasons, ReasonText
from training.settings.tables import DECLARED, Model, Settings, Split, Tuning
from training.settings.xgboost_parameters import read_parameters
from validation.settings import Costs, Evaluation, Fairness, MasterScale, Stability, Validation

__all__ = [
    "Costs",
    "Data",
    "Engine",
    "Evaluation",
    "Fairness",
    "Feature",
    "FeatureType",
    "MasterScale",
    "Model",
    "ReasonText",
    "Reasons",
    "Settings",
    "Split",
    "Stability",
    "Tuning",
    "Validation",
    "load_settings",
    "settings_as_dict",
    "settings_as_toml",
    "settings_from_dict",
    "with_reasons_of",
]


def settings_as_dict(settings: Settings) -> dict[str, Any]:
    """The settings in the shape of the TOML, of JSON's types only; `settings_from_dict` reads them back."""
    document: dict[str, Any] = _plain(settings)
    document["features"] = {
        definition.pop("name"): definition
        for definition in document["features"]
        if definition.pop("indicates") is None  # its column's `indicator` makes it again
    }
    return document


def _plain(value: object) -> Any:
    if isinstance(value, Scale):
        return _plain(value._asdict())
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, tuple) else value


def settings_as_toml(settings: Settings) -> str:
    """A TOML file that repeats a run of these settings from any folder, without a search.

    `load_settings` reads from it the same settings, but for the file of the data, which is named from the root, and
    for the trials, which are left out.
    """
    import tomli_w  # only where settings are written

    document = settings_as_dict(replace(settings, tuning=replace(settings.tuning, trials=0)))
    file = settings.data.file
    if file is not None and not is_remote(file):
        document["data"]["file"] = str(Path(file).absolute())
    if (rows := settings.reasons.reference) not in NAMED and not is_remote(rows):
        document["reasons"]["reference"] = str(Path(rows).absolute())
    for definition in document["features"].values():
        for key in ("rare", "indicator"):
            if definition[key] is None:
                del definition[key]
    for entry in document["reason_texts"].values():
        if entry["direction"] is None:
            del entry["direction"]
    defaults = settings_as_dict(Settings())
    written = {
        table: {
            # TOML has no word for nothing: it is left out where that is the default, else it is the empty text.
            key: "" if value is None else value
            for key, value in content.items()
            if value is not None or defaults[table].get(key) is not None
        }
        for table, content in document.items()
    }
    return "# Repeats the run: python -m training.run --config THIS\n\n" + tomli_w.dumps(written)


def load_settings(path: Path | None, overrides: Mapping[str, object]) -> Settings:
    """The settings of a TOML file (None: the reference system's), with flags laid over them.

    `overrides` holds what `training.settings.flags` describes. `data.file` in the TOML is relative to
    the TOML's folder unless it is an s3:// address; in a flag it is taken as it is. Raises UserError, exit
    status 2, for every mistake.
    """
    if path is None:
        return settings_from_dict({}, overrides)
    document = beside_in("reasons", "reference", path, beside(path, read_toml(path)), NAMED)
    return settings_from_dict(document, overrides, str(path))


def with_reasons_of(settings: Settings, path: Path) -> Settings:
    """The settings with the reasons of a TOML file, which may hold other tables too, instead of their own.

    Raises UserError, exit status 2, for every mistake.
    """
    origin = Origin(str(path), frozenset())
    content = beside_in("reasons", "reference", path, read_toml(path, "--reasons"), NAMED)
    tables = tables_of(content, TABLES, origin)
    document = settings_as_dict(settings) | {name: tables.get(name, {}) for name in OF_REASONS}
    return settings_from_dict(document, file=str(path))


def settings_from_dict(
    content: Mapping[str, object], overrides: Mapping[str, object] | None = None, file: str | None = None
) -> Settings:
    """Settings from what a TOML file or `settings_as_dict` holds; `file` is its name in messages.

    Raises UserError, exit status 2, for every mistake.
    """
    overrides = overrides or {}
    origin = Origin(file, flagged_keys(overrides))
    document = lay_flags_over(document_of(content, origin), overrides, _reference_document(), origin)

    def values(table: str) -> dict[str, Any]:
        return read_values(DECLARED[table], table, document[table], origin)

    settings = Settings(
        data=Data(**values("data")),
        features=read_features(document["features"], origin),
        row_max=read_row_max(document["row_max"], origin),
        split=Split(**values("split")),
        model=Model(**values("model")),
        xgboost=read_parameters(document["xgboost"], origin),
        tuning=Tuning(**values("tuning")),
        engine=Engine(**values("engine")),
        score=Scale(**values("score")),
        evaluation=Evaluation(**values("evaluation")),
        costs=Costs(**values("costs")),
        grades=MasterScale(**values("grades")),
        stability=Stability(**values("stability")),
        validation=Validation(**values("validation")),
        fairness=Fairness(**values("fairness")),
        reasons=Reasons(**values("reasons")),
        reason_groups=read_row_max(document["reason_groups"], origin, "reason_groups"),
        reason_texts=read_reason_texts(document["reason_texts"], origin),
    )
    refuse_contradictions(settings, origin)
    return settings


def _reference_document() -> Document:
    reference = settings_as_dict(Settings())
    return {table: reference[table] for table in ("features", "row_max")}
