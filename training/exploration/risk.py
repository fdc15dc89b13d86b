"""The default rate along a feature: bins, weight of evidence, information value, ranking quality.

For a bin with g of G good and b of B bad applicants, the weight of evidence is ln((g / G) / (b / B)), which is above 0
if the bin is safer than the whole, and its part of the information value is (g / G − b / B) times that. If a bin has no
good or no bad applicant, half an applicant is used instead, so that both stay finite.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import auc

from cli.lean_imports import STATISTICS, loaded_later
from training.exploration.column import Column
from training.exploration.out_of_fold import Worth, worth_of
from validation.stability.bins import MISSING, MOST_BINS, Bins, intervals

LEVELS_SHOWN = 6
# optbinning imports these for figures, tests and piecewise regressions: most of the time that it takes to import, and
# more memory than the bins need. They still work for those who ask for them in the same process.
NOT_FOR_BINS = (
    "matplotlib",
    "matplotlib.patches",
    "matplotlib.pyplot",
    "matplotlib.ticker",
    "mpl_toolkits.axes_grid1",
    "ropwr",  # it imports cvxpy and its solvers
    *STATISTICS,
)
Binned = tuple[list[str], NDArray[np.intp]]  # the name of each bin, missing last, and the bin of each row [N]


def risk_of(column: Column, *, optimal: bool = True) -> dict[str, Any]:
    """Default rates in a feature's bins, and how well the feature alone ranks.

    `bins` without empty ones, each with `bin`, `rows`, `share`, `default_rate`, `woe` and `iv`; `iv`, the information
    value; `auc`, the ROC-AUC, 0.5 to 1, missing values included.

    For numbers and booleans `iv` is the sum over the bins and `auc` the ranking by the bins' default rates. Levels are
    binned by the very rates that would be judged, so both figures of a category are out of fold (see out_of_fold).

    The bins are optbinning's. It merges small bins and pure ones, such as those of a leak. Where that leaves a single
    one, and where they need not be `optimal`, the bins are those of validation.stability. Edges follow the rows; all
    figures in the bins but `rows` are weighted.
    """
    labels, places = _binned(column) if optimal else (column.bins.labels(), column.places)
    rows = np.bincount(places, minlength=len(labels))
    found = np.flatnonzero(rows)
    good, bad = (its[found] for its in column.weights_by_class(places, len(labels)))
    half = 0.5 * column.weight.mean()
    share_of_good, share_of_bad = np.maximum(good, half) / good.sum(), np.maximum(bad, half) / bad.sum()
    woe = np.log(share_of_good / share_of_bad)
    iv = (share_of_good - share_of_bad) * woe
    rate = bad / (good + bad)
    riskiest_first = np.argsort(-rate, kind="stable")
    caught, refused = (np.append(0, part[riskiest_first].cumsum() / part.sum()) for part in (bad, good))
    bins = [
        {
            "bin": labels[found[i]],
            "rows": int(rows[found[i]]),
            "share": float((good[i] + bad[i]) / column.weight.sum()),
            "default_rate": float(rate[i]),
            "woe": float(woe[i]),
            "iv": float(iv[i]),
        }
        for i in range(len(found))
    ]
    worth = worth_of(column.codes, column.target, column.weight) if column.kind == "category" else None
    if worth is None:
        worth = Worth(float(iv.sum()), float(auc(refused, caught)))
    return {"iv": worth.iv, "auc": worth.auc, "bins": bins}


def _binned(column: Column) -> Binned:
    if column.kind == "category" and len(column.distinct) > 1:
        groups = _optimal_splits(column)
        if len(groups) > 1:
            return _by_groups(column, groups)
    elif column.kind == "number" and len(column.distinct) > 1:
        edges = _optimal_splits(column)
        if edges:
            return _by_edges(column, edges)
    return column.bins.labels(), column.places


def _optimal_splits(column: Column) -> list[Any]:
    """Inner edges of a number, ascending; groups of levels of a category, in the order of their risk."""
    with loaded_later(NOT_FOR_BINS):
        from optbinning import OptimalBinning  # for explorations only

    binning = OptimalBinning(
        column.name, dtype="categorical" if column.kind == "category" else "numerical", max_n_bins=MOST_BINS
    )
    # A column near the ends of float32 has a sum beyond them, which scikit-learn only tests for.
    with np.errstate(over="ignore", invalid="ignore"), _ctrl_c_left_alone():
        return list(binning.fit(column.values, column.target).splits)


@contextmanager
def _ctrl_c_left_alone() -> Iterator[None]:
    """Keep OR-Tools from SIGINT while the block runs.

    Its solver catches SIGINT, and afterwards sets it to the default: Ctrl-C would then end the process at once, with
    its temporary files left. A parameter of the solver prevents that, but optbinning (0.21) makes the solver itself and
    hands on no parameters; so the class that it makes one of is replaced, for the whole process, until the block ends.
    """
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver

    def without_signals() -> Any:
        made = solver()
        made.parameters.catch_sigint_signal = False
        return made

    cp_model.CpSolver = without_signals
    try:
        yield
    finally:
        cp_model.CpSolver = solver


def _by_edges(column: Column, edges: list[float]) -> Binned:
    bins = Bins((), tuple(edges))
    labels = intervals(edges, "any") if (column.distinct % 1).any() else _whole_numbers(column, edges)
    return [*labels, MISSING], bins.places(column.values)


def _whole_numbers(column: Column, edges: list[float]) -> list[str]:
    """The name of each interval by the whole numbers in it, from the lowest to the highest of the column."""
    above = np.ceil(edges)
    first, last = np.append(column.distinct[0], above), np.append(above - 1, column.distinct[-1])
    return [
        f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}" for low, high in zip(first, last, strict=True)
    ]


def _by_groups(column: Column, groups: list[NDArray[np.object_]]) -> Binned:
    group_of = {level: position for position, levels in enumerate(groups) for level in levels}
    present = ~column.missing
    level = pd.Index(column.distinct, dtype=object).get_indexer(pd.Index(column.values[present], dtype=object))
    places = np.full(len(column.values), len(groups))
    places[present] = np.array([group_of[level] for level in column.distinct])[level]
    return [*(_listed(levels.tolist()) for levels in groups), MISSING], places


def _listed(levels: list[str]) -> str:
    more = f" and {len(levels) - LEVELS_SHOWN} more" if len(levels) > LEVELS_SHOWN else ""
    return ", ".join(levels[:LEVELS_SHOWN]) + more
