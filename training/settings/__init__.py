"""The whole configuration of a training run, and how it is read from TOML and flags.

`Settings()` is the reference system's: its 24 features, its preparation, its XGBoost parameters. Every class
is frozen: a setting is changed where it is read, nowhere else.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from runtime.score import Scale
from training.settings import xgboost_parameters
from training.settings.checks import refuse_contradictions
from training.settings.document import Document, document_of, read_toml
from training.settings.feature import (
    FEATURE_TYPES,
    REFERENCE_FEATURES,
    REFERENCE_ROW_MAX,
    Feature,
    FeatureType,
)
from training.settings.flags import flagged_keys, lay_flags_over
from training.settings.keys import Origin, Section, is_number, shown

__all__ = [
    "Data",
    "Evaluation",
    "Feature",
    "FeatureType",
    "Model",
    "Settings",
    "Split",
    "load_settings",
    "settings_as_dict",
    "settings_from_dict",
]

Estimator = Literal["cross-fit", "calibrated-cv"]
Calibration = Literal["sigmoid", "isotonic", "none"]
CalibrateOn = Literal["margin", "probability"]

ESTIMATORS: tuple[Estimator, ...] = ("cross-fit", "calibrated-cv")
CALIBRATIONS: tuple[Calibration, ...] = ("sigmoid", "isotonic", "none")
CALIBRATE_ON: tuple[CalibrateOn, ...] = ("margin", "probability")
SCALE = Scale()
LARGEST_SEED = 2**32 - 1  # what numpy's and scikit-learn's generators take


@dataclass(frozen=True, slots=True)
class Data:
    file: str | None = None
    """CSV or Parquet; None: the built-in synthetic population."""
    separator: str | None = None
    """Of a CSV; None: found out."""
    id: str | None = "uuid"
    """The column that names a row; None: there is none."""
    target: str = "default"
    positive: str = "1"
    """The target's value for an applicant who defaulted."""


@dataclass(frozen=True, slots=True)
class Split:
    test_size: float = 0.25
    """Share of the rows, stratified by the target."""
    seed: int = 99


@dataclass(frozen=True, slots=True)
class Model:
    estimator: Estimator = "cross-fit"
    calibration: Calibration = "sigmoid"
    calibrate_on: CalibrateOn = "margin"
    folds: int = 3
    ensemble: bool = True
    """Of calibrated-cv: average a calibrated model per fold, instead of one model on all training rows."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    threshold: float = 0.5
    """Probability of default from which an applicant counts as a predicted default."""
    plots: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    data: Data = Data()
    features: tuple[Feature, ...] = REFERENCE_FEATURES
    row_max: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(REFERENCE_ROW_MAX))
    """New column → the number features that it replaces by their row maximum, missing values skipped."""
    split: Split = Split()
    model: Model = Model()
    xgboost: Mapping[str, xgboost_parameters.Value] = field(default_factory=lambda: dict(xgboost_parameters.REFERENCE))
    score: Scale = SCALE
    evaluation: Evaluation = Evaluation()


def settings_as_dict(settings: Settings) -> dict[str, object]:
    """The settings in the shape of the TOML, of JSON's types only; `settings_from_dict` reads them back."""
    return {
        "data": asdict(settings.data),
        "features": {feature.name: _definition(feature) for feature in settings.features},
        "row_max": {group: list(members) for group, members in settings.row_max.items()},
        "split": asdict(settings.split),
        "model": asdict(settings.model),
        "xgboost": {k: dict(v) if isinstance(v, Mapping) else v for k, v in settings.xgboost.items()},
        "score": settings.score._asdict() | {"probability_limits": list(settings.score.probability_limits)},
        "evaluation": asdict(settings.evaluation),
    }


def _definition(feature: Feature) -> dict[str, object]:
    definition = asdict(feature) | {"vocabulary": list(feature.vocabulary)}
    del definition["name"]
    return definition


def load_settings(path: Path | None, overrides: Mapping[str, object]) -> Settings:
    """The settings of a TOML file (None: the reference system's), with flags laid over them.

    `overrides` holds what `training.settings.flags` describes. `data.file` in the TOML is relative to
    the TOML's folder; in a flag it is taken as it is. Raises UserError, exit status 2, for every mistake.
    """
    if path is None:
        return settings_from_dict({}, overrides)
    document = read_toml(path)
    data = document.get("data")
    if isinstance(data, dict) and isinstance(data.get("file"), str) and data["file"]:
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
        data=_read_data(sections["data"]),
        features=_read_features(document["features"], origin),
        row_max=_read_row_max(sections["row_max"]),
        split=_read_split(sections["split"]),
        model=_read_model(sections["model"]),
        xgboost=xgboost_parameters.read_parameters(sections["xgboost"]),
        score=_read_score(sections["score"]),
        evaluation=_read_evaluation(sections["evaluation"]),
    )
    refuse_contradictions(settings, origin)
    return settings


def _reference_document() -> Document:
    reference = Settings()
    features: dict[str, object] = {feature.name: _definition(feature) for feature in reference.features}
    return {"features": features, "row_max": dict(reference.row_max)}


def _read_data(table: Section) -> Data:
    default = Data()
    data = Data(
        file=table.optional_text("file", default.file, empty=False),
        separator=table.optional_text("separator", default.separator),
        id=table.optional_text("id", default.id),
        target=table.text("target", default.target),
        positive=table.converted("positive", default.positive, _label, "text, a whole number, true or false", "1"),
    )
    if data.separator is not None and (len(data.separator) != 1 or data.separator in '"\r\n'):
        table.refuse("separator", f"expected one character, got {shown(data.separator)}; leave it out to have it found")
    table.finish()
    return data


def _label(value: object) -> str | None:
    """The target's positive value as it is written in a CSV."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | str) and value != "" else None


def _read_features(definitions: Mapping[str, object], origin: Origin) -> tuple[Feature, ...]:
    if not definitions:
        origin.refuse("features", 'expected at least one feature, got none; for example age = "number"')
    return tuple(_read_feature(name, definition, origin) for name, definition in definitions.items())


def _read_feature(name: str, definition: object, origin: Origin) -> Feature:
    table = Section(f"features.{name}", definition if isinstance(definition, Mapping) else {}, origin)
    feature = Feature(
        name=name,
        type=table.choice("type", "number", FEATURE_TYPES),
        log1p=table.flag("log1p", False),
        vocabulary=table.names("vocabulary"),
        description=table.text("description", "", empty=True),
    )
    table.finish()
    return feature


def _read_row_max(table: Section) -> dict[str, tuple[str, ...]]:
    groups = {group: table.names(group) for group in table.values}
    for group, members in groups.items():
        if not members:
            table.refuse(group, "expected at least one feature, got none; name one or leave the group out")
    return groups


def _read_split(table: Section) -> Split:
    default = Split()
    split = Split(
        test_size=table.number("test_size", default.test_size, above=0, below=1),
        seed=table.integer("seed", default.seed, at_least=0, at_most=LARGEST_SEED),
    )
    table.finish()
    return split


def _read_model(table: Section) -> Model:
    default = Model()
    model = Model(
        estimator=table.choice("estimator", default.estimator, ESTIMATORS),
        calibration=table.choice("calibration", default.calibration, CALIBRATIONS),
        calibrate_on=table.choice("calibrate_on", default.calibrate_on, CALIBRATE_ON),
        folds=table.integer("folds", default.folds, at_least=2),
        ensemble=table.flag("ensemble", default.ensemble),
    )
    table.finish()
    return model


def _read_score(table: Section) -> Scale:
    default = SCALE
    score = Scale(
        points=table.number("points", default.points),
        odds=table.number("odds", default.odds, above=0),
        points_to_double=table.number("points_to_double", default.points_to_double, above=0),
        probability_limits=table.converted(
            "probability_limits",
            default.probability_limits,
            _limits,
            "two numbers, lowest and highest, with 0 < lowest < highest < 1",
            example=default.probability_limits,
        ),
    )
    table.finish()
    return score


def _limits(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(is_number, value)):
        return None
    lowest, highest = (float(limit) for limit in value)
    return (lowest, highest) if 0 < lowest < highest < 1 else None


def _read_evaluation(table: Section) -> Evaluation:
    default = Evaluation()
    evaluation = Evaluation(
        threshold=table.number("threshold", default.threshold, above=0, below=1),
        plots=table.flag("plots", default.plots),
    )
    table.finish()
    return evaluation
