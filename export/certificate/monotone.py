"""The proof, on the exported graph, that the probability moves only in the direction of a feature's sign.

The claim: of two applicants who differ in one feature alone, a number that both have, the one with the larger number
has no smaller probability of default where the sign is +1, and no larger one where it is -1. A missing value is
neither larger nor smaller than any number: it is outside of the claim.

Why it holds, link by link:

* A column that trees compare never falls when the feature rises (export.certificate.tracing). `log1p` is in the
  thresholds.
* In each tree the two applicants take the same path to a split on such a column, where the smaller number goes
  left and the larger one right. If no leaf on the left is above one on the right, the tree keeps the sign, as
  XGBoost's constraint demands. Where leaves do cross, each such pair is tried: it counts only if two applicants who
  differ in nothing but the feature reach it.
* Rounding keeps order: a <= b gives round(a) <= round(b), and so round(a + c) <= round(b + c). Float32 sums over
  trees and the mean over boosters, made of such steps, therefore never fall when one addend rises.
* From the margins to the probability the graph is a function of one or a few numbers. It is cut out and evaluated at
  every knot, next to it, between knots, and on a grid beyond all margins of the boosters.
* Points fall with every rise of the probability within its limits, and stay beyond them (runtime.score).

Then the whole graph answers real applicants with the feature moved through all of its thresholds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.pipeline import Pipeline

from export.certificate.comparison import Session, ask_graph, rows_at_once
from export.certificate.crossing import crossings, moving_splits
from export.certificate.probes import Inputs
from export.certificate.tracing import Trees, trees_of
from export.converters.classifier import boosters_of
from export.documents import ProvenSign
from export.graph.pipeline import Contract, cut
from export.refusal import ExportRefused
from runtime.score import Scale
from runtime.session import open_session

# Most that rounding of a calibrator's last steps can take from a probability. Two ulp of 1; interpolation in float32
# (scikit-learn's dtype for calibrators of single boosters) ends a segment by up to an ulp above the next one's start.
ROUNDING_FLOAT64 = 4.5e-16
ROUNDING_FLOAT32 = float(np.finfo(np.float32).eps)
GRID = np.linspace(-60, 60, 20_001)
SWEPT_ROWS = 50_000  # of all features together
FEWEST_APPLICANTS = 8
SETTING = "xgboost.monotone_constraints"
NOT_WRITTEN = "the graph is not written"


@dataclass(frozen=True)
class Signed:
    """A feature, or a row maximum, with a sign."""

    name: str
    sign: int  # 1 rising, -1 falling
    members: list[int]  # its places in the input `numbers`
    binary: bool  # 0 and 1 are its only values


def prove_signs(
    pipeline: Pipeline, contract: Contract, session: Session, real: Inputs, binary: frozenset[str], scale: Scale
) -> list[ProvenSign]:
    """Prove the sign of each feature that has one.

    Each entry holds `feature`, `sign`, the `trees` and `splits` that read it, the number of `rows` compared, the
    `largest_fall` of a probability against the sign (by rounding), and `holds`. Raises ExportRefused otherwise.
    """
    signs = signs_of(pipeline, binary)
    if not signs:
        return []
    ensembles = trees_of(contract.model)
    if (lost := len(contract.ensembles) - len(ensembles)) != 0:
        raise ExportRefused(f"{SETTING}: the trees of {lost} boosters cannot be traced to the inputs; {NOT_WRITTEN}")
    rounding = ROUNDING_FLOAT64 if contract.mean_of_margins else ROUNDING_FLOAT32
    refuse_falling_calibrators(contract, rounding)
    refuse_falling_probability(contract.model, [trees.output for trees in ensembles], rounding)
    refuse_rising_scores(scale)
    asked = SWEPT_ROWS // len(signs)
    at_once = rows_at_once(pipeline[0])
    return [_prove(feature, ensembles, session, real, rounding, asked, at_once) for feature in signs]


def signs_of(pipeline: Pipeline, binary: frozenset[str] = frozenset()) -> list[Signed]:
    """The features and row maxima with a monotone constraint; `binary` names the boolean columns.

    Raises ExportRefused for constraints that no proof is known for.
    """
    given, preparation = boosters_of(pipeline[1])[0].monotone_constraints, pipeline[0]
    if given is None:
        return []
    if not isinstance(given, tuple | list):
        raise ExportRefused(
            f"monotone_constraints={given!r} is not supported here: expected a tuple with a sign for each column"
        )
    members, _ = preparation.raw_columns()
    names = [*preparation.single_, *(preparation.row_max or {}), *preparation.get_feature_names_out()[len(members) :]]
    if any(given[len(members) :]):
        named = next(name for name, sign in zip(names[len(members) :], given[len(members) :], strict=False) if sign)
        raise ExportRefused(f"monotone_constraints on {named} is not supported: a category has no order")
    return [
        Signed(names[i], int(sign), members[i], all(preparation.numbers[place] in binary for place in members[i]))
        for i, sign in enumerate(given)
        if sign
    ]


def _prove(
    feature: Signed,
    ensembles: list[Trees],
    session: Session,
    real: Inputs,
    rounding: float,
    asked: int,
    at_once: int,
) -> ProvenSign:
    numbers = frozenset(feature.members)
    for booster, trees in enumerate(ensembles):
        for found in crossings(trees, numbers, feature.sign):
            raise ExportRefused(
                f"{SETTING}: {feature.name} = {feature.sign} does not hold: in tree {found.tree} of booster {booster} "
                f"a leaf of {found.below:g} is below the threshold {found.threshold:g} and one of {found.above:g} is "
                f"above it; {NOT_WRITTEN}"
            )
    splits = [moving_splits(trees, numbers) for trees in ensembles]
    thresholds = np.concatenate([t.threshold[moving] for t, moving in zip(ensembles, splits, strict=True)])
    values = np.array([0.0, 1.0]) if feature.binary else around(np.unique(thresholds))
    rows, fall = sweep(feature, values if len(thresholds) else thresholds, session, real, rounding, asked, at_once)
    return {
        "feature": feature.name,
        "sign": feature.sign,
        "trees": sum(len(np.unique(t.tree[moving])) for t, moving in zip(ensembles, splits, strict=True)),
        "splits": len(thresholds),
        "rows": rows,
        "largest_fall": fall,
        "holds": True,
    }


def refuse_falling_calibrators(contract: Contract, rounding: float) -> None:
    """Raise ExportRefused, naming the calibrator, where its probability falls as its input rises."""
    dtype = np.float64 if contract.mean_of_margins else np.float32
    for number, (calibrator, reads, makes) in enumerate(contract.calibrations):
        values: NDArray[Any] = GRID.astype(dtype)
        if isinstance(calibrator, IsotonicRegression):
            knots: NDArray[Any] = np.asarray(calibrator.X_thresholds_, dtype=dtype)
            up, down = np.nextafter(knots, dtype(np.inf)), np.nextafter(knots, dtype(-np.inf))
            between = np.linspace(knots[0] - 1, knots[-1] + 1, len(GRID), dtype=dtype)
            values = np.concatenate([values, knots, up, down, (knots[1:] + knots[:-1]) / 2, between])
        values = np.unique(values)
        answers = _ask(cut(contract.model, {reads: dtype}, makes), {reads: values})
        _refuse_fall(answers, rounding, f"calibrator {number}", values)


def refuse_falling_probability(model: onnx.ModelProto, margins: list[str], rounding: float) -> None:
    """Raise ExportRefused where `probability` falls as margins rise, all at once or each alone."""
    part = cut(model, dict.fromkeys(margins, np.float32), "probability")
    values = GRID.astype(np.float32)
    for alone in [None, *(margins if len(margins) > 1 else [])]:
        inputs = {name: values if alone in (None, name) else np.zeros_like(values) for name in margins}
        _refuse_fall(_ask(part, inputs), rounding, "the probability", values)


def _ask(part: onnx.ModelProto, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    session = open_session(part.SerializeToString())
    answers: NDArray[np.float64] = session.run(None, {name: values[:, None] for name, values in inputs.items()})[0]
    return answers.reshape(-1)


def _refuse_fall(answers: NDArray[np.float64], rounding: float, what: str, values: NDArray[Any]) -> None:
    steps = np.diff(answers)
    if not (steps >= -rounding).all():
        at = int(np.flatnonzero(~(steps >= -rounding))[0])
        raise ExportRefused(
            f"{SETTING}: {what} falls from {answers[at]:g} to {answers[at + 1]:g} as the margin rises from "
            f"{values[at]:g} to {values[at + 1]:g}; {NOT_WRITTEN}"
        )


def refuse_rising_scores(scale: Scale) -> None:
    """Raise ExportRefused where points do not fall with the probability."""
    lowest, highest = scale.probability_limits
    log_odds = np.linspace(np.log(lowest / (1 - lowest)), np.log(highest / (1 - highest)), len(GRID))
    if not (np.diff(scale.scores((1 / (1 + np.exp(-log_odds))).tolist())) < 0).all():
        raise ExportRefused(f"{SETTING}: points do not fall with each rise of the probability; {NOT_WRITTEN}")


def around(thresholds: NDArray[np.float32]) -> NDArray[np.float64]:
    """Each threshold and the float32 below it, ascending."""
    with np.errstate(over="ignore"):  # below the lowest number is minus infinity
        return np.unique(np.concatenate([np.nextafter(thresholds, np.float32(-np.inf)), thresholds]).astype(np.float64))


def sweep(
    feature: Signed,
    values: NDArray[Any],
    session: Session,
    real: Inputs,
    rounding: float,
    asked: int,
    at_once: int,
) -> tuple[int, float]:
    """Ask about `asked` real rows with the feature moved through `values`: their number, the largest fall by rounding.

    For a row maximum one member is moved, and the others are missing.
    """
    if not len(values):
        return 0, 0.0
    count = min(len(real["numbers"]), max(FEWEST_APPLICANTS, asked // len(values)))
    chosen = np.linspace(0, len(real["numbers"]) - 1, count).astype(int)
    fall = 0.0
    together = max(1, at_once // len(values))
    for applicants in (chosen[first : first + together] for first in range(0, count, together)):
        rows = {name: np.repeat(matrix[applicants], len(values), axis=0) for name, matrix in real.items()}
        rows["numbers"][:, feature.members] = np.nan
        rows["numbers"][:, feature.members[0]] = np.tile(values, len(applicants))
        answer = ask_graph(session, rows, at_once)
        margins = feature.sign * np.diff(answer.margin.reshape(len(applicants), len(values), -1), axis=1)
        steps = feature.sign * np.diff(answer.probability.reshape(len(applicants), len(values)), axis=1)
        if not ((margins >= 0).all() and (steps >= -rounding).all()):
            raise ExportRefused(
                f"{SETTING}: {feature.name} = {feature.sign} does not hold on {count * len(values):,} real rows with "
                f"its value led through all thresholds; {NOT_WRITTEN}"
            )
        fall = max(fall, float(-steps.min(initial=0.0)))
    return count * len(values), fall
