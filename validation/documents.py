"""Findings about a model in the JSON files: alarms, the choice of a calibrator, shifts of a population."""

from typing import Any, NotRequired, TypedDict


class Alarm(TypedDict):
    """One finding beyond a limit."""

    name: str
    value: float
    limit: float
    message: str
    """One sentence: the finding and what to do."""


class GradeScale(TypedDict):
    """The grades of a master scale, the lowest probabilities of default first."""

    limits: list[float]
    """Ascending probabilities, 0 to 1: a grade holds its lower limit."""
    names: list[str]
    """One more than there are limits."""


class GradeCounts(TypedDict):
    """The training rows by grade, the lowest probabilities first."""

    counts: list[int]
    weights: NotRequired[list[float]]
    """Sums of the sample weights, where there are any."""


class CalibrationTrial(TypedDict):
    """Cross-validated losses of one way to calibrate."""

    method: str
    """`none`, `sigmoid` or `isotonic`."""
    log_loss: float
    log_loss_error: float
    """Standard error of the difference to the best method that is not isotonic."""
    brier: float
    brier_error: float
    on_limit: float
    """Share of the probabilities at or beyond the limits of the score."""


class CalibrationChoice(TypedDict):
    """The calibrator of the model and the reason for it."""

    chosen: str
    """`none`, `sigmoid` or `isotonic`."""
    by: str
    """`comparison` or `settings`."""
    reason: str
    comparison: list[CalibrationTrial]
    """Empty where the settings name a method of scikit-learn's own estimator."""


class Histogram(TypedDict):
    """One column of the training rows as counts in bins: one for each value, each interval, and missing values."""

    values: list[bool | float | str]
    """Values with a bin of their own."""
    edges: list[float]
    """Ascending edges of the intervals for all other values; an interval holds its lower edge."""
    counts: list[int]
    """len(values) + len(edges) + 2 counts; the last is of missing values."""
    weights: NotRequired[list[float]]
    """Sums of the sample weights in the same bins, where there are any."""


class ShiftLimits(TypedDict):
    """Stability indices that count as a shift."""

    score: float
    feature: float


class Reference(TypedDict):
    """The training rows as histograms: counts only, no applicant."""

    rows: int
    limits: ShiftLimits
    score: Histogram
    """Histogram of the score in points."""
    features: dict[str, Histogram]
    """Histograms by name of the raw feature."""
    grades: NotRequired[GradeCounts]
    """Present if the model has grades."""
    weight: NotRequired[str]
    """Column of the sample weights, where there are any."""
    effective_rows: NotRequired[float]
    """Effective sample size by these weights."""


class BinShares(TypedDict):
    """One bin of two populations."""

    bin: str
    expected: float
    """Share of the training rows, 0 to 1."""
    actual: float
    """Share of the compared rows, 0 to 1."""
    contribution: float
    """Addend of the stability index."""


class Shift(TypedDict):
    """Shift of one column."""

    limit: float
    by_chance: float
    """Mean of the index where nothing has changed."""
    beyond_chance: float
    """Value that chance alone exceeds one time in 1,000."""
    counts_from: float
    """The larger of `limit` and `beyond_chance`."""
    moved: bool
    """True if the index reaches `counts_from`."""
    bins: list[BinShares]
    """Bins that are empty in both populations are left out."""


class ScoreShift(Shift):
    """Shift of the score."""

    psi: float
    """Population stability index."""


class FeatureShift(Shift):
    """Shift of one raw feature."""

    feature: str
    csi: float
    """Characteristic stability index."""


class ComparedRows(TypedDict):
    """Sizes of two populations."""

    expected: int
    actual: int
    weighted: NotRequired[bool]
    """true where shares and indices are weighted, false where only one of the two has weights."""


class StabilityFindings(TypedDict):
    """Other applicants compared with the training rows."""

    rows: ComparedRows
    score: ScoreShift
    features: list[FeatureShift]
    """The largest shift first."""


class InitialGrade(TypedDict):
    """One grade of the initial validation."""

    grade: str
    rows: int
    defaults: int
    predicted: float | None
    """Mean probability of default; null without a row."""
    exposure: float | None
    """Sum of the exposures; null without their column."""


class InitialPeriod(TypedDict):
    """The time of the applicants of the initial validation."""

    column: str
    format: str | None
    """Format of the column, if not ISO 8601."""
    first: str | None
    last: str | None


class Initial(TypedDict):
    """initial.json, in artifacts/ too: the initial validation, which `python -m validation.run` compares with."""

    schema_version: int
    of: str
    """`test`, the part of the table that the fit has not seen, `given`, the rows given at the export of an own
    pipeline, which the fit may have seen, or `recalibration`, the rows that a new calibrator was fitted on."""
    kind: str
    """`bands` or `grades`."""
    rows: int
    defaults: int
    grades: list[InitialGrade]
    """The riskiest first. Who is beyond the outer edges is in the nearest band."""
    auc: float | None
    """Area under the ROC curve on these grades; null with one outcome only."""
    auc_variance: float | None
    """DeLong's s² of it."""
    exposure: str | None
    """Column of the exposures."""
    period: InitialPeriod | None
    """null where the settings name no time column."""
    definition: str
    """Definition of default, as the settings have it; may be empty."""


class ValidationFinding(TypedDict):
    """A finding for a validator."""

    section: str
    name: str
    level: str
    """`beyond` a limit, or worth a `look`, which --strict lets pass."""
    value: float
    limit: str
    whose: str
    """Whose limit: `supervisor's test`, `custom` or `own policy`."""
    message: str
    p: float | None
    """p value of a test; null if a limit alone decides."""
    adjusted_p: float | None
    """p value adjusted by Holm for the tests of its family."""
    budget: float | None
    """Limit of the adjusted p value: the family's part of the page's level."""


class ValidatedData(TypedDict):
    """The table of a validation."""

    source: str
    sha256: str
    rows: int
    first_time: str | None
    """Where a time column is known."""
    last_time: str | None
    too_young: int
    """Rows with an outcome that had less than the horizon to default, left out of figures that need outcomes."""
    without_time: int
    """Rows with an outcome and without a time, left out where a horizon is set."""


class ValidatedModel(TypedDict):
    """The model of a validation."""

    version: str
    definition: str
    """Definition of default, as training recorded it."""
    initial: str
    """Why there is no initial validation; empty where there is one."""


class ValidatedSection(TypedDict):
    """One section of the page."""

    title: str
    why: str
    """Why there is no figure; empty where there is one."""
    figure: dict[str, Any] | None
    """Numbers and tables of the section, in its own members; null is not defined."""


class ValidationTests(TypedDict):
    """Division of the page's level among tests."""

    level: float
    budgets: dict[str, float]
    """By family, its part of the level."""
    tests: dict[str, int]
    """By family, how many tests share that part."""


class Validated(TypedDict):
    """validation.json: what `python -m validation.run` found."""

    schema_version: int
    data: ValidatedData
    model: ValidatedModel
    weight: str | None
    """Column of the sample weights; null without weights."""
    remarks: list[str]
    findings: list[ValidationFinding]
    """Findings, those beyond a limit first."""
    tests: ValidationTests
    sections: dict[str, ValidatedSection]
    history: list["RememberedRun"]
    """Runs of --history, this one last in time where it is; empty without it."""


class RememberedRun(TypedDict):
    """A file of --history: one validation."""

    schema_version: int
    when: str
    """Time of the run."""
    model: str
    source: str
    sha256: str
    rows: int
    first_time: str | None
    last_time: str | None
    findings: list[str]
    figures: dict[str, float | None]
    """`default_rate`, `mean_probability`, `roc_auc`, `psi`, `calibration_slope`."""
