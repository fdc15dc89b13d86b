"""Reading each table of the settings into its class; a mistake names its key.

All raise UserError, exit status 2, for what they cannot take.
"""

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

from cli.words import shown
from runtime.score import Scale
from storage.address import Address, is_remote
from training.settings.feature import FEATURE_TYPES, Feature
from training.settings.keys import Origin, Section, is_number
from training.settings.tables import (
    CALIBRATE_ON,
    CALIBRATIONS,
    ESTIMATORS,
    SCALE,
    SPLIT_METHODS,
    Costs,
    Data,
    Evaluation,
    Model,
    Split,
    Stability,
    Tuning,
)

LARGEST_SEED = 2**32 - 1  # what numpy's and scikit-learn's generators take
LEAST_RESAMPLES = 50  # fewer leave the 2.5th percentile to one or two of them


def read_data(table: Section) -> Data:
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
    if data.file is not None and is_remote(data.file):
        Address.of_object(data.file)
    table.finish()
    return data


def _label(value: object) -> str | None:
    """The target's positive value as it is written in a CSV."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | str) and value != "" else None


def read_features(definitions: Mapping[str, object], origin: Origin) -> tuple[Feature, ...]:
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


def read_row_max(table: Section) -> dict[str, tuple[str, ...]]:
    groups = {group: table.names(group) for group in table.values}
    for group, members in groups.items():
        if not members:
            table.refuse(group, "expected at least one feature, got none; name one or leave the group out")
    return groups


def read_split(table: Section) -> Split:
    default = Split()
    split = Split(
        method=table.choice("method", default.method, SPLIT_METHODS),
        test_size=table.number("test_size", default.test_size, above=0, below=1),
        seed=table.integer("seed", default.seed, at_least=0, at_most=LARGEST_SEED),
        time=table.optional_text("time", default.time),
        test_from=table.converted("test_from", default.test_from, _moment, "a date, a time or a number", "2025-07-01"),
        group=table.optional_text("group", default.group),
    )
    table.finish()
    return split


def _moment(value: object) -> str | None:
    """TOML has dates and times of its own: as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | date):
        return None
    return str(value) or None


def read_model(table: Section) -> Model:
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


def read_tuning(table: Section) -> Tuning:
    default = Tuning()
    tuning = Tuning(
        trials=table.integer("trials", default.trials, at_least=0, at_most=100_000),
        folds=table.integer("folds", default.folds, at_least=2),
        study=table.optional_text("study", default.study),
        keep=table.names("keep"),
    )
    table.finish()
    return tuning


def read_score(table: Section) -> Scale:
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


def read_evaluation(table: Section) -> Evaluation:
    default = Evaluation()
    evaluation = Evaluation(
        threshold=table.number("threshold", default.threshold, above=0, below=1),
        bands=table.converted(
            "bands", default.bands, _edges, "an ascending list of two or more scores", [500, 550, 600, 650]
        ),
        resamples=table.integer("resamples", default.resamples, at_least=LEAST_RESAMPLES, at_most=100_000),
        plots=table.flag("plots", default.plots),
    )
    table.finish()
    return evaluation


def _edges(value: object) -> tuple[float, ...] | None:
    if not isinstance(value, list | tuple) or not all(map(is_number, value)):
        return None
    edges = tuple(float(edge) for edge in value)
    return edges if len(edges) != 1 and all(low < high for low, high in pairwise(edges)) else None


def read_costs(table: Section) -> Costs:
    costs = Costs(
        gain=table.converted("gain", None, _finite, "a number", 60.0),
        loss=table.converted("loss", None, _positive, "a number above 0", 700.0),
        amount=table.optional_text("amount", None),
    )
    table.finish()
    return costs


def _finite(value: object) -> float | None:
    return float(value) if is_number(value) else None


def _positive(value: object) -> float | None:
    return float(value) if is_number(value) and value > 0 else None


def read_stability(table: Section) -> Stability:
    default = Stability()
    stability = Stability(
        score_limit=table.number("score_limit", default.score_limit, above=0),
        feature_limit=table.number("feature_limit", default.feature_limit, above=0),
    )
    table.finish()
    return stability
