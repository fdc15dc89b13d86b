"""Reasons of the test's applicants as tables: points of each reason, along its values, frequency and stability."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST_REASONS = 4  # principal reasons of an answer; runtime.explain has the same
MOST_BINS = 12  # of the values of a feature
QUANTILES = {"5 %": 0.05, "25 %": 0.25, "Median": 0.5, "75 %": 0.75, "95 %": 0.95}
MOST_STEPS = 8  # of a waterfall, besides the rest


@dataclass(frozen=True)
class Waterfall:
    """Composition of one applicant's points, in the order of size."""

    title: str
    base: float
    steps: list[tuple[str, float]]
    """Reason, with its value, and points; the last may be all others."""
    total: float


@dataclass(frozen=True)
class ReasonsEvidence:
    """Figures on the reasons that this model would give."""

    method: str
    reference: str
    rows: int
    """Reference rows."""
    total: int
    """Training rows of which they were drawn."""
    adds_up: bool
    cutoff: float
    cutoff_by: str
    sampled: int
    """Applicants of the test in `summary` and `dependence`, drawn."""
    of_band: int
    """Applicants of a band in `frequency`, at most."""
    declined: int
    """Applicants below the cut-off in `stability`, drawn."""
    summary: pd.DataFrame
    """Feature, "Mean points" (absolute), and quantiles of points; the largest first."""
    dependence: Mapping[str, pd.DataFrame]
    """Table of the first features: Value, "Mean points", Low, High (quartiles), Share of the applicants."""
    waterfalls: list[Waterfall]
    frequency: pd.DataFrame
    """Band, Applicants, then of each reason the share of them, 0 to 1, who get it."""
    stability: pd.DataFrame
    """Change, and shares 0 to 1 of the declined that keep the same four reasons and the same first."""
    texts: pd.DataFrame
    """Text of each reason in answers."""


def principal(cents: Sequence[int], inquiries: Collection[int] = ()) -> list[int]:
    """The reasons of an answer: up to four that cost the most, and a fifth of `inquiries`."""
    order = sorted(range(len(cents)), key=cents.__getitem__)
    named = [reason for reason in order[:MOST_REASONS] if cents[reason] < 0]
    return named + [reason for reason in order[MOST_REASONS:] if cents[reason] < 0 and reason in inquiries][:1]


def summary(names: Sequence[str], points: NDArray[np.float64]) -> pd.DataFrame:
    """Mean absolute value and quantiles of points [N, reasons], the largest first."""
    mean = np.abs(points).mean(axis=0)
    order = np.argsort(-mean, kind="stable")
    low_to_high = np.quantile(points[:, order], list(QUANTILES.values()), axis=0)
    columns = {"Feature": [names[i] for i in order], "Mean points": mean[order]}
    return pd.DataFrame(columns | dict(zip(QUANTILES, low_to_high, strict=True)))


def along(values: NDArray[np.float64] | NDArray[np.object_], points: NDArray[np.float64]) -> pd.DataFrame:
    """Points [N] along values [N]: at each where there are few, else in bins of as many applicants each."""
    known = ~pd.isna(values)
    groups: list[tuple[object, NDArray[np.bool_]]] = []
    if values.dtype == object:
        levels, counts = np.unique(values[known].astype(str), return_counts=True)
        groups = [(level, values == level) for level in levels[np.argsort(-counts, kind="stable")][:MOST_BINS]]
    else:
        numbers = values.astype(np.float64)
        distinct = np.unique(numbers[known])
        if len(distinct) > MOST_BINS:
            edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, MOST_BINS + 1), method="lower"))
            place = np.where(known, np.searchsorted(edges[1:-1], numbers, side="right"), -1)
            its = (place == bin_ for bin_ in range(len(edges) - 1))
            groups = [(float(np.median(numbers[those])), those) for those in its if those.any()]
        else:
            groups = [(float(value), numbers == value) for value in distinct]
    if not known.all():
        groups.append(("missing" if values.dtype == object else np.nan, ~known))
    rows = [
        (value, points[those].mean(), *np.quantile(points[those], [0.25, 0.75]), those.mean())
        for value, those in groups
    ]
    return pd.DataFrame(rows, columns=["Value", "Mean points", "Low", "High", "Share"])


def frequency(
    names: Sequence[str],
    bands: Sequence[str],
    reasons: Sequence[tuple[str, Collection[int]]],
    first: Sequence[str],
    weight: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """Frequency of each of the `first` reasons among applicants [N] of each band, given as (band, reasons).

    With weights [N] an applicant counts by weight; the number of applicants stays a count.
    """
    number = {name: i for i, name in enumerate(names)}
    counts = [1.0] * len(reasons) if weight is None else weight.tolist()
    by_band: dict[str, list[tuple[Collection[int], float]]] = {}
    for (where, named), count in zip(reasons, counts, strict=True):
        by_band.setdefault(where, []).append((named, count))
    rows = []
    for band in bands:
        if its := by_band.get(band):
            total = sum(count for _, count in its)
            shares = (sum(count for named, count in its if number[name] in named) / total for name in first)
            rows.append([band, len(its), *shares])
    return pd.DataFrame(rows, columns=["Band", "Applicants", *first])


def kept(before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> tuple[float, float]:
    """The share of applicants with the same principal reasons, in any order, and of those with the same first."""
    pairs = [(one[:MOST_REASONS], other[:MOST_REASONS]) for one, other in zip(before, after, strict=True)]
    same = [set(one) == set(other) for one, other in pairs]
    return float(np.mean(same)), float(np.mean([one[:1] == other[:1] for one, other in pairs]))


def waterfall(title: str, base: int, cents: Sequence[int], labels: Sequence[str]) -> Waterfall:
    """From hundredths of points; the largest steps one by one, the others as one."""
    order = [i for i in sorted(range(len(cents)), key=lambda i: -abs(cents[i])) if cents[i]]
    steps = [(labels[i], cents[i] / 100) for i in order[:MOST_STEPS]]
    if rest := order[MOST_STEPS:]:
        others = f"{len(rest)} others" if len(rest) > 1 else labels[rest[0]]
        steps.append((others, sum(cents[i] for i in rest) / 100))
    return Waterfall(title, base / 100, steps, (base + sum(cents)) / 100)
