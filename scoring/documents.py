"""JSON files of a scored table."""

from typing import Any, NotRequired, TypedDict

from training.documents import ExclusionRecord


class ScoringModel(TypedDict):
    """The model that scored."""

    version: str
    sha256: str
    """Digest of model.onnx."""


class ScoringInput(TypedDict):
    """The files of a table, before they are read."""

    files: int
    bytes: int
    parts: int
    plan: str
    """Digest of the names, sizes and times of the files and of how they are cut."""


class ScoringRun(TypedDict):
    """Identity of a scoring run: a run resumes only if all of it is equal."""

    format: int
    model: ScoringModel
    settings: dict[str, Any]
    """Flags that decide about rows and columns."""
    input: ScoringInput
    versions: dict[str, str]
    """Versions of packages that decide about bytes."""


class RowCounts(TypedDict):
    """Rows of the table."""

    read: int
    scored: int
    rejected: int
    left_out: int
    """By `data.exclude`."""


class FeatureCounts(TypedDict):
    """Cells of one feature."""

    missing: int
    unusual: int
    """Numbers outside of the range of training, levels that training did not see."""


class ScoreBin(TypedDict):
    """One interval of the score."""

    bin: str
    expected: int
    """Training rows."""
    actual: int


class ScoreShift(TypedDict):
    """Stability index of the score against the training rows."""

    psi: float
    by_chance: float
    """Index of equal populations of these sizes."""
    counts_from: float
    """Index that counts as moved."""
    moved: bool
    bins: list[ScoreBin]


class ScoredDigests(TypedDict):
    """The sha256 of a list with the digest of each, as sha256sum writes it."""

    inputs: str
    parts: str


class InputFile(TypedDict):
    """One file of the table."""

    name: str
    bytes: int
    sha256: str | None
    """null for a file that was read in ranges from S3, where S3 knows none."""
    etag: NotRequired[str]
    """S3's ETag, if there is no sha256."""


class PartFile(TypedDict):
    """One part of the output."""

    part: str
    rows: int
    bytes: int
    sha256: str


class Summary(ScoringRun):
    """summary.json: what was scored by which model. It is written last."""

    rows: RowCounts
    exclusions: list[ExclusionRecord]
    """Rows that `data.exclude` leaves out, by value."""
    repeated_ids: int | None
    """Rows whose id an earlier row has; null where rows have no id."""
    bands: dict[str, int]
    """Scored rows by band."""
    grades: NotRequired[dict[str, int]]
    """Scored rows by grade, of a model with grades."""
    score: ScoreShift | None
    """null where no row was scored or the model has no reference."""
    features: dict[str, FeatureCounts]
    scored: ScoredDigests
    inputs: list[InputFile]
    parts: list[PartFile]
    reasons: NotRequired[dict[str, Any]]
    """Texts and codes of the reasons, with `--explain`."""
