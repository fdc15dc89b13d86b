"""The whole configuration of a training run, and how it is read from TOML and flags.

`Settings()` is the reference system's: its 24 features, its preparation, its XGBoost parameters. Every class
is frozen: a setting is changed where it is read, nowhere else.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from storage.address import is_remote
from training.settings import reading, xgboost_parameters
from training.settings.checks import refuse_contradictions
from training.settings.document import Document, document_of, read_toml
from training.settings.feature import Feature, FeatureType
from training.settings.flags import flagged_keys, lay_flags_over
from training.settings.keys import Origin, Section
from training.settings.tables import Costs, Data, Evaluation, Model, Settings, Split, Stability, Tuning

__all__ = [
    "Costs",
    "Data",
    "Evaluation",
    "Feature",
    "FeatureType",
    "Model",
    "Settings",
    "Split",
    "Stability",
    "Tuning",
    "load_settings",
    "settings_as_dict",
    "settings_as_toml",
    "settings_from_dict",
]


def settings_as_dict(settings: Settings) -> dict[str, object]:
    """The settings in the shape of the TOML, of JSON's types only; `settings_from_dict` reads them back."""
    return {
        "data": asdict(settings.data),
        "features": {feature.name: _definition(feature) for feature in settings.features},
        "row_max": {group: list(members) for group, members in settings.row_max.items()},
        "split": asdict(settings.split),
        "model": asdict(settings.model),
        "xgboost": {k: dict(v) if isinstance(v, Mapping) else v for k, v in settings.xgboost.items()},
        "tuning": asdict(settings.tuning) | {"keep": list(settings.tuning.keep)},
        "score": settings.score._asdict() | {"probability_limits": list(settings.score.probability_limits)},
        "evaluation": asdict(settings.evaluation) | {"bands": list(settings.evaluation.bands)},
        "costs": asdict(settings.costs),
        "stability": asdict(settings.stability),
    }


def settings_as_toml(settings: Settings) -> str:
    """A TOML file that repeats a run of these settings from any folder, without a search.

    `load_settings` reads from it the same settings, but for the file of the data, which is named from the root, and
    for the trials, of which there are none.
    """
    import tomli_w  # only where settings are written

    document: Any = settings_as_dict(replace(settings, tuning=replace(settings.tuning, trials=0)))
    file = settings.data.file
    if file is not None and not is_remote(file):
        document["data"]["file"] = str(Path(file).absolute())
    defaults: Any = settings_as_dict(Settings())
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


def _definition(feature: Feature) -> dict[str, object]:
    definition = asdict(feature) | {"vocabulary": list(feature.vocabulary)}
    del definition["name"]
    return definition


def load_settings(path: Path | None, overrides: Mapping[str, object]) -> Settings:
    """The settings of a TOML file (None: the reference system's), with flags laid over them.

    `overrides` holds what `training.settings.flags` describes. `data.file` in the TOML is relative to
    the TOML's folder unless it is an s3:// address; in a flag it is taken as it is. Raises UserError, exit
    status 2, for every mistake.
    """
    if path is None:
        return settings_from_dict({}, overrides)
    document = read_toml(path)
    data = document.get("data")
    if isinstance(data, dict) and isinstance(data.get("file"), str) and data["file"] and not is_remote(data["file"]):
        data["file"] = str(path.parent / data["file"])
    return settings_from_dict(document, overrides, str(path))


def settings_from_dict(
    content: Mapping[str, object], overrides: Mapping[str, object] | None = None, file: str | None = None
) -> Settings:
    """Settings from what a TOML file or `settings_as_dict` holds; `file` is its name in messages.

    Raises UserError, exit status 2, for every mistake.
    """
    overrides = overrides or {}
    origin = Origin(file, flagged_keys(overrides))
    document = lay_flags_over(document_of(content, origin), overrides, _reference_document(), origin)
    sections = {name: Section(name, values, origin) for name, values in document.items()}
    settings = Settings(
        data=reading.read_data(sections["data"]),
        features=reading.read_features(document["features"], origin),
        row_max=reading.read_row_max(sections["row_max"]),
        split=reading.read_split(sections["split"]),
        model=reading.read_model(sections["model"]),
        xgboost=xgboost_parameters.read_parameters(sections["xgboost"]),
        tuning=reading.read_tuning(sections["tuning"]),
        score=reading.read_score(sections["score"]),
        evaluation=reading.read_evaluation(sections["evaluation"]),
        costs=reading.read_costs(sections["costs"]),
        stability=reading.read_stability(sections["stability"]),
    )
    refuse_contradictions(settings, origin)
    return settings


def _reference_document() -> Document:
    reference = Settings()
    features: dict[str, object] = {feature.name: _definition(feature) for feature in reference.features}
    return {"features": features, "row_max": dict(reference.row_max)}
