"""Reasons of the sample's customers: points by feature, and how often each is a reason below the cut-off."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.explained import Explained
from validation.fairness.compare import Answers, cutoff_of
from validation.reasons import MOST_REASONS, frequency
from validation.sample import sampled_rows
from validation.sections.json_types import known
from validation.sections.section import Floats, Part, Subject
from validation.weights import masses

MOST_ROWS = 10_000  # explained one by one, as the endpoint does


def make(subject: Subject) -> Part:
    """Points and reasons by feature or group, and the commonest first reason of each grade; no finding."""
    if subject.explain is None:
        return Part(None, subject.no_reasons)
    if subject.sample is None:
        return Part(None, "no row has its features")
    every, chosen = subject.rows, sampled_rows(len(subject.sample.rows), MOST_ROWS, subject.seed)
    places = subject.sample.rows[chosen]
    answers = Answers(every.probability, every.score, every.outcome, every.weight)
    cutoff, cutoff_by = cutoff_of(answers, subject.fairness, subject.cutoff)
    rows = every.of(places)
    its = subject.explain(subject.sample.frame.iloc[chosen], rows.probability)
    below = rows.score < cutoff
    return Part(
        known(
            {
                "basis": dict(its.basis),
                "rows": len(rows),
                "of": len(every),
                "seed": subject.seed,
                "cutoff": cutoff,
                "cutoff_by": cutoff_by,
                "below": int(below.sum()),
                "features": _features(its, masses(rows.weight, len(rows)), below),
                "kind": subject.rating.kind,
                "grades": _grades(its, subject.rating.labels, subject.grades[places], rows.weight),
            }
        )
    )


def _features(its: Explained, mass: Floats, below: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """By name the weighted points, and the shares of those `below` of whom it is a reason; the largest first."""
    mean, size = (np.average(points, axis=0, weights=mass) for points in (its.points, np.abs(its.points)))
    first, among = (_shares(its, mass, below, most) for most in (1, MOST_REASONS))
    return [
        {
            "feature": its.names[i],
            "mean_points": mean[i],
            "mean_absolute_points": size[i],
            "first_reason": first[i],
            "among_reasons": among[i],
        }
        for i in np.argsort(-size, kind="stable").tolist()
    ]


def _shares(its: Explained, mass: Floats, below: NDArray[np.bool_], most: int) -> Floats:
    """The share of those `below` who have each name among their first `most` reasons; NaN where nobody is."""
    told = np.zeros(len(its.names))
    for row in np.flatnonzero(below).tolist():
        told[list(its.named[row][:most])] += mass[row]
    return told / mass[below].sum() if below.any() else np.full(len(told), np.nan)


def _grades(
    its: Explained, labels: Sequence[str], grades: NDArray[np.intp], weight: Floats | None
) -> list[dict[str, Any]]:
    """By grade with customers the commonest first reason, and the share of the customers who get it."""
    first = sorted({its.names[named[0]] for named in its.named if named})
    reasons = [(labels[grade], named[:1]) for grade, named in zip(grades.tolist(), its.named, strict=True)]
    entries = []
    for grade, rows, *shares in frequency(its.names, labels, reasons, first, weight).itertuples(index=False, name=None):
        share = max(shares, default=0.0)
        reason = first[shares.index(share)] if share else None
        entries.append({"grade": grade, "rows": rows, "reason": reason, "share": share})
    return entries
