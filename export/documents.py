"""The JSON files of model/, field by field, as the export writes them. docs/files.md is generated from these classes.

The reader of manifest.json is runtime.manifest, which imports nothing of the export.
"""

from typing import NotRequired, TypedDict

from training.documents import FeatureEntry, InputColumns, ParentRecord
from validation.documents import GradeScale, Reference


class ComparedKind(TypedDict):
    """Graph against fitted pipeline, rows of one kind."""

    kind: str
    rows: int
    margins: int
    """rows × boosters."""
    margins_bit_equal: int
    probabilities_bit_equal: int
    largest_probability_difference: float
    largest_score_difference: float
    """In points."""
    bands_that_differ: int
    grades_that_differ: NotRequired[int]
    """Present if the model has grades."""


class Tolerances(TypedDict):
    """Differences beyond which the export is refused."""

    margins_bit_equal_share: float
    probability_difference: float
    """Largest absolute difference, 0 to 1."""
    probabilities_bit_equal_share: float
    bands_that_differ: int
    grades_that_differ: NotRequired[int]


class ComparedCalibrator(TypedDict):
    """One calibrator of the graph against scikit-learn's."""

    calibrator: int
    kind: str
    reads: str
    """dtype of its input."""
    knots: int
    """0 for a sigmoid."""
    values: int
    bit_equal: int
    largest_difference: float


class SingleRows(TypedDict):
    """Rows one at a time against the same rows in a batch."""

    rows: int
    bit_equal: int


class ProvenSign(TypedDict):
    """Proof that the probability moves one way with one feature."""

    feature: str
    sign: int
    """1 rising, -1 falling."""
    trees: int
    splits: int
    rows: int
    """Rows of the sweep that confirms the proof."""
    largest_fall: float
    """Largest move against the sign, by rounding."""
    holds: bool


class ComparedBatch(TypedDict):
    """Tables of batches against the graph, on all rows of the certificate."""

    rows: int
    margins_bit_equal: int
    """Rows whose margins all have the same bits."""
    probabilities_bit_equal: int


class Findings(TypedDict):
    """The results of a comparison of graph and pipeline."""

    tolerances: Tolerances
    rows: list[ComparedKind]
    total: ComparedKind
    calibrators: list[ComparedCalibrator]
    single_rows: SingleRows
    monotone: list[ProvenSign]
    """Empty without monotone constraints."""
    batch: NotRequired[ComparedBatch]
    """Comparison of batch.bin."""


class ComparedReasons(TypedDict):
    """Contributions of the tables against the leaf rule, row by row, and against the margins."""

    rows: int
    reference_rows: int
    """Rows of this comparison."""
    tolerance: float
    """Largest absolute difference of margin."""
    largest_difference: float
    same_top_four: int
    """Rows whose four largest contributions are of the same features."""
    tied_top_four: int
    """Rows whose fourth and fifth differ by no more than twice the tolerance."""
    added_rows: int
    largest_gap: float
    """Between mean and contributions together, and the float32 margins of `added_rows`."""
    largest_mean: float
    """Largest mean of a feature's contributions over all reference rows: 0 but for rounding."""


class ComparedHints(TypedDict):
    """Hints that were applied to their applicants and scored by the graph."""

    rows: int
    hints: int
    reached: int
    """Whose applicant then is in the band that the hint names, or above the edge that it was to reach."""
    nearest: int
    """Hints whose next value towards the applicant's own does not reach the band."""


class Certificate(Findings):
    """certificate.json: the proof that model.onnx answers as the fitted pipeline does."""

    schema_version: int
    sha256: dict[str, str]
    """Digests of model.onnx, manifest.json, pipeline.skops and, if present, reasons.bin, batch.bin, initial.json."""
    versions: dict[str, str]
    """Versions of Python and of packages, and the machine."""
    reasons: NotRequired[ComparedReasons]
    """Comparison of reasons.bin."""
    hints: NotRequired[ComparedHints]
    """Present if `reasons.hints` is set."""


class ScoreScale(TypedDict):
    """score = points + points_to_double · log2(odds of repaying / odds)."""

    points: float
    odds: float
    points_to_double: float
    probability_limits: list[float]
    """Probabilities are clipped to these before the score."""


class ManifestCalibration(TypedDict):
    """The calibrator of the model."""

    method: str
    """`none`, `sigmoid` or `isotonic`."""
    on: str
    """`margin` or `probability`."""
    estimator: str
    folds: int
    boosters: int
    knots: NotRequired[int]
    """Number of knots of an isotonic calibrator."""
    slope: NotRequired[float]
    """Slope of a sigmoid on the margin: p = 1 / (1 + exp(slope · margin + intercept))."""
    intercept: NotRequired[float]


class RequestLimits(TypedDict):
    """Limits of a request."""

    batch: int
    """Most applicants."""


class TravelledSplit(TypedDict):
    """A split that many rows reach: the largest of some numbers is below a threshold."""

    numbers: list[int]
    """Positions in the input `numbers`."""
    below: float


# The other kind: the category at this position of `categories` is this level. `is` is a keyword, so no class can
# declare it.
TravelledLevel = TypedDict("TravelledLevel", {"category": int, "is": str})


class ManifestReference(Reference):
    """The training rows and the metrics of the test, with which later applicants and outcomes are compared."""

    metrics: dict[str, float | None]


class SelfCheckEntry(TypedDict):
    """A made-up applicant with the answer at export."""

    numbers: list[float | None]
    """null is missing."""
    categories: list[str]
    """"" is missing."""
    margin: list[float]
    """float32, one for each booster."""
    probability: float
    score: float
    band: str
    grade: NotRequired[str]
    """Present if the model has grades."""
    contributions: NotRequired[list[float]]
    """To the margin, by player of reasons."""


class CheckedScore(TypedDict):
    """A probability beside an edge of a band or at an end, with its score and band."""

    probability: float
    score: float
    band: str


class CheckedGrade(TypedDict):
    """A probability at a limit of a grade, beside it or at an end, with its grade."""

    probability: float
    grade: str


class SelfCheck(TypedDict):
    """Rows that the runtime answers before it serves."""

    probability_tolerance: float
    inputs: InputColumns
    scores: list[CheckedScore]
    grades: NotRequired[list[CheckedGrade]]
    rows: list[SelfCheckEntry]


class ReasonsFile(TypedDict):
    """The file reasons.bin."""

    sha256: str
    bytes: int


class ReasonsBasis(TypedDict):
    """Basis of the points, as answers state it."""

    method: str
    reference: str
    """`all`, `at-cutoff`, `best`, `own` (a file of the user's), or `covers` of tree-path values, with 0 rows."""
    reference_rows: int
    reference_total: int
    """Rows of which they were drawn or chosen."""
    reference_weighted: NotRequired[bool]
    """True where each row was drawn as often as its sample weight says."""
    reference_scores: NotRequired[list[float]]
    """Lowest and highest score of `at-cutoff`."""
    adds_up: bool
    """False where points are those before calibration."""


class ReasonsPlayer(TypedDict):
    """A feature, row maximum or group with points of its own."""

    name: str
    kind: str
    """`feature`, `maximum` (a row maximum, named in answers after its largest feature) or `group`."""
    features: list[str]


class ReasonsText(TypedDict):
    """Texts of a feature, a row maximum or a group in answers."""

    text: dict[str, str]
    """Text by language; `""` if none is named."""
    missing: dict[str, str]
    """Text for a missing value, by language."""
    code: str
    """`""` for none."""
    inquiries: bool
    """Named as a fifth reason where it costs points."""


class HintedFeature(TypedDict):
    """A feature whose change a hint may name."""

    name: str
    direction: NotRequired[str]
    """`up` or `down`, of a number or a boolean."""
    whole: NotRequired[bool]
    """True where training saw whole numbers only: a hint is one too."""
    monotone: NotRequired[bool]
    """True where the model has a monotone constraint on it."""
    levels: NotRequired[list[str]]
    """Levels of a category, tried in this order."""


class ManifestReasons(TypedDict):
    """Everything that the runtime knows about reasons besides their tables."""

    file: ReasonsFile
    basis: ReasonsBasis
    slope: float
    """Log-odds of repaying = slope · margin + intercept."""
    intercept: float
    values: bool
    """Answers repeat the value of a reason's feature."""
    players: list[ReasonsPlayer]
    texts: dict[str, ReasonsText]
    hints: NotRequired[list[HintedFeature]]
    """Not there where answers give no hints."""


class NoReasons(TypedDict):
    """A model without reasons."""

    why: str


class BatchFile(TypedDict):
    """The file batch.bin."""

    sha256: str
    bytes: int


class ManifestBatch(TypedDict):
    """Everything that the runtime knows about the tables of batches besides the file."""

    file: BatchFile


class NoBatch(TypedDict):
    """A model whose batches the graph scores."""

    why: str


class InitialFile(TypedDict):
    """The file initial.json, which no start reads."""

    sha256: str
    bytes: int


class NoInitial(TypedDict):
    """A model whose initial validation is not known."""

    why: str


class StatedTolerance(TypedDict):
    """Tolerance accepted for steps of your own pipeline that no graph equals to the last bit."""

    stated: float
    """Largest difference of a probability that was to be accepted."""
    largest_difference: float
    """Largest difference of a probability on the rows of the certificate."""
    steps: list[str]
    """The steps that are only close."""


class ManifestBody(TypedDict):
    """A manifest without the model's version, which is a digest of the rest."""

    schema_version: int
    sha256: str
    """Digest of model.onnx."""
    id: str
    """Name of the id in a request."""
    inputs: InputColumns
    features: list[FeatureEntry]
    score: ScoreScale
    bands: list[float]
    """Ascending edges, in points."""
    grades: NotRequired[GradeScale]
    """Not there without grades."""
    calibration: ManifestCalibration
    limits: RequestLimits
    branches: list[TravelledSplit | TravelledLevel]
    reference: ManifestReference
    versions: dict[str, str]
    self_check: SelfCheck
    initial: InitialFile | NoInitial
    reasons: NotRequired[ManifestReasons | NoReasons]
    """Not there where the artifacts hold no reference rows, or `reasons.reference` is `none`."""
    batch: NotRequired[ManifestBatch | NoBatch]
    """Not there in models that were exported before there were tables of batches."""
    parent: NotRequired[ParentRecord]
    """Present in a recalibrated model."""
    tolerance: NotRequired[StatedTolerance]
    """Not there where all is exact."""


class ManifestDocument(ManifestBody):
    """manifest.json: everything that the runtime knows about a model besides its graph."""

    model_version: str
    """First 12 digits of the sha256 of all other fields."""


class Pointer(TypedDict):
    """latest.json: the latest of the published models."""

    schema_version: int
    model_version: str
    time: str
    """ISO 8601, UTC."""
    sha256: dict[str, str]
    """Digests of the files of the version."""
