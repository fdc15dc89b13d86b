"""What each table of the settings holds. `Settings()` is the reference system's.

Every class is frozen: a setting is changed where it is read, nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from runtime.score import Scale
from training.settings import xgboost_parameters
from training.settings.feature import REFERENCE_FEATURES, REFERENCE_ROW_MAX, Feature

Estimator = Literal["cross-fit", "calibrated-cv"]
Calibration = Literal["auto", "sigmoid", "isotonic", "none"]
CalibrateOn = Literal["margin", "probability"]
SplitMethod = Literal["stratified", "time", "group"]

ESTIMATORS: tuple[Estimator, ...] = ("cross-fit", "calibrated-cv")
CALIBRATIONS: tuple[Calibration, ...] = ("auto", "sigmoid", "isotonic", "none")
CALIBRATE_ON: tuple[CalibrateOn, ...] = ("margin", "probability")
SPLIT_METHODS: tuple[SplitMethod, ...] = ("stratified", "time", "group")
SCALE = Scale()


@dataclass(frozen=True, slots=True)
class Data:
    file: str | None = None
    """CSV or Parquet, here or as s3://bucket/key; None: the built-in synthetic population."""
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
    """Share of the rows; by time, of the latest ones unless `test_from` is set."""
    seed: int = 99
    method: SplitMethod = "stratified"
    """By the target, by time (the latest applicants are the test), or by group (each in one part only)."""
    time: str | None = None
    """The column with each applicant's time: dates, times or numbers."""
    test_from: str | None = None
    """By time: the first moment of the test part, as the column writes it."""
    group: str | None = None
    """The column that names what must not be in both parts, such as a customer."""


@dataclass(frozen=True, slots=True)
class Model:
    estimator: Estimator = "cross-fit"
    calibration: Calibration = "auto"
    """"auto": the calibrator that cross-validation prefers."""
    calibrate_on: CalibrateOn = "margin"
    folds: int = 3
    ensemble: bool = True
    """Of calibrated-cv: average a calibrated model per fold, instead of one model on all training rows."""


@dataclass(frozen=True, slots=True)
class Tuning:
    trials: int = 0
    """Sets of XGBoost parameters to try; 0: the settings' parameters are taken as they are."""
    folds: int = 4
    """Of the cross-validation of each trial."""
    study: str | None = None
    """The file that holds the trials, from which a search resumes; None: beside the artifacts."""
    keep: tuple[str, ...] = ()
    """XGBoost parameters that stay as they are set."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    threshold: float = 0.5
    """Probability of default from which an applicant counts as a predicted default."""
    plots: bool = True
    bands: tuple[float, ...] = ()
    """Edges of the score bands, ascending; empty: from the training scores."""
    resamples: int = 200
    """Of the bootstrap that the intervals stand on."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a decision is worth, for the expected profit at each cut-off score; all None: not told."""

    gain: float | None = None
    """From an approved applicant who repays."""
    loss: float | None = None
    """From an approved applicant who defaults, above 0."""
    amount: str | None = None
    """A number feature of which gain and loss are shares; None: they are amounts."""


@dataclass(frozen=True, slots=True)
class Stability:
    score_limit: float = 0.25
    """Population stability index of the score from which it counts as moved."""
    feature_limit: float = 0.25
    """The same for each feature's characteristic stability index."""


@dataclass(frozen=True, slots=True)
class Settings:
    data: Data = Data()
    features: tuple[Feature, ...] = REFERENCE_FEATURES
    row_max: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(REFERENCE_ROW_MAX))
    """New column → the number features that it replaces by their row maximum, missing values skipped."""
    split: Split = Split()
    model: Model = Model()
    xgboost: Mapping[str, xgboost_parameters.Value] = field(default_factory=lambda: dict(xgboost_parameters.REFERENCE))
    tuning: Tuning = Tuning()
    score: Scale = SCALE
    evaluation: Evaluation = Evaluation()
    costs: Costs = Costs()
    stability: Stability = Stability()
