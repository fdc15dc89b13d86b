"""The proof that a graph answers as the fitted pipeline does, and the tolerances beyond which it is refused."""

import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from export.certificate import probes
from export.certificate.comparison import (
    Answer,
    Comparison,
    Session,
    ask_graph,
    ask_pipeline,
    batches,
    bits_equal,
    compare,
    largest_difference,
    rows_at_once,
    together,
)
from export.certificate.monotone import prove_signs
from export.certificate.tables import ComparedTables
from export.converters.classifier import answers_margin, boosters_of, members_of
from export.documents import ComparedCalibrator, Findings, ProvenSign, SingleRows
from export.graph.pipeline import Contract, cut
from export.refusal import ExportRefused
from runtime.batch import Batch
from runtime.grades import Grades
from runtime.score import Scale
from runtime.session import open_session

# Two ulp of 1: exp differs by an ulp between NumPy and ONNX Runtime, and each later step rounds once more.
SIGMOID_ON_MARGIN = 4.5e-16
# Interpolation repeats scikit-learn's operations one for one.
ISOTONIC_ON_MARGIN = 0.0
# XGBoost's float32 probability depends on the C library's expf. The graph repeats glibc's to the bit, but on a system
# with another one an ulp of it is up to 6e-8.
SIGMOID_ON_PROBABILITY = 1e-7
# The same ulp between two close knots is amplified by the slope, so here rows are counted.
ISOTONIC_ON_PROBABILITY_SHARE = 0.999
RANDOM_AND_REAL_ROWS = 100_000
SINGLE_ROWS = 2_000
PACKAGES = ("numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "scipy", "skl2onnx", "xgboost")


@dataclass(frozen=True)
class Tolerance:
    """Tolerances of the graph of one kind of model."""

    probability: float  # largest absolute difference
    probability_share: float  # of rows with the same bits
    margin_share: float = 1.0  # of margins with the same bits

    @classmethod
    def stated(cls, probability: float | None, classifier: Any) -> "Tolerance":
        """Tolerance that a user states for steps that are only close; None for the usual one."""
        return cls.of(classifier) if probability is None else cls(probability, 0.0, 0.0)

    @property
    def of_self_check(self) -> float:
        """Tolerance of a self-check row on another machine, whose C library may round exp differently."""
        return max(SIGMOID_ON_MARGIN, min(self.probability, SIGMOID_ON_PROBABILITY))

    @classmethod
    def of(cls, classifier: Any) -> "Tolerance":
        """Choose the tolerance by the calibrator and its input."""
        if isinstance(classifier, VotingClassifier):
            its = [cls.of(member) for member in members_of(classifier)]
            return cls(max(t.probability for t in its), min(t.probability_share for t in its))
        boosters = boosters_of(classifier)
        if isinstance(classifier, CalibratedClassifierCV) and not answers_margin(boosters[0]):
            if classifier.method == "isotonic":
                return cls(1.0, ISOTONIC_ON_PROBABILITY_SHARE)
            return cls(SIGMOID_ON_PROBABILITY, 0.0)
        if isinstance(classifier, XGBClassifier):
            return cls(SIGMOID_ON_PROBABILITY, 0.0)
        isotonic = (
            classifier.method == "isotonic"
            if isinstance(classifier, CalibratedClassifierCV)
            else isinstance(getattr(classifier, "calibrator_", None), IsotonicRegression)
        )
        return cls(ISOTONIC_ON_MARGIN, 1.0) if isotonic else cls(SIGMOID_ON_MARGIN, 0.0)


@dataclass(frozen=True)
class Candidate:
    """A graph that is to be certified, and the fitted pipeline that it replaces."""

    pipeline: Pipeline
    contract: Contract
    session: Session
    real: dict[str, NDArray[Any]]
    """Raw inputs of real applicants, by input of the graph."""
    binary: frozenset[str]
    """Names of the boolean columns."""
    scale: Scale
    edges: list[float]
    """Ascending edges of the score bands."""
    grades: Grades | None = None
    batch: Batch | None = None
    """Tables that answer as the graph does."""


@dataclass(frozen=True)
class Claim:
    """Claim that a graph answers as a fitted pipeline does, within a tolerance."""

    contract: Contract
    session: Session
    real: dict[str, NDArray[Any]]
    """Raw inputs of real applicants, by input of the graph."""
    scale: Scale
    edges: list[float]
    tolerance: Tolerance
    at_once: int
    """Number of rows compared at a time."""
    grades: Grades | None = None
    batch: Batch | None = None


def certify(candidate: Candidate, progress: Callable[[str], None] = lambda _: None) -> Findings:
    """Compare the session with the fitted pipeline on every kind of row and return the certificate's findings.

    Raises ExportRefused, with the first finding that is beyond the tolerance.
    """
    pipeline, contract, session = candidate.pipeline, candidate.contract, candidate.session
    real, binary, scale = candidate.real, candidate.binary, candidate.scale
    at_once = rows_at_once(pipeline[0])
    answered = (
        (kind, ((part, ask_pipeline(pipeline, part)) for inputs in parts for part in batches(inputs, at_once)))
        for kind, parts in kinds_of_rows(pipeline, contract, real, binary, at_once)
    )
    tolerance = Tolerance.of(pipeline[1])
    claim = Claim(
        contract, session, real, scale, candidate.edges, tolerance, at_once, candidate.grades, candidate.batch
    )
    return prove(claim, answered, lambda: prove_signs(pipeline, contract, session, real, binary, scale), progress)


def prove(
    claim: Claim,
    answered: Iterable[tuple[str, Iterable[tuple[dict[str, NDArray[Any]], Answer]]]],
    prove_monotone: Callable[[], list[ProvenSign]],
    progress: Callable[[str], None] = lambda _: None,
) -> Findings:
    """The certificate's findings on `answered` rows: by kind, inputs of the graph with the answer that they shall have.

    Raises ExportRefused, with the first finding that is beyond the tolerance.
    """
    contract, session, tolerance = claim.contract, claim.session, claim.tolerance
    rows: list[Comparison] = []
    tables = None if claim.batch is None else ComparedTables(claim.batch)
    for kind, parts in answered:
        progress(kind)
        compared = []
        for part, expected in parts:
            answer = ask_graph(session, part)
            compared.append(compare(kind, expected, answer, claim.scale, claim.edges, claim.grades))
            if tables is not None:
                tables.compare(kind, part, answer)
        if compared:  # no split where the penalties leave nothing but leaves
            rows.append(together(kind, compared))
            refuse_difference(rows[-1], tolerance)
    progress("calibrator")
    calibrators = [
        compare_calibrator(contract.model, number, *calibration, reads_float64=contract.mean_of_margins)
        for number, calibration in enumerate(contract.calibrations)
    ]
    for calibrator in calibrators:
        refuse_calibrator(calibrator, tolerance)
    progress("single rows")
    single = compare_single_rows(session, claim.real, claim.at_once, tolerance)
    progress("monotone signs")
    monotone = prove_monotone()
    findings: Findings = {
        "tolerances": {
            "margins_bit_equal_share": tolerance.margin_share,
            "probability_difference": tolerance.probability,
            "probabilities_bit_equal_share": tolerance.probability_share,
            "bands_that_differ": 0,
        },
        "rows": [row.as_dict() for row in rows],
        "total": together("all", rows).as_dict(),
        "calibrators": calibrators,
        "single_rows": single,
        "monotone": monotone,
    }
    if claim.grades is not None:
        findings["tolerances"]["grades_that_differ"] = 0
    if tables is not None:
        findings["batch"] = tables.found
    return findings


def kinds_of_rows(
    pipeline: Pipeline, contract: Contract, real: dict[str, NDArray[Any]], binary: frozenset[str], at_once: int
) -> Iterator[tuple[str, Iterable[dict[str, NDArray[Any]]]]]:
    """The rows of a certificate by kind, in chunks of about `at_once` rows."""
    columns = probes.RawColumns(pipeline[0], binary)
    count = len(real["numbers"])
    used = min(count, RANDOM_AND_REAL_ROWS // 2)
    real = {name: matrix[:used] for name, matrix in real.items()}
    yield "at every split", probes.at_every_split(contract.ensembles, columns, real, at_once)
    yield "missing values", [probes.without_values(columns, real)]
    yield "infinite and extreme numbers", [probes.beyond_range(columns, real)]
    if pipeline[0].vocabularies_:
        yield "every level and unseen ones", probes.with_unseen_categories(columns, real, at_once)
    yield "real applicants", [real]
    drawn = range(0, RANDOM_AND_REAL_ROWS - used, at_once)
    yield (
        "random applicants",
        (
            probes.at_random(columns, real, min(at_once, RANDOM_AND_REAL_ROWS - used - first), seed)
            for seed, first in enumerate(drawn)
        ),
    )


def refuse_difference(found: Comparison, tolerance: Tolerance) -> None:
    """Raise ExportRefused where a comparison is beyond the tolerance."""
    where = f"rows of the kind '{found.kind}' ({found.rows:,} rows)"
    if found.margins_bit_equal < tolerance.margin_share * found.margins:
        raise ExportRefused(
            f"margins differ on {where}: {found.margins - found.margins_bit_equal:,} of {found.margins:,} are not "
            "bit-equal to XGBoost's; the graph is not written"
        )
    if found.largest_probability_difference > tolerance.probability:
        raise ExportRefused(
            f"probabilities differ on {where}: by up to {found.largest_probability_difference:.2e}, the tolerance is "
            f"{tolerance.probability:.1e}; the graph is not written"
        )
    if found.rows and found.probabilities_bit_equal < tolerance.probability_share * found.rows:
        raise ExportRefused(
            f"probabilities differ on {where}: {found.probabilities_bit_equal:,} are bit-equal, the tolerance is "
            f"{tolerance.probability_share:.1%}; the graph is not written"
        )
    if found.bands_that_differ:
        raise ExportRefused(f"bands differ on {where}: {found.bands_that_differ:,} rows; the graph is not written")
    if found.grades_that_differ:
        raise ExportRefused(f"grades differ on {where}: {found.grades_that_differ:,} rows; the graph is not written")


def compare_calibrator(
    model: onnx.ModelProto, number: int, calibrator: Any, reads: str, makes: str, *, reads_float64: bool
) -> ComparedCalibrator:
    """Compare a calibrator, cut out of the graph, with scikit-learn's.

    The values are every knot and its two neighbours, values between the knots and beyond them; for a sigmoid, the whole
    range of its exponential.
    """
    dtype = np.float64 if reads_float64 else np.float32
    part = cut(model, {reads: dtype}, makes)
    values = calibrator_values(calibrator, dtype)
    session = open_session(part.SerializeToString())
    got = session.run(None, {reads: values[:, None]})[0][:, 0]
    expected = expit(values) if calibrator is None else calibrator.predict(values)
    expected = np.asarray(expected, dtype=np.float64)
    return {
        "calibrator": number,
        "kind": "none" if calibrator is None else type(calibrator).__name__.strip("_"),
        "reads": str(np.dtype(dtype)),
        "knots": len(calibrator.X_thresholds_) if isinstance(calibrator, IsotonicRegression) else 0,
        "values": len(values),
        "bit_equal": bits_equal(expected, got),
        "largest_difference": largest_difference(expected, got),
    }


def calibrator_values(calibrator: Any, dtype: type[np.floating[Any]]) -> NDArray[Any]:
    """The values on which a calibrator is tried."""
    if isinstance(calibrator, IsotonicRegression):
        knots = np.asarray(calibrator.X_thresholds_, dtype=dtype)
        up, down = dtype(np.inf), dtype(-np.inf)
        between = (knots[1:] + knots[:-1]) / dtype(2)
        beyond = np.array([knots[0] - 1, knots[0] - 100, knots[-1] + 1, knots[-1] + 100], dtype=dtype)
        return np.concatenate([knots, np.nextafter(knots, down), np.nextafter(knots, up), between, beyond])
    return np.linspace(-60, 60, 20_001).astype(dtype)


def refuse_calibrator(found: ComparedCalibrator, tolerance: Tolerance) -> None:
    """Raise ExportRefused for a calibrator that differs from scikit-learn's.

    On its own input a calibrator may differ by no more than a sigmoid on the margin does, and an isotonic one not at
    all.
    """
    limit = ISOTONIC_ON_MARGIN if found["knots"] else SIGMOID_ON_MARGIN
    if found["largest_difference"] > limit:
        raise ExportRefused(
            f"calibrator {found['calibrator']} ({found['kind']}) differs by up to {found['largest_difference']:.2e} "
            f"from scikit-learn's on {found['values']:,} values, the tolerance is {limit:.1e}; the graph is not written"
        )


def compare_single_rows(
    session: Session, real: dict[str, NDArray[Any]], at_once: int, tolerance: Tolerance
) -> SingleRows:
    """Compare real rows one at a time with the same rows in a batch.

    Raises ExportRefused where a bit differs or, where margins need not have the same bits, where a probability differs
    by more than the tolerance.
    """
    rows = min(SINGLE_ROWS, len(real["numbers"]))
    batch = ask_graph(session, {name: matrix[:rows] for name, matrix in real.items()}, at_once)
    equal = close = 0
    for row in range(rows):
        one = ask_graph(session, {name: matrix[row : row + 1] for name, matrix in real.items()})
        same_margin = bits_equal(one.margin, batch.margin[row : row + 1]) == one.margin.size
        equal += same_margin and bits_equal(one.probability, batch.probability[row : row + 1]) == 1
        difference = largest_difference(one.probability, batch.probability[row : row + 1])
        close += tolerance.margin_share < 1 and difference <= tolerance.probability
    if (held := max(equal, close)) != rows:
        raise ExportRefused(
            f"{rows - held:,} of {rows:,} rows get another answer alone than in a batch; the graph is not written"
        )
    return {"rows": rows, "bit_equal": equal}


def versions() -> dict[str, str]:
    """The versions that were compared, and the platform."""
    found = {package: version(package) for package in PACKAGES}
    where = {"python": platform.python_version(), "machine": platform.machine(), "c_library": c_library()}
    return {**where, **found}


def c_library() -> str:
    """The C library by name and version: its exponential function decides on the last bit of a probability."""
    name, number = platform.libc_ver()
    if name:
        return f"{name} {number}"
    if sys.platform == "win32":
        return f"ucrt {platform.version()}"  # a part of Windows
    if sys.platform == "darwin":
        return f"libSystem {platform.mac_ver()[0]}"
    return "unknown"  # musl does not tell its version
