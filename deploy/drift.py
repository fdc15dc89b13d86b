"""The limits of the drift alarms, from the histograms of the training rows in a model's manifest (`reference`)."""

from collections.abc import Mapping, Sequence
from typing import Any

# The median of 100 applicants, the fewest that the alarm looks at, leaves the 30th to 70th percentile of unchanged
# applicants in 5 hours of 100,000: P(|X - 50| > 20) for X binomial with n = 100, p = 0.5 is 3.2e-5 below and above.
MEDIAN_BETWEEN = (0.3, 0.7)
# Twice the share of missing values in training, and at least five points of a hundred more.
MISSING_TIMES, MISSING_MORE = 2.0, 0.05
DECIMALS = 4  # of a parameter


def limits_of(reference: object) -> dict[str, str]:
    """The parameters ScoreMedianLow, ScoreMedianHigh (points) and MissingShare (0 to 1) that can be derived.

    Those that cannot are left out: a manifest without histograms, or a percentile in a bin without an end.
    """
    if not isinstance(reference, Mapping):
        return {}
    found: dict[str, float | None] = {}
    try:
        found = {
            "ScoreMedianLow": percentile(reference["score"], MEDIAN_BETWEEN[0]),
            "ScoreMedianHigh": percentile(reference["score"], MEDIAN_BETWEEN[1]),
            "MissingShare": _missing(reference),
        }
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return {}
    return {name: f"{value:.{DECIMALS}f}" for name, value in found.items() if value is not None}


def percentile(histogram: Mapping[str, Any], share: float) -> float | None:
    """The value (points) below which that share of the rows lies, evenly within a bin; None in a bin without an end.

    `histogram` is validation.stability's: a bin for each of `values`, one for each interval between `edges`, missing.
    """
    values, edges = [float(v) for v in histogram["values"]], [float(e) for e in histogram["edges"]]
    counts = [int(count) for count in histogram["counts"]]
    ends = [None, *edges, None]
    bins: list[tuple[float | None, float | None, int]]
    bins = [*zip(values, values, counts, strict=False)]
    bins += zip(ends, ends[1:], counts[len(values) :], strict=False)
    bins = sorted((entry for entry in bins if entry[2]), key=_middle)
    wanted = share * sum(count for _, _, count in bins)
    for low, high, count in bins:
        if wanted <= count:
            return None if low is None or high is None else low + (high - low) * wanted / count
        wanted -= count
    return None


def _middle(entry: tuple[float | None, float | None, int]) -> float:
    low, high, _ = entry
    if low is None or high is None:
        return float("-inf") if low is None and high is not None else float("inf")
    return (low + high) / 2


def _missing(reference: Mapping[str, Any]) -> float:
    """Mean share of missing values over the features, in training, and what may come on top."""
    features: Sequence[Mapping[str, Any]] = list(reference["features"].values())
    share = sum(int(entry["counts"][-1]) for entry in features) / (int(reference["rows"]) * len(features))
    return min(1.0, max(MISSING_TIMES * share, share + MISSING_MORE))
