"""Findings beyond a limit, which a validator reads first, and the remedy for each.

A clean model should raise no alarm. The interval of a figure misses the ideal value one time in twenty by chance, so an
alarm is raised only beyond 1.5 times that distance, which chance reaches 3 times in 1,000.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cli.words import counted
from runtime.score import Scale
from validation import remedies
from validation.copies import Copies
from validation.documents import Alarm
from validation.evidence import Answered
from validation.weights import effective_size

# Share of the applicants whose odds are within a factor of two of the best. On four tables calibrated log-odds have 3
# to 13 %, and a sigmoid on probabilities, which cannot reach small ones, 32 to 96 %.
SQUEEZED = 0.25
# Share of probabilities that the score cannot distinguish from certainty. Log-odds have none.
ON_LIMIT = 0.001
# Share of the applicants with one and the same probability. Isotonic plateaus hold 10 to 18 %, where they follow many
# defaults, and up to 40 % of weak models; others 1 % at most.
TIED = 0.05
TIED_BY_ISOTONIC = 0.25
# ROC-AUC of train above that of test: a tenth in Gini.
GAP = 0.05
# With fewer, figures of a validation are too uncertain: Collins, Ogundimu and Altman (2016, doi:10.1002/sim.6787).
LEAST_DEFAULTS = 100

CHANCE = 0.5  # ROC-AUC

# Whole models of credit risk hardly ever rank better; a leak does.
TOO_GOOD = 0.97
# Share of the test's rows that are copies of training rows.
COPIES = 0.01
# Share of the training rows whose level of a category has too few rows to be learnt by itself.
THIN = 0.5
# A calibration figure is off where its ideal is this many times the interval's half-width away.
HALF_WIDTHS = 1.5
NAMED = 5  # features that an alarm names

Figures = Mapping[str, Mapping[str, float]]
Intervals = Mapping[str, Mapping[str, tuple[float, float]]]
Finding = tuple[str, float, float, str]


@dataclass(frozen=True)
class Examined:
    """Figures that alarms are raised on; those unknown to a validation are left out.

    `metrics` and `intervals` are by part and name, `stability` is that of validation.stability.shifts, `leaks` the
    features that seem to know the outcome with the reason of each, `thin` the share of each category's training rows in
    its pool of rare levels, `calibrator` "sigmoid", "isotonic" or "none", `on_margin` whether it reads margins.
    `by_auto` whether it was chosen by its losses. `split` is "stratified", "time" or "group", `can_group` whether a
    split by groups would be another, `test_from` whether the settings name the test's first moment, `can_tune` whether
    a search for parameters is possible and was not made. `left_out` of the test's `resamples` held one class only.
    """

    test: Answered
    scale: Scale
    metrics: Figures
    intervals: Intervals
    calibrator: str = "sigmoid"
    by_auto: bool = False
    on_margin: bool = True
    correct_spread: bool = True
    split: str = "stratified"
    can_group: bool = True
    test_from: bool = False
    can_tune: bool = True
    stability: Mapping[str, Any] | None = None
    leaks: Mapping[str, str] = field(default_factory=dict)
    copies: Copies | None = None
    thin: Mapping[str, float] = field(default_factory=dict)
    left_out: int = 0
    resamples: int = 1


def alarms(examined: Examined) -> list[Alarm]:
    """Each finding as `name`, `value`, `limit` and a sentence, `message`; empty is good."""
    found = [
        *_leaks(examined),
        *_copies(examined),
        *_moved(examined),
        *_thin(examined.thin),
        *_scores(examined),
        *_calibration(examined),
        *_ranking(examined),
        *_sample(examined),
    ]
    return [Alarm(name=name, value=value, limit=limit, message=message) for name, value, limit, message in found]


def _leaks(examined: Examined) -> Iterator[Finding]:
    if leaks := examined.leaks:
        first, reason = next(iter(leaks.items()))
        rest = f"; so {'do' if len(leaks) > 2 else 'does'} {_named(list(leaks)[1:])}" if len(leaks) > 1 else ""
        yield (
            "suspected leak",
            len(leaks),
            0,
            f"{first} {reason}{'' if reason.endswith(('?', '.')) else '.'} It may leak the outcome{rest}. Remove "
            "features that are not known at the time of the decision.",
        )
    area = examined.metrics["test"]["roc_auc"]
    if area > TOO_GOOD:
        yield (
            "ROC-AUC too good",
            area,
            TOO_GOOD,
            f"The test's ROC-AUC is {area:.3f}: look for a feature that is known only after the outcome, or for "
            "copied rows.",
        )


def _copies(examined: Examined) -> Iterator[Finding]:
    copies = examined.copies
    if copies is None or copies.by_chance:
        return
    if copies.share > COPIES:
        yield (
            "copied rows",
            copies.share,
            COPIES,
            f"{copies.share:.1%} of the test's rows equal a training row in every feature, so the test measures "
            f"memorization; {remedies.of_copies(can_group=examined.can_group)}.",
        )
    if copies.contradicting > COPIES:
        yield (
            "contradicting copies",
            copies.contradicting,
            COPIES,
            f"{copies.contradicting:.1%} of the test's rows equal training rows in every feature and have the other "
            "outcome; look for rows of one customer at several dates, or for outcomes joined to the wrong row.",
        )


def _moved(examined: Examined) -> Iterator[Finding]:
    stability = examined.stability
    if stability is None:
        return
    score = stability["score"]
    if score["moved"]:
        yield (
            "score moved",
            score["psi"],
            score["counts_from"],
            f"The score's population stability index from train to test is {score['psi']:.2f}, its limit "
            f"{score['counts_from']:.2f}: the test is of another population; "
            f"{remedies.of_others(examined.split)}.",
        )
    moved = [entry for entry in stability["features"] if entry["moved"]]
    if moved:
        worst = moved[0]
        names = _named([f"{entry['feature']} ({entry['csi']:.2f})" for entry in moved])
        yield (
            "features moved",
            worst["csi"],
            worst["counts_from"],
            f"{len(moved)} of {len(stability['features'])} features moved from train to test beyond their limit: "
            f"{names}; find what changed in each, and train without features that will stay changed.",
        )


def _thin(thin: Mapping[str, float]) -> Iterator[Finding]:
    found = sorted(((share, name) for name, share in thin.items() if share > THIN), reverse=True)
    if found:
        names = _named([f"{name} ({share:.0%})" for share, name in found])
        yield (
            "thin levels",
            found[0][0],
            THIN,
            f"Most training rows have a rare level, and the model pools rare levels into one: {names}; "
            "group levels by what they have in common, or leave the feature out.",
        )


def _scores(examined: Examined) -> Iterator[Finding]:
    test, scale = examined.test, examined.scale
    squeezed = float(np.average(test.score >= test.score.max() - scale.points_to_double, weights=test.weight))
    # A sigmoid or a plateau over margins squeezes nobody whom the outcomes separate, or the slope says so.
    too_good = examined.metrics["test"]["roc_auc"] > TOO_GOOD  # of which another alarm says what to look for
    if squeezed > SQUEEZED and not too_good and not (examined.on_margin and _has_slope_of_one(examined)):
        remedy = (
            "the features do not separate these applicants: look for features that do"
            if examined.on_margin
            else 'calibrate margins (model.calibrate_on = "margin")'
        )
        yield (
            "squeezed scores",
            squeezed,
            SQUEEZED,
            f"{squeezed:.1%} of the test's applicants are within {scale.points_to_double:g} points of the best score; "
            f"{remedy}.",
        )
    low, high = scale.probability_limits
    on_limit = float(np.average((test.probability <= low) | (test.probability >= high), weights=test.weight))
    if on_limit > ON_LIMIT:
        remedy = (
            'use model.calibration = "sigmoid"'
            if examined.calibrator == "isotonic"
            else "look for a leak, or set score.probability_limits to what the data can support"
        )
        yield (
            "probability on its limit",
            on_limit,
            ON_LIMIT,
            f"{on_limit:.1%} of the test's probabilities are at or beyond {low:g} or {high:.10g}, "
            f"where scores are clipped; {remedy}.",
        )
    tied = largest_tie(test.probability, test.weight)
    limit = TIED_BY_ISOTONIC if examined.calibrator == "isotonic" else TIED
    if tied > limit:
        remedy = (
            'isotonic plateaus or few features tie them; use model.calibration = "sigmoid", or add features'
            if examined.calibrator == "isotonic"
            else "few features or shallow trees make few different scores; add features, or deeper or more trees"
        )
        yield (
            "tied applicants",
            tied,
            limit,
            f"{tied:.1%} of the test's applicants share one probability, of "
            f"{counted(len(np.unique(test.probability)), 'different one')}; {remedy}.",
        )


def largest_tie(probability: NDArray[np.float64], weight: NDArray[np.float64] | None = None) -> float:
    """The share, 0 to 1, of the most rows that have one and the same probability [N], with weights [N]."""
    _, place = np.unique(probability, return_inverse=True)
    sizes = np.bincount(place, weights=weight)
    return float(sizes.max() / sizes.sum())


def _has_slope_of_one(examined: Examined) -> bool:
    low, high = examined.intervals["test"].get("calibration_slope", (1.0, 1.0))
    return _reaches(1.0, examined.metrics["test"]["calibration_slope"], low, high)


def _reaches(ideal: float, value: float, low: float, high: float) -> bool:
    """True where the ideal is inside an interval, or not far outside."""
    return value - HALF_WIDTHS * (value - low) <= ideal <= value + HALF_WIDTHS * (high - value)


def _calibration(examined: Examined) -> Iterator[Finding]:
    metrics, intervals = examined.metrics["test"], examined.intervals["test"]
    for name, ideal, below, above in (
        ("calibration_slope", 1.0, "probabilities are too extreme", "probabilities are not extreme enough"),
        ("calibration_intercept", 0.0, "risk is overstated", "risk is understated"),
    ):
        value = metrics[name]
        if np.isnan(value) or name not in intervals:  # too few rows for it, which the sample's findings say
            continue
        if name == "calibration_slope" and metrics["on_limit"] > ON_LIMIT:
            continue  # a few log-odds at a limit decide on a slope, and say nothing of the others
        low, high = intervals[name]
        if not _reaches(ideal, value, low, high):
            what = name.replace("_", " ")
            yield (
                what,
                value,
                ideal,
                f"The {what} on the test is {value:.3f} ({low:.3f} to {high:.3f}), expected {ideal:g}: "
                f"{below if high < ideal else above}; {_of_calibration(examined, name, too_low=high < ideal)}.",
            )


def _of_calibration(examined: Examined, name: str, *, too_low: bool) -> str:
    """Remedy for a slope or an intercept; another calibrator comes first."""
    if name == "calibration_intercept":
        rates = (examined.metrics[part]["default_rate"] for part in ("train", "test"))
        return remedies.of_intercept(
            examined.calibrator, examined.split, *rates, by_auto=examined.by_auto, can_group=examined.can_group
        )
    return remedies.of_slope(
        examined.calibrator,
        examined.split,
        by_auto=examined.by_auto,
        can_group=examined.can_group,
        on_margin=examined.on_margin,
        correct_spread=examined.correct_spread,
        too_extreme=too_low,
    )


def _ranking(examined: Examined) -> Iterator[Finding]:
    """A model that knows nothing: its calibrator may turn round margins that fall where defaults rise, by chance."""
    of_train, of_test = (examined.metrics[part]["roc_auc"] for part in ("train", "test"))
    low, high = examined.intervals["test"].get("roc_auc", (of_test, of_test))
    where, area = ("train", of_train) if of_train < CHANCE else ("the test", of_test)
    if of_train < CHANCE or low <= CHANCE:
        interval = "" if of_train < CHANCE else f" ({low:.3f} to {high:.3f})"
        yield (
            "no better than chance",
            area,
            CHANCE,
            f"ROC-AUC on {where} is {area:.3f}{interval}, and chance has {CHANCE}: the features may tell "
            "nothing of the outcome, and what the model has learnt of them is noise; look for features that do.",
        )


def _sample(examined: Examined) -> Iterator[Finding]:
    metrics, left_out, resamples = examined.metrics, examined.left_out, examined.resamples
    area = metrics["test"]["roc_auc"]
    gap = metrics["train"]["roc_auc"] - area
    _, high = examined.intervals["test"].get("roc_auc", (area, area))
    if gap - HALF_WIDTHS * (high - area) > GAP:  # by chance the test may be that much harder
        yield (
            "ROC-AUC gap",
            gap,
            GAP,
            f"ROC-AUC is {gap:.3f} lower on the test than on train; {remedies.of_gap(can_tune=examined.can_tune)}.",
        )
    defaults = int(metrics["test"]["defaults"])
    others = len(examined.test.target) - defaults
    for name, outcome, count, words in (
        ("few defaults", 1, defaults, "defaults"),
        ("few non-defaults", 0, others, "applicants without a default"),
    ):
        worth, by_weight = float(count), ""
        if examined.test.weight is not None:
            worth = effective_size(examined.test.weight[examined.test.target == outcome])
            by_weight = f", worth {worth:,.0f} of equal weight"
        if worth < LEAST_DEFAULTS:
            yield (
                name,
                worth,
                LEAST_DEFAULTS,
                f"The test has {count:,} {words}{by_weight}; {remedies.of_few(test_from=examined.test_from)}, before "
                "you rely on its figures.",
            )
    if left_out:
        yield (
            "draws left out",
            left_out / resamples,
            0.0,
            f"{left_out:,} of the bootstrap's {resamples:,} draws of the test held one class only and were left out; "
            "do not rely on the intervals.",
        )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
