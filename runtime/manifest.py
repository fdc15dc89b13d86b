"""model/manifest.json: everything that the runtime knows about a model besides its graph.

A manifest that is not whole or contradicts itself is refused by name before anything is scored.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runtime.digest import version_of
from runtime.reader import EXPORT_AGAIN as EXPORT_AGAIN
from runtime.reader import LARGEST, Reader
from runtime.reader import ModelRefused as ModelRefused
from runtime.score import SCORE_TOLERANCE, Bands, Scale
from runtime.strict_json import NotStrict, parse_file

if TYPE_CHECKING:
    from runtime.grades import Grades

SCHEMA_VERSION = 2
SIZE_LIMIT = 32 * 2**20  # bytes of a manifest: a million levels of a category
MOST_APPLICANTS = 10_000  # in a batch; Lambda's 6 MiB hold no more of any model
SELF_CHECK_ROWS = 8
# The C library's expf differs by an ulp of float32 between systems; no model of ours differs by more.
MOST_TOLERANCE = 1e-7
MOST_STATED = 1e-3  # that a user may accept of steps that are only close
LARGEST_MARGIN = 3.4028234663852886e38  # float32's
MOST_BRANCHES = 32  # their outcomes fit a uint32
# Members that /model leaves out: the self-check rows of a start, and the reference of validation.run.
NOT_DESCRIBED = ("self_check", "reference", "initial")


class Feature:
    """One raw column.

    `range` is the range of a number in training, None if all its values were missing. A category is `closed` if the
    fitted pipeline raises for a level outside the vocabulary: such a request has no answer.
    """

    __slots__ = ("closed", "description", "name", "nullable", "range", "type", "vocabulary")

    def __init__(self, entry: Reader) -> None:
        self.name: str = entry.take_name("name")
        self.type: str = entry.take("type", str)
        if self.type not in ("number", "boolean", "category"):
            raise entry.refusal("type", "number, boolean or category", self.type)
        self.nullable: bool = entry.take("nullable", bool)
        self.description: str = entry.take("description", str)
        self.vocabulary: tuple[str, ...] = ()
        self.range: tuple[float, float] | None = None
        self.closed: bool = "closed" in entry and entry.take("closed", bool)
        if self.closed and self.type != "category":
            raise entry.refusal("closed", "false for anything but a category", self.closed)
        if self.type == "category":
            self.vocabulary = tuple(entry.take_list("vocabulary", str))
            if len(set(self.vocabulary)) < len(self.vocabulary) or "" in self.vocabulary:
                raise entry.refusal("vocabulary", "different categories, none empty", list(self.vocabulary))
        elif self.type == "number" and entry.has("range"):
            bounds = entry.take_list("range", float)
            if len(bounds) != 2 or not bounds[0] <= bounds[1]:
                raise entry.refusal("range", "the lowest and the highest number, or null", bounds)
            self.range = (bounds[0], bounds[1])


class SelfCheckRow:
    """Raw columns, and the graph's answer for them at export; None among `numbers` is missing."""

    __slots__ = ("band", "categories", "grade", "margin", "numbers", "probability", "score")

    def __init__(self, entry: Reader, numbers: int, categories: int) -> None:
        self.numbers: list[float] = [math.nan if n is None else n for n in entry.take_list("numbers", float, None)]
        self.categories: list[str] = entry.take_list("categories", str)
        for key, got, expected in (
            ("numbers", len(self.numbers), numbers),
            ("categories", len(self.categories), categories),
        ):
            if got != expected:
                raise entry.refusal(key, f"{expected} values", got)
        self.margin: list[float] = entry.take_list("margin", float, limit=LARGEST_MARGIN)
        self.probability: float = entry.take_number("probability", 0, 1)
        self.score: float = entry.take("score", float)
        self.band: str = entry.take("band", str)
        self.grade: str = entry.take("grade", str) if "grade" in entry else ""


class Branch:
    """The condition of a frequently travelled split; see runtime.branches.

    Either the largest of some `numbers` (positions) is below a threshold, or a `category` (a position) is one level.
    """

    __slots__ = ("below", "category", "level", "numbers")

    def __init__(self, numbers: Sequence[int] = (), below: float = 0.0, category: int = 0, level: str = "") -> None:
        self.numbers = list(numbers)
        self.below = below
        self.category = category
        self.level = level


class Manifest:
    """The manifest, checked. `document` is the JSON object as it was read."""

    __slots__ = (
        "bands",
        "batch_limit",
        "batch_size",
        "batch_why",
        "branches",
        "calibration",
        "categories",
        "document",
        "features",
        "grades",
        "identifier",
        "model_version",
        "normalization",
        "numbers",
        "probability_tolerance",
        "reasons_size",
        "reasons_why",
        "scale",
        "self_check",
        "sha256",
        "stated_tolerance",
        "versions",
    )

    def __init__(self, document: Mapping[str, Any], path: str = "manifest.json") -> None:
        """Raise ModelRefused for anything but a whole manifest of this schema version."""
        top = Reader(document, path)
        version = top.take("schema_version", int)
        if version != SCHEMA_VERSION:
            advice = "deploy a newer runtime" if version > SCHEMA_VERSION else EXPORT_AGAIN
            raise ModelRefused(f"{path}: schema_version: expected {SCHEMA_VERSION}, got {version}; {advice}")
        self.document = document
        self.model_version: str = top.take("model_version", str)
        self.sha256: str = top.take("sha256", str)
        self.identifier: str = top.take_name("id")
        self.features = tuple(Feature(entry) for entry in top.readers("features"))
        inputs = top.reader("inputs")
        self.numbers = self._columns(inputs, "numbers", ("number", "boolean"))
        self.categories = self._columns(inputs, "categories", ("category",))
        self.normalization = self._normalization(inputs)
        names = [self.identifier, *(feature.name for feature in self.features)]
        if len(set(names)) < len(names):
            raise top.refusal("features", "the id and every feature named once", sorted(names))
        self.scale = _scale(top.reader("score"))
        self.bands = tuple(top.take_list("bands", float))
        if len(self.bands) < 2 or any(low >= high for low, high in zip(self.bands, self.bands[1:], strict=False)):
            raise top.refusal("bands", "two or more ascending edges", list(self.bands))
        self.grades: Grades | None = _grades(top) if "grades" in top else None
        self.calibration: dict[str, Any] = top.take("calibration", dict)
        self.versions: dict[str, Any] = top.take("versions", dict)
        limits = top.reader("limits")
        self.batch_limit: int = limits.take("batch", int)
        if not 1 <= self.batch_limit <= MOST_APPLICANTS:
            raise limits.refusal("batch", f"1 to {MOST_APPLICANTS} applicants", self.batch_limit)
        self.branches = self._branches(top)
        self.reasons_size, self.reasons_why = _table(top, "reasons")
        self.batch_size, self.batch_why = _table(top, "batch")
        check = top.reader("self_check")
        self.stated_tolerance = _stated_tolerance(top)
        most = max(MOST_TOLERANCE, self.stated_tolerance)
        self.probability_tolerance: float = check.take_number("probability_tolerance", 0, most)
        self.self_check = tuple(
            SelfCheckRow(row, len(self.numbers), len(self.categories)) for row in check.readers("rows")
        )
        if len(self.self_check) < SELF_CHECK_ROWS:
            raise check.refusal("rows", f"{SELF_CHECK_ROWS} rows or more", len(self.self_check))
        self._check_names(check.reader("inputs"))
        self._check_scores(check)
        if (found := version_of(document)) != self.model_version:
            raise top.refusal("model_version", f"{found}, the digest of all else in it", self.model_version)

    def _check_names(self, named: Reader) -> None:
        """Refuse inputs that are not named, in this order, as those that the self-check rows were made for."""
        for key, features in (("numbers", self.numbers), ("categories", self.categories)):
            names = [feature.name for feature in features]
            if (expected := named.take_list(key, str)) != names:
                at = next((i for i, pair in enumerate(zip(expected, names, strict=False)) if pair[0] != pair[1]), 0)
                raise named.refusal(f"{key}[{at}]", "the name that the inputs have there", expected[at : at + 1])

    def _check_scores(self, check: Reader) -> None:
        """Refuse a scale or bands that answer otherwise than at export, at every edge of a band and both limits."""
        bands = Bands(self.bands)
        entries = check.readers("scores")
        if len(entries) < (expected := 2 * len(self.bands) + 2):
            raise check.refusal("scores", f"{expected} or more, two for each edge and both ends", len(entries))
        for entry in entries:
            score = self.scale.score(entry.take_number("probability", 0, 1))
            if not abs(score - entry.take("score", float)) <= SCORE_TOLERANCE:
                raise entry.refusal("score", f"{score!r} by this scale", entry.take("score", float))
            if (label := bands.name(score)) != entry.take("band", str):
                raise entry.refusal("band", f"{label} by these bands", entry.take("band", str))

    def _columns(self, inputs: Reader, key: str, types: tuple[str, ...]) -> tuple[Feature, ...]:
        """The features of one input of the graph, in its order."""
        names = inputs.take_list(key, str)
        by_name = {feature.name: feature for feature in self.features if feature.type in types}
        if sorted(names) != sorted(by_name):
            offenders = sorted(set(names) ^ set(by_name)) or sorted(names)
            raise inputs.refusal(key, f"every feature of type {' or '.join(types)}, once", offenders)
        return tuple(by_name[name] for name in names)

    def _normalization(self, inputs: Reader) -> str:
        """The Unicode form that categories are brought into before the graph: "NFC", or "" for as they come."""
        if "normalization" not in inputs or not inputs.has("normalization"):
            return ""
        form: str = inputs.take("normalization", str)
        if form != "NFC":
            raise inputs.refusal("normalization", "NFC or null", form)
        from unicodedata import is_normalized  # a library to load, for models with the setting only

        for feature in self.categories:
            if decomposed := [word for word in feature.vocabulary if not is_normalized("NFC", word)]:
                raise inputs.refusal("normalization", f"the vocabulary of {feature.name} in NFC", decomposed)
        return form

    def _branches(self, top: Reader) -> tuple[Branch, ...]:
        """The most travelled splits, of which there need not be any."""
        entries = top.readers("branches")
        if len(entries) > MOST_BRANCHES:
            raise top.refusal("branches", f"at most {MOST_BRANCHES}", len(entries))
        return tuple(self._branch(entry) for entry in entries)

    def _branch(self, entry: Reader) -> Branch:
        if "category" in entry:
            category = entry.take("category", int)
            if not 0 <= category < len(self.categories):
                raise entry.refusal("category", "a position in the inputs' categories", category)
            return Branch(category=category, level=entry.take("is", str))
        numbers = entry.take_list("numbers", int)
        if not numbers or not all(0 <= number < len(self.numbers) for number in numbers):
            raise entry.refusal("numbers", "positions in the inputs' numbers", numbers)
        return Branch(numbers, entry.take("below", float))

    @classmethod
    def read(cls, path: str) -> "Manifest":
        """Read and check a file; raise ModelRefused if that cannot be done."""
        return cls(_read_json(path), path)


def _grades(top: Reader) -> "Grades":
    """The grades of a model that has some, compared at every limit with those of the export."""
    from runtime.grades import Grades, fault_of, grades_to_check  # a model without grades does without

    entry = top.reader("grades")
    limits, names = entry.take_list("limits", float), entry.take_list("names", str)
    if expected := fault_of(limits):
        raise entry.refusal("limits", expected, limits)
    if len(names) != len(limits) + 1 or len({*names, ""}) <= len(names):
        raise entry.refusal("names", f"{len(limits) + 1} different names, none empty", names)
    grades = Grades(limits, names)
    check = top.reader("self_check")
    if len(entries := check.readers("grades")) != len(expected_ones := grades_to_check(grades)):
        raise check.refusal("grades", f"{len(expected_ones)}, at every limit and beside it", len(entries))
    for checked in entries:
        if (name := grades.name(checked.take_number("probability", 0, 1))) != checked.take("grade", str):
            raise checked.refusal("grade", f"{name} by these limits", checked.take("grade", str))
    return grades


def _table(top: Reader, key: str) -> tuple[int, str]:
    """The size of reasons.bin or batch.bin, or 0 and why it is absent. All else is read with its first use."""
    if key not in top:
        return 0, "the model was exported without them"
    entry = top.reader(key)
    if "why" in entry:
        return 0, entry.take_name("why")
    size: int = entry.reader("file").take("bytes", int)
    if size < 1:
        raise entry.refusal("file", "the size of a file that is not empty", size)
    return size, ""


def _stated_tolerance(top: Reader) -> float:
    """Tolerance of the probability for steps that are only close; 0 for a model with exact margins."""
    if "tolerance" not in top:
        return 0.0
    entry = top.reader("tolerance")
    stated = entry.take_number("stated", 0, MOST_STATED)
    entry.take_number("largest_difference", 0, stated)
    entry.take_list("steps", str)
    return stated


def _scale(entry: Reader) -> Scale:
    limits = entry.take_list("probability_limits", float)
    if len(limits) != 2 or not 0 < limits[0] < limits[1] < 1:
        raise entry.refusal("probability_limits", "two ascending probabilities between 0 and 1", limits)
    scale = Scale(
        points=entry.take("points", float),
        odds=entry.take("odds", float),
        points_to_double=entry.take("points_to_double", float),
        probability_limits=(limits[0], limits[1]),
    )
    for key, value in (("odds", scale.odds), ("points_to_double", scale.points_to_double)):
        if value <= 0:
            raise entry.refusal(key, "a number above 0", value)
    try:
        ends = scale.scores(limits)
    except (OverflowError, ValueError, ZeroDivisionError):
        ends = [math.inf]
    if not all(-LARGEST <= score <= LARGEST for score in ends):
        raise entry.refusal("probability_limits", "limits that have finite scores on this scale", limits)
    return scale


def _read_json(path: str) -> Any:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (pathlib: 5 ms of start-up)
            return parse_file(file.read(SIZE_LIMIT + 1), SIZE_LIMIT)
    except OSError as fault:
        raise ModelRefused(f"{path}: expected a manifest, got: {fault.strerror}; {EXPORT_AGAIN}") from None
    except NotStrict as fault:
        raise ModelRefused(f"{path}: expected JSON, got: {fault}; {EXPORT_AGAIN}") from None
