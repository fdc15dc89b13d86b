"""What a validator has to look at before anything else: findings beyond a limit, and what to do about each."""

from collections.abc import Iterator, Mapping

import numpy as np

from runtime.score import Scale
from validation.documents import Alarm
from validation.evidence import Part

# Share of the applicants whose odds are within a factor of two of the best. On four tables calibrated log-odds have 3
# to 13 %, and a sigmoid on probabilities, which cannot reach small ones, 32 to 96 %.
SQUEEZED = 0.25
# Share of probabilities that the score cannot tell apart from certainty. Log-odds have none.
ON_LIMIT = 0.001
# Share of the applicants with one and the same probability. Isotonic plateaus hold 10 to 18 %, others 1 % at most.
TIED = 0.05
# ROC-AUC of train above that of test: a tenth in Gini.
GAP = 0.05
# With fewer, figures of a validation are too uncertain: Collins, Ogundimu and Altman (2016, doi:10.1002/sim.6787).
LEAST_DEFAULTS = 100

Figures = Mapping[str, Mapping[str, float]]
Limits = Mapping[str, Mapping[str, tuple[float, float]]]


def alarms(
    test: Part, scale: Scale, metrics: Figures, intervals: Limits, left_out: int = 0, resamples: int = 1
) -> list[Alarm]:
    """Each finding as `name`, `value`, `limit` and a sentence, `message`; empty is good.

    `metrics` and `intervals` are by part and name; `left_out` of the test's `resamples` held one class only.
    """
    found = [
        *_scores(test, scale),
        *_calibration(metrics["test"], intervals["test"]),
        *_sample(metrics, left_out, resamples),
    ]
    return [Alarm(name=name, value=value, limit=limit, message=message) for name, value, limit, message in found]


def _scores(test: Part, scale: Scale) -> Iterator[tuple[str, float, float, str]]:
    squeezed = float((test.score >= test.score.max() - scale.points_to_double).mean())
    if squeezed > SQUEEZED:
        yield (
            "scores squeeze",
            squeezed,
            SQUEEZED,
            f"{squeezed:.1%} of the test's applicants are within {scale.points_to_double:g} points of the best score; "
            'calibrate margins (model.calibrate_on = "margin") where that is not done; where it is, the features and '
            "trees tell these applicants apart no better.",
        )
    low, high = scale.probability_limits
    on_limit = float(((test.probability <= low) | (test.probability >= high)).mean())
    if on_limit > ON_LIMIT:
        yield (
            "probability on its limit",
            on_limit,
            ON_LIMIT,
            f"{on_limit:.1%} of the test's probabilities are at or beyond {low:g} or {high:g}, where the score stays; "
            'use model.calibration = "sigmoid", or set score.probability_limits to what the data can tell apart.',
        )
    _, sizes = np.unique(test.probability, return_counts=True)
    tied = float(sizes.max() / len(test.probability))
    if tied > TIED:
        yield (
            "tied applicants",
            tied,
            TIED,
            f"{tied:.1%} of the test's applicants have one and the same probability, and all have {len(sizes):,} of "
            'them; if isotonic plateaus are the reason, use model.calibration = "sigmoid".',
        )


def _calibration(
    metrics: Mapping[str, float], intervals: Mapping[str, tuple[float, float]]
) -> Iterator[tuple[str, float, float, str]]:
    for name, ideal, below, above in (
        ("calibration_slope", 1.0, "probabilities are too extreme", "probabilities are not extreme enough"),
        ("calibration_intercept", 0.0, "risk is overstated", "risk is understated"),
    ):
        low, high = intervals.get(name, (ideal, ideal))
        if not low <= ideal <= high:
            what = name.replace("_", " ")
            yield (
                what,
                metrics[name],
                ideal,
                f"The {what} on the test is {metrics[name]:.3f}, {low:.3f} to {high:.3f}, and not {ideal:g}: "
                f"{below if high < ideal else above}; compare the calibrations, and the test's population with train.",
            )


def _sample(metrics: Figures, left_out: int, resamples: int) -> Iterator[tuple[str, float, float, str]]:
    gap = metrics["train"]["roc_auc"] - metrics["test"]["roc_auc"]
    if gap > GAP:
        yield (
            "ROC-AUC gap",
            gap,
            GAP,
            f"ROC-AUC is {gap:.3f} lower on the test than on train; take shallower or fewer trees, or --tune.",
        )
    defaults = int(metrics["test"]["defaults"])
    if defaults < LEAST_DEFAULTS:
        yield (
            "few defaults",
            defaults,
            LEAST_DEFAULTS,
            f"The test has {defaults:,} defaults; gather more, or set split.test_size higher, before figures decide.",
        )
    if left_out:
        yield (
            "draws left out",
            left_out / resamples,
            0.0,
            f"{left_out:,} of the bootstrap's {resamples:,} draws of the test held one class only and were left out; "
            "do not rely on the intervals.",
        )
