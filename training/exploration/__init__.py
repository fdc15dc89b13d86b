"""What a table says before any model: of each feature its distribution and risk, what goes together, what leaks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.exploration.column import Column
from training.exploration.correlations import duplicates, rank_correlations
from training.exploration.risk import risk_of
from training.exploration.suspects import knows_the_outcome, suspicion_of
from training.settings import Settings

__all__ = ["explore"]

# Of the rows that are looked at closely: enough for every figure, and ten million rows take no longer than these.
MOST_ROWS = 200_000
MOST_CELLS = 20_000_000  # of wide tables fewer rows
FEWEST_ROWS = 10_000
MOST_OPTIMAL = 100  # features whose bins are optimal; a tenth of a second each
ROWS_FOR_PAIRS = 5_000  # a correlation of so many is known to a hundredth
MOST_PAIRS = 30


def explore(
    frame: pd.DataFrame,
    target: NDArray[np.int8],
    settings: Settings,
    show: Callable[[str], None] = lambda detail: None,
    weight: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """What is to be seen in raw feature columns [N] and a 0/1 target [N] that has both values, in JSON's types.

    `rows`, `defaults` and each `missing_share` are of all rows; the rest is of `looked_at` rows: all, or where there
    are more than 200,000, or of wide tables than make MOST_CELLS, so many drawn with the settings' seed, the default
    rate kept. `features` (the highest information value first; of the first MOST_OPTIMAL by plain bins the bins are
    optimal): `feature`, `type`, `description`, `missing_share`, `distinct`, `quantiles` of a number,
    `distribution` (see Column.distribution), and `iv`, `auc` and `bins` (see training.exploration.risk).
    `correlations`: pairs `a`, `b` with their `spearman`. `suspects`: `feature`, the `reason`, a sentence, and whether
    it is a `leak`.
    `show` is told the feature that is looked at. With weights [N], which `weighted` says, shares, rates, quantiles, IV
    and AUC are weighted; counts, the edges of bins, correlations and suspects are of rows.
    """
    rows = _rows_to_look_at(target, len(settings.features), settings.split.seed)
    its_weight = None if weight is None else weight[rows]
    columns = [
        Column.of(feature, frame[feature.name].to_numpy()[rows], target[rows], its_weight)
        for feature in settings.features
    ]
    features: list[dict[str, Any]] = [
        {
            "feature": feature.name,
            "type": feature.type,
            "description": feature.description,
            "missing_share": float(np.average(frame[feature.name].isna(), weights=weight)),
            "distinct": len(column.distinct),
            "quantiles": column.quantiles(),
            "distribution": column.distribution(),
            **risk,
        }
        for feature, column, risk in zip(settings.features, columns, _risks(columns, show), strict=True)
    ]
    show("what goes together")
    few = np.sort(np.random.default_rng(settings.split.seed).permutation(len(rows))[:ROWS_FOR_PAIRS])
    pairs = rank_correlations(columns, few)
    same = duplicates(columns, few, pairs)
    reasons = [
        suspicion_of(column, entry) or same.get(column.name) for column, entry in zip(columns, features, strict=True)
    ]
    return {
        "rows": len(target),
        "defaults": int(target.sum()),
        "looked_at": len(rows),
        **({} if weight is None else {"weighted": True}),
        "features": sorted(features, key=lambda entry: -entry["iv"]),
        "correlations": pairs[:MOST_PAIRS],
        "suspects": [
            {"feature": column.name, "reason": reason, "leak": knows_the_outcome(reason)}
            for column, reason in zip(columns, reasons, strict=True)
            if reason is not None
        ],
    }


def _risks(columns: list[Column], show: Callable[[str], None]) -> list[dict[str, Any]]:
    """What risk_of says of each column; its bins are optimal where they are worth it."""
    wide = len(columns) > MOST_OPTIMAL
    risks: list[dict[str, Any]] = []
    for column in columns:
        show(column.name)
        risks.append(risk_of(column, optimal=not wide))
    if wide:
        for i in sorted(range(len(columns)), key=lambda i: -risks[i]["iv"])[:MOST_OPTIMAL]:
            show(columns[i].name)
            risks[i] = risk_of(columns[i])
    return risks


def most_rows(features: int) -> int:
    """Of so many features the rows that are looked at closely."""
    return min(MOST_ROWS, max(FEWEST_ROWS, MOST_CELLS // features))


def _rows_to_look_at(target: NDArray[np.int8], features: int, seed: int) -> NDArray[np.intp]:
    """All rows, or a sample of them in which each class has its share, ascending."""
    most = most_rows(features)
    if len(target) <= most:
        return np.arange(len(target))
    rng = np.random.default_rng(seed)
    defaulted = np.flatnonzero(target == 1)
    wanted = max(1, round(most * len(defaulted) / len(target)))
    drawn = [
        rng.choice(defaulted, wanted, replace=False),
        rng.choice(np.flatnonzero(target == 0), most - wanted, replace=False),
    ]
    return np.sort(np.concatenate(drawn))
