"""The score along one feature at a time, with all others unchanged."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import cpu_count
from numpy.typing import NDArray

from runtime.score import Scale
from validation.bands import scores_of
from validation.sample import sampled_rows
from validation.weights import masses

MOST_ROWS = 300
MOST_VALUES = 15
MISSING = "missing"

Answer = Callable[[pd.DataFrame], NDArray[np.float64]]


@dataclass(frozen=True)
class Axis:
    """A feature as people name it: the raw columns that carry it, and its value in each of N rows.

    `values` are float64 with NaN for missing, or objects: levels, with None for missing. `weight` [N] are the rows'.
    """

    name: str
    columns: Sequence[str]
    values: NDArray[Any]
    weight: NDArray[np.float64] | None = None


def dependence(
    answer: Answer,
    frame: pd.DataFrame,
    scale: Scale,
    axes: Sequence[Axis],
    seed: int,
    weight: NDArray[np.float64] | None = None,
) -> dict[str, pd.DataFrame]:
    """For each axis, the model's answers if everybody had the same value there.

    Partial dependence (Friedman 2001, doi:10.1214/aos/1013203451) of the score for up to MOST_ROWS of `frame` [N]:
    `Value`, `Mean score` and its quartiles `Low` and `High` in points, and `Share`, the % of all rows that have about
    this value. Numbers are up to MOST_VALUES quantiles, ascending; levels the most frequent ones, the riskiest first.
    Missing is a value of its own, the last: NaN of numbers, "missing" of levels. `answer` gives the probability of
    default [N] for raw columns. With weights [N] means, quartiles and shares are weighted.
    """
    rows = frame.iloc[sampled_rows(len(frame), MOST_ROWS, seed, weight)]
    with ThreadPoolExecutor(min(cpu_count(), len(axes) or 1)) as threads:
        tables = threads.map(lambda axis: _along(answer, rows, scale, axis), axes)
        return {axis.name: table for axis, table in zip(axes, tables, strict=True)}


def _along(answer: Answer, rows: pd.DataFrame, scale: Scale, axis: Axis) -> pd.DataFrame:
    is_category = axis.values.dtype == object
    weight = masses(axis.weight, len(axis.values))
    values, shares = (_levels if is_category else _quantiles)(axis.values, weight)
    everybody = rows.iloc[np.tile(np.arange(len(rows)), len(values))].reset_index(drop=True)
    asked = np.repeat(values, len(rows))
    score = scores_of(answer(everybody.assign(**dict.fromkeys(axis.columns, asked))), scale)
    low, high = np.quantile(score.reshape(len(values), -1), [0.25, 0.75], axis=1)
    mean = score.reshape(len(values), -1).mean(axis=1)
    table = pd.DataFrame({"Value": values, "Mean score": mean, "Low": low, "High": high, "Share": shares})
    if not is_category:
        return table
    by_risk = table.sort_values(["Mean score"], kind="stable", ignore_index=True)
    known = by_risk["Value"].notna()
    return pd.concat([by_risk[known], by_risk[~known].assign(Value=MISSING)], ignore_index=True)


def _quantiles(column: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """All values of a column if they are few, else its quantiles; and the share in % of what is nearest to each."""
    known = column[~np.isnan(column)]
    values = np.unique(known)
    if len(values) > MOST_VALUES:
        values = np.unique(np.quantile(known, np.linspace(0.01, 0.99, MOST_VALUES), method="inverted_cdf"))
    nearest = np.searchsorted((values[1:] + values[:-1]) / 2, known)
    there = ~np.isnan(column)
    sizes = np.bincount(nearest, weight[there], len(values)) if len(values) else np.zeros(0)
    if len(known) < len(column):
        values, sizes = np.append(values, np.nan), np.append(sizes, weight[~there].sum())
    return values, 100 * sizes / weight.sum()


def _levels(column: NDArray[Any], weight: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The most frequent levels of a column and their share in %; None for missing."""
    levels = pd.Series(column)
    values = levels.value_counts().head(MOST_VALUES).index.tolist()
    by_level = pd.Series(weight).groupby(levels).sum()
    sizes = [float(by_level[value]) for value in values]
    missing = levels.isna().to_numpy()
    if missing.any():
        values, sizes = [*values, None], [*sizes, float(weight[missing].sum())]
    return np.array(values, dtype=object), 100 * np.array(sizes) / weight.sum()
