"""Figures of parts of the rows: of each period, of each level of a segment."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.calibration import CONFIDENCE, interval
from validation.sections.json_types import known
from validation.sections.section import Claim, Coded, Rows, Subject
from validation.statistics.auc import area_of_ranks
from validation.statistics.auc import interval as interval_of_area
from validation.statistics.jeffreys import counted, jeffreys

NO_NAME = "none"


def entries_of(subject: Subject, coded: Coded) -> tuple[list[dict[str, Any]], int, int]:
    """An entry for each level with rows enough, in order; and how many levels, and rows, are too few to be shown.

    Rows without a name come last. Counts of customers with a known outcome; a level that has them for too few has the
    share of all rows only.
    """
    least, rows = subject.settings.least, subject.rows
    codes = np.where(coded.codes < 0, len(coded.levels), coded.codes)
    sizes = np.bincount(codes, minlength=len(coded.levels) + 1)
    order = np.argsort(codes, kind="stable")
    ends = sizes.cumsum()
    entries, hidden, without = [], 0, 0
    for place, label in enumerate([*coded.levels, NO_NAME]):
        if not sizes[place]:
            continue
        if sizes[place] < least:
            hidden, without = hidden + 1, without + int(sizes[place])
            continue
        its = order[ends[place] - sizes[place] : ends[place]]
        entries.append({"level": label, "rows": int(sizes[place]), **_outcomes(rows, its, least)})
    return entries, hidden, without


def _outcomes(rows: Rows, its: NDArray[Any], least: int) -> dict[str, Any]:
    outcome, probability = rows.outcome[its], rows.probability[its]
    found: dict[str, Any] = {"mean_score": float(rows.score[its].mean()), "mean_probability": float(probability.mean())}
    there = ~np.isnan(outcome)
    if (size := int(there.sum())) < least:
        return found | {"known": size}
    target, p = outcome[there].astype(np.int8), probability[there]
    defaults = int(target.sum())
    low, high = interval(np.array([defaults]), np.array([size]))
    area = area_of_ranks(target, p)
    bounds = interval_of_area(area, CONFIDENCE)
    expected = float(p.mean())
    counts = np.array([expected]), np.array([float(size)]), np.array([float(defaults)])
    tested: dict[str, Any] = known(
        {
            "known": size,
            "defaults": defaults,
            "observed": defaults / size,
            "low": float(low[0]),
            "high": float(high[0]),
            "expected": expected,
            "p": float(jeffreys(*counts)[0]),
            "counted": float(counted(*counts)[0]),
            "auc": area.value,
            "auc_low": bounds[0],
            "auc_high": bounds[1],
        }
    )
    return found | tested


def claims_of(family: str, what: str, entries: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """That the risk of each is understated."""
    return [
        Claim(
            family,
            f"Risk is understated: {what} {entry['level']}",
            entry["counted"],
            entry["observed"],
            f"{100 * entry['expected']:.2f} % predicted",
            "custom",
            f"{entry['defaults']:,} of {entry['known']:,} customers defaulted, {100 * entry['observed']:.2f} %, and "
            f"{100 * entry['expected']:.2f} % was predicted.",
        )
        for entry in entries
        if entry.get("p") is not None
    ]
