"""The rows with which applicants may be compared: a draw of the training rows, or a file of the user."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cli.errors import UserError
from cli.progress import Progress
from table import read_applicants
from training.settings import Settings
from training.settings.reasons import ALL, AT_CUTOFF, BEST, NAMED, NONE

REFERENCE_ROWS, OWN_ROWS = "reference.parquet", "reference-own.parquet"
MOST_ROWS = 10_000  # between two draws of 10,000 the same four reasons stand in about 99 of 100 cases
LEAST_ROWS = 100
BEST_SHARE = 0.05


@dataclass(frozen=True)
class ReferenceRows:
    """Applicants whom others are compared with."""

    frame: pd.DataFrame  # raw columns
    total: int  # of whom they were drawn
    weighted: bool = False  # each drawn as often as its weight says


def write_reference(
    folder: Path,
    settings: Settings,
    frame: pd.DataFrame,
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> None:
    """Write the draw of the training rows `frame` [N], with their scores; each as likely as its weight."""
    _write(drawn_rows(frame, score, settings.split.seed, weight), folder / REFERENCE_ROWS)


def write_own_rows(folder: Path, settings: Settings, own: pd.DataFrame | None) -> None:
    """Write the rows of the user's file, where the settings name one."""
    if own is not None:
        _write(drawn_rows(own, np.zeros(len(own)), settings.split.seed), folder / OWN_ROWS)


def read_own_rows(settings: Settings, progress: Progress) -> pd.DataFrame | None:
    """The applicants of the file that the settings name; None where they name none. Raises UserError."""
    file = settings.reasons.reference
    if file in NAMED:
        return None
    data = replace(settings.data, file=file, exclude={}, weight=None)  # its rows count alike
    frame = read_applicants(replace(settings.schema, data=data), progress).frame
    if len(frame) < LEAST_ROWS:
        raise UserError(f"{file}: reasons.reference: expected {LEAST_ROWS} applicants or more, found {len(frame)}")
    return frame


def read_drawn(folder: Path, files: Collection[str]) -> dict[str, pd.DataFrame]:
    """The reference rows that a run has kept, by file, with their scores in the last column."""
    return {name: pd.read_parquet(folder / name) for name in (REFERENCE_ROWS, OWN_ROWS) if name in files}


def reference_rows(
    settings: Settings, kept: Mapping[str, pd.DataFrame], own: pd.DataFrame | None = None
) -> ReferenceRows | None:
    """The rows that the settings choose of those kept; `own` are those of a file that has just been read.

    None where the run has kept none, the settings want none, or the training rows are too few. Raises UserError where a
    choice of the user's leaves fewer than 100.
    """
    reasons = settings.reasons
    if reasons.reference == NONE:
        return None
    if reasons.reference not in NAMED:
        drawn = kept.get(OWN_ROWS) if own is None else drawn_rows(own, np.zeros(len(own)), settings.split.seed)
        return None if drawn is None else _without_score(drawn)
    drawn = kept.get(REFERENCE_ROWS)
    if drawn is None:
        return None
    score = drawn.iloc[:, -1].to_numpy()
    if reasons.reference == ALL:
        return _without_score(drawn) if len(drawn) >= LEAST_ROWS else None
    if reasons.reference == AT_CUTOFF:
        low = float(reasons.cutoff or 0)
        chosen = (score >= low) & (score <= low + reasons.window)
        where = f"{reasons.window:g} points from {low:g} up, where the reference rows score {score.min():.0f} to "
        where += f"{score.max():.0f}; move reasons.cutoff, or widen reasons.window"
    else:
        assert reasons.reference == BEST
        count = max(round(BEST_SHARE * len(score)), LEAST_ROWS)
        chosen = np.zeros(len(score), dtype=bool)
        chosen[np.argsort(-score, kind="stable")[:count]] = True
        where = 'the training part; use reasons.reference = "all"'
    if chosen.sum() < LEAST_ROWS:
        raise UserError(
            f"reasons.reference: {reasons.reference}: expected {LEAST_ROWS} rows or more, found {chosen.sum()} "
            f"in {where}"
        )
    return _without_score(drawn[chosen], drawn.attrs)


def drawn_rows(
    frame: pd.DataFrame, score: NDArray[np.float64], seed: int, weight: NDArray[np.float64] | None = None
) -> pd.DataFrame:
    """Up to 10,000 rows of `frame` [N], with their scores in a last column.

    With weights a row is drawn in proportion to its share of all weights, rounded up or down by chance (systematic
    sampling), so that the drawn rows, which count alike, represent rows with different weights.
    """
    count = min(len(frame), MOST_ROWS)
    rng = np.random.default_rng(seed)
    rows = np.arange(len(frame))
    if weight is not None:
        ends = np.cumsum(weight)
        points = (rng.random() + np.arange(count)) / count * ends[-1]
        rows = np.minimum(np.searchsorted(ends, points, side="right"), len(frame) - 1)
    elif len(rows) > count:
        rows = np.sort(rng.choice(rows, count, replace=False))
    drawn = frame.iloc[rows].reset_index(drop=True)
    name = "credit_score"
    while name in drawn.columns:
        name += "_"
    # Pandas warns of a column that is assigned to a wide frame.
    drawn = pd.concat([drawn, pd.Series(score[rows], name=name)], axis=1)
    drawn.attrs |= {"total": len(frame), "weighted": weight is not None}
    return drawn


def _write(drawn: pd.DataFrame, path: Path) -> None:
    drawn.to_parquet(path, index=False)


def _without_score(drawn: pd.DataFrame, about: Mapping[Any, Any] | None = None) -> ReferenceRows:
    about = drawn.attrs if about is None else about
    return ReferenceRows(drawn.iloc[:, :-1], int(about.get("total", len(drawn))), bool(about.get("weighted")))
