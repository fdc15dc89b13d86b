"""Does the model still rank? The area under the ROC curve, on scores and on grades, now and initially."""

from typing import Any

import numpy as np

from validation.calibration import CONFIDENCE
from validation.initial import area_in
from validation.intervals.bootstrap import bootstrap
from validation.metrics import evaluate
from validation.sections.json_types import known
from validation.sections.section import Claim, Part, Subject
from validation.statistics.auc import (
    Area,
    against_initial,
    area_of_counts,
    area_of_ranks,
    interval,
    with_both,
)
from validation.statistics.outcome import Tested

RANKING = ("roc_auc", "gini", "ks", "pr_auc")


def make(subject: Subject) -> Part:
    """Figures, and the claim that the AUC on grades is below the initial one."""
    if why := subject.why_no_tests:
        return Part(None, why)
    rows, target = subject.known, subject.known.target
    threshold = 0.5  # of metrics that need one, which are not shown
    metrics = evaluate(target, rows.probability, threshold, subject.scale.probability_limits, rows.weight)
    bounds: dict[str, Any] = {}
    method = "DeLong on the logit scale"
    if rows.clusters is not None and subject.resamples:
        drawn = bootstrap(
            target,
            rows.probability,
            threshold,
            subject.resamples,
            subject.seed,
            subject.scale.probability_limits,
            rows.weight,
            rows.clusters,
        )
        bounds = {name: drawn.bounds[name] for name in RANKING if name in drawn.bounds}
        method = f"bootstrap of {len(np.unique(rows.clusters)):,} clusters, {subject.resamples} draws"
    elif rows.weight is None:
        low, high = interval(area_of_ranks(target, rows.probability), CONFIDENCE)
        bounds = {"roc_auc": (low, high), "gini": (2 * low - 1, 2 * high - 1)}
    counts = subject.rating.counts(subject.known_grades)
    defaults = subject.rating.counts(subject.known_grades, rows.outcome)
    now = area_of_counts(defaults, counts - defaults)
    figure: dict[str, Any] = {
        "metrics": {name: metrics[name] for name in RANKING},
        "intervals": bounds,
        "method": method,
        "training": None if subject.training is None else subject.training.get("roc_auc"),
        "grades": {"auc": now.value, "variance": now.variance},
        "initial": None,
        "why_no_initial": subject.no_initial,
    }
    claims = []
    if subject.initial is not None:
        then = area_in(subject.initial)
        alone, both = against_initial(then.value, now), with_both(then, now)
        figure["initial"] = {
            "auc": then.value,
            "variance": then.variance,
            "template": {"statistic": alone.statistic, "p": alone.p},
            "with_both": {"statistic": both.statistic, "p": both.p},
        }
        claims = [_claim(then, now, both)]
    return Part(known(figure), claims=claims)


def _claim(then: Area, now: Area, both: Tested) -> Claim:
    return Claim(
        "discrimination",
        "The model ranks worse than at its initial validation",
        both.p,
        now.value,
        f"{then.value:.3f} at the initial validation",
        "custom",
        f"The AUC on grades is {now.value:.3f}, {then.value - now.value:.3f} lower than initially. Both are estimates, "
        "so both variances count. Look for segments and features that have changed, then recalibrate or train again.",
    )
