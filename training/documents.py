"""The JSON files of artifacts/, field by field. docs/files.md is generated from these classes."""

from typing import Any, NotRequired, TypedDict

from validation.documents import Alarm, CalibrationChoice, GradeScale, StabilityFindings
from validation.fairness.documents import FairnessFigures, Frontier
from validation.slices.documents import Overfit, Robustness, WeakSlices


class InputColumns(TypedDict):
    """Raw columns of both matrices, in order."""

    numbers: list[str]
    """Columns of the float64 matrix; booleans are 1 and 0, NaN is missing."""
    categories: list[str]
    """Columns of the string matrix; "" is missing."""
    normalization: NotRequired[str]
    """`NFC` where categories are brought into that Unicode form before they are looked up."""


class FeatureEntry(TypedDict):
    """One raw feature."""

    name: str
    type: str
    """`number`, `boolean` or `category`."""
    nullable: bool
    description: str
    vocabulary: NotRequired[list[str]]
    """Levels of a category in the training rows, pooled ones too."""
    closed: NotRequired[bool]
    """True if a level outside the category's vocabulary is refused, since the pipeline raises for it."""
    range: NotRequired[list[float] | None]
    """Lowest and highest value of a number in the training rows; null if all are missing."""


class Schema(TypedDict):
    """schema.json: raw columns of a request."""

    inputs: InputColumns
    features: list[FeatureEntry]


class ExclusionRecord(TypedDict):
    """Rows that a setting leaves out for one value of a column."""

    setting: str
    """`data.exclude` or `data.negative`."""
    column: str
    value: str | None
    """null for a missing one."""
    rows: int


class DataRecord(TypedDict):
    """The table of a run."""

    source: str
    """File, address in S3, or the name of the built-in population."""
    sha256: str
    rows: int
    dropped_rows: int
    """Rows without a target, and those that a setting leaves out."""
    dropped_note: str
    """The same in words; empty if no row was left out."""
    exclusions: list[ExclusionRecord]
    remarks: list[str]
    """Remarks on the table or its settings that may point to a mistake."""


class PartRecord(TypedDict):
    """One part of the table."""

    rows: int
    defaults: int
    first_time: NotRequired[str | None]
    """Present if the settings name a time column."""
    last_time: NotRequired[str | None]
    groups: NotRequired[int]
    """Present if the settings name a group column."""
    weight: NotRequired[float]
    """Sum of the sample weights, where the settings name their column."""
    effective_rows: NotRequired[float]
    """Rows of equal weight that a mean is as certain as, (Σw)² / Σw²."""


class SplitRecord(TypedDict):
    """Division of the table."""

    method: str
    """`stratified`, `time` or `group`."""
    train: PartRecord
    test: PartRecord


class InPartsRecord(TypedDict):
    """A table that was never in memory as a whole, and the rows whose features were examined in detail."""

    engine: str
    """`external memory` or `Dask`."""
    train_rows: int
    """Training rows drawn: for exploration, importance, dependence, reasons and the edges of stability's bins."""
    test_rows: int
    """Test rows drawn: for reasons and sample.parquet."""


class PoolRecord(TypedDict):
    """The rare levels of a category, which the model treats as one level."""

    feature: str
    rare: int
    """A level with fewer training rows is rare."""
    levels: int
    """All levels of the training rows."""
    pooled: int
    """Rare levels among them."""
    rows: int
    """Training rows with a rare level."""


class SearchTrial(TypedDict):
    """One trial of the search for parameters."""

    trial: int
    value: float | None
    """Cross-validated log loss; null if pruned."""
    best: float | None
    """Lowest value so far."""
    pruned: bool
    parameters: dict[str, Any]


class SearchRecord(TypedDict):
    """The search for XGBoost parameters."""

    metric: str
    trials: int
    pruned: int
    best_trial: int
    best_value: float
    baseline_value: float | None
    """Value of the parameters that were set."""
    parameters: dict[str, Any]
    """The best parameters."""
    study: str
    """File of the trials."""
    rows: int
    folds: int
    history: list[SearchTrial]
    frontier: NotRequired[Frontier]
    """Where the settings name groups of people."""


class Figures(TypedDict):
    """Figures of the model."""

    bands: list[float]
    """Ascending edges of the score bands, in points."""
    grades: NotRequired[GradeScale]
    """Not there without grades."""
    calibration: CalibrationChoice
    metrics: dict[str, dict[str, float | None]]
    """Metrics by part (`train`, `test`) and name; null if a metric has no value."""
    intervals: dict[str, dict[str, list[float]]]
    """Bootstrap confidence bounds, low and high, by part and name."""
    alarms: list[Alarm]
    """Empty is good."""
    fairness: FairnessFigures | None
    """Figures of the test part by group of people; null if the settings name no groups."""
    weak_slices: WeakSlices | None
    overfit: Overfit | None
    robustness: Robustness | None


class ParentRecord(TypedDict):
    """The run whose trees a recalibration keeps."""

    run: str
    """Digest in its run.json."""
    pipeline: str
    """sha256 of its pipeline.skops, which its certificate names."""
    model_version: str | None
    """Version of its exported model, if that was given."""


class RecalibrationRecord(TypedDict):
    """Origin of the calibrator of a recalibrated run."""

    method: str
    """`intercept`, `slope` (and intercept) or `isotonic`."""
    central_tendency: float | None
    """The mean probability that was asked for; null where outcomes decide."""
    source: str | None
    """File of the rows with outcomes; null with a central tendency, whose rows are those of reference.parquet."""
    sha256: str | None
    rows: int
    defaults: int | None
    observed: float | None
    """Default rate of the rows."""
    mean_before: float
    """Mean probability of the rows by the parent."""
    mean_after: float


class Run(Figures):
    """run.json: the record of a training run, which names every other file."""

    schema_version: int
    data: DataRecord
    split: SplitRecord
    settings: dict[str, Any]
    """Every setting, by table, as in settings.toml."""
    seed: int
    pools: list[PoolRecord]
    """Pools of categories with two rare levels or more."""
    in_parts: InPartsRecord | None
    """null where the table was in memory."""
    tuning: SearchRecord | None
    """null without a search."""
    stability: StabilityFindings
    """Test part against training part."""
    versions: dict[str, str]
    """Versions of Python and of packages."""
    same_bytes_again: str
    """Conditions for the same model.onnx, byte for byte."""
    files: dict[str, str]
    """sha256 of every other file, by path."""
    parent: NotRequired[ParentRecord]
    """Present in a recalibrated run; `data` and `split` are then those of the parent's training."""
    recalibration: NotRequired[RecalibrationRecord]
    digest: str
    """sha256 of all else in here, as compact JSON with sorted names: what was changed by hand is not exported."""
