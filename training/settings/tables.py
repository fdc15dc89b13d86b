"""The tables of the settings that concern the fit, and all of them together. `Settings()` is the reference system's.

Every class is frozen: a setting is changed where it is read, nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from cli.settings.declared import Usage, problem
from cli.settings.kinds import Names, OptionalText
from cli.words import shown
from runtime.score import Scale
from table.settings import Data, Feature, Schema
from table.time_format import NUMBER, TimeFormat
from training.settings.engine import Engine
from training.settings.reasons import ReasonGroup, Reasons, ReasonText
from training.settings.reference import REFERENCE_FEATURES, REFERENCE_ROW_MAX
from training.settings.xgboost_parameters import REFERENCE, Parameters, Value
from validation.fairness.columns import columns_beside
from validation.settings import Costs, Evaluation, Fairness, MasterScale, Stability, Validation

LARGEST_SEED = 2**32 - 1  # what numpy's and scikit-learn's generators take
RARE = 10  # of fewer rows a default rate says next to nothing: 2 of 9 may be 5 % or 54 % (Jeffreys)
# Five boosters take twice the time of three, and pay where defaults are many enough for what each learns to be more
# than chance: docs/decisions/0010-folds-follow-the-rows.md.
FEW_FOLDS, MORE_FOLDS = 3, 5
MOST_ROWS_FOR_MORE, LEAST_DEFAULTS_FOR_MORE = 50_000, 1_000
SCALE = Scale()


def _moment(value: object) -> object:
    """TOML has dates, times and numbers of its own: as text."""
    if value == "":
        return None
    return str(value) if isinstance(value, int | float | date) and not isinstance(value, bool) else value


def _time_format(text: str | None) -> str | None:
    fault = None if text in (None, NUMBER) else TimeFormat(str(text)).problem()
    if fault:
        raise problem(f"{shown(text)} {fault}; expected a format such as %d.%m.%Y, %d%b%Y, %YQ%q, or number")
    return text


def _within(limits: tuple[float, float]) -> tuple[float, float]:
    if not 0 < limits[0] < limits[1] < 1:
        raise ValueError
    return limits


@dataclass(frozen=True)
class Split:
    """The rows that are held out for the test."""

    test_size: Annotated[
        float, Field(gt=0, lt=1, description="share of the rows held out; by time, the latest ones")
    ] = 0.25
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED, description="seed of the split, the folds and the search")] = 99
    method: Annotated[
        Literal["stratified", "time", "group"],
        Field(description="by the target, by time (the latest applicants) or by group (each in one part)"),
        Usage(flag="--split"),
    ] = "stratified"
    time: Annotated[
        OptionalText,
        Field(description="column with each applicant's time, for a split by time", examples=["applied"]),
        Usage(flag="--time-column", metavar="COLUMN"),
    ] = None
    test_from: Annotated[
        str | None,
        Field(description="start of the test period, in the column's own format", examples=["2025-07-01"]),
        BeforeValidator(_moment),
        Usage(metavar="TIME", unset="by test_size", expected="a date, a time or a number"),
    ] = None
    group: Annotated[
        OptionalText,
        Field(description="column whose equal values stay in one part, such as a customer", examples=["customer"]),
        Usage(flag="--group-column", metavar="COLUMN"),
    ] = None
    time_format: Annotated[
        OptionalText,
        Field(
            description="format of that column's dates: strptime directives, q for a quarter, or number",
            examples=["%d.%m.%Y"],
        ),
        AfterValidator(_time_format),
        Usage(metavar="FORMAT", unset="ISO 8601, or the only one that fits"),
    ] = None


@dataclass(frozen=True)
class Model:
    """The estimator and its calibrator."""

    estimator: Annotated[
        Literal["cross-fit", "calibrated-cv"], Field(description="averaged boosters, or CalibratedClassifierCV")
    ] = "cross-fit"
    calibration: Annotated[
        Literal["auto", "sigmoid", "isotonic", "none"],
        Field(description="calibrator; auto uses what cross-validation prefers"),
    ] = "auto"
    calibrate_on: Annotated[Literal["margin", "probability"], Field(description="input of the calibrator")] = "margin"
    folds: Annotated[
        int | None,
        Field(ge=2, description="folds of the cross-fit", examples=[10]),
        Usage(
            unset=f"{MORE_FOLDS} for up to {MOST_ROWS_FOR_MORE:,} training rows with {LEAST_DEFAULTS_FOR_MORE:,} "
            f"of each outcome, else {FEW_FOLDS}"
        ),
    ] = None
    correct_spread: Annotated[
        bool,
        Field(description="with cross-fit: calibrate for the boosters' mean, which spreads less than each"),
    ] = True
    rare: Annotated[
        int, Field(ge=1, description="levels of a category with fewer training rows are pooled into one; 1 pools none")
    ] = RARE
    ensemble: Annotated[
        bool, Field(description="with calibrated-cv: one calibrated model for each fold instead of one for all rows")
    ] = True

    @property
    def least_folds(self) -> int:
        """`folds`, or the fewest that stand for no value."""
        return self.folds or FEW_FOLDS


@dataclass(frozen=True)
class Tuning:
    """The search for XGBoost's parameters."""

    trials: Annotated[
        int,
        Field(ge=0, le=100_000, description="parameter sets to try, on at most 100,000 rows; 0 for no search"),
        Usage(flag="--tune"),
    ] = 0
    folds: Annotated[
        int, Field(ge=2, description="folds of each trial's cross-validation"), Usage(flag="--tune-folds")
    ] = 4
    study: Annotated[
        OptionalText,
        Field(description="file of the trials, from which a search resumes", examples=["loans.study"]),
        Usage(metavar="FILE", unset="OUT.study"),
    ] = None
    keep: Annotated[
        Names, Field(description="parameters that keep their set values", examples=[["gamma"]]), Usage(metavar="A,B")
    ] = ()


class Score:  # it becomes a runtime.score.Scale, which knows no pydantic
    """The scale of the score in points."""

    points: Annotated[float, Field(description="score where the odds of good to bad are `odds`")] = SCALE.points
    odds: Annotated[float, Field(gt=0, description="odds of good to bad at `points`")] = SCALE.odds
    points_to_double: Annotated[float, Field(gt=0, description="points that double the odds")] = SCALE.points_to_double
    probability_limits: Annotated[
        tuple[float, float],
        Strict(False),
        Field(description="lowest and highest probability, to which the score is clipped"),
        AfterValidator(_within),
        Usage(metavar="LOW,HIGH", expected="two numbers, lowest and highest, with 0 < lowest < highest < 1"),
    ] = SCALE.probability_limits


@dataclass(frozen=True)
class Settings:
    """The whole configuration of a training run."""

    data: Data = field(default_factory=Data)
    features: tuple[Feature, ...] = REFERENCE_FEATURES
    row_max: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(REFERENCE_ROW_MAX))
    """New column → the number features that it replaces by their row maximum, missing values skipped."""
    split: Split = Split()
    model: Model = Model()
    xgboost: Mapping[str, Value] = field(default_factory=lambda: dict(REFERENCE))
    tuning: Tuning = Tuning()
    engine: Engine = field(default_factory=Engine)
    score: Scale = SCALE
    evaluation: Evaluation = field(default_factory=Evaluation)
    costs: Costs = field(default_factory=Costs)
    grades: MasterScale = field(default_factory=MasterScale)
    stability: Stability = field(default_factory=Stability)
    validation: Validation = field(default_factory=Validation)
    fairness: Fairness = field(default_factory=Fairness)
    reasons: Reasons = field(default_factory=Reasons)
    reason_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason_texts: Mapping[str, ReasonText] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """The columns that are read of the table."""
        split = self.split
        by_time = split.method == "time"
        return Schema(
            self.data,
            self.features,
            split.time,
            split.time_format,
            split.group,
            every_row_has_a_time=by_time,
            exposure=self.validation.exposure,
            beside=columns_beside(self.fairness, self.features),
        )


class RowMax:
    """Number features replaced by their row maximum, missing values skipped; NAME names the new column."""

    NAME: Annotated[Names, Field(description="the features of the group", examples=[["late_1", "late_2"]])]


# Every table of the TOML and the class that declares its keys; of features and row_max, of each entry.
DECLARED: Mapping[str, type] = {
    "data": Data,
    "features": Feature,
    "row_max": RowMax,
    "split": Split,
    "model": Model,
    "xgboost": Parameters,
    "tuning": Tuning,
    "engine": Engine,
    "score": Score,
    "evaluation": Evaluation,
    "costs": Costs,
    "grades": MasterScale,
    "stability": Stability,
    "validation": Validation,
    "fairness": Fairness,
    "reasons": Reasons,
    "reason_groups": ReasonGroup,
    "reason_texts": ReasonText,
}
