"""Notes on weighted figures, in sentences."""

from collections.abc import Mapping
from typing import Any

WEIGHTED = (
    "Weighted: the fit, early stopping, the search, the calibrator and its choice; every metric and its interval; "
    "rates, shares, odds and profits of bands and cut-offs; calibration groups; stability indices; importance and "
    "dependence; missing shares, weight of evidence, information value and ROC-AUC of the exploration."
)
BY_ROWS = (
    "By rows, not weighted: the division into train and test and into folds, pools of rare levels, the edges of bins "
    "and bands, counts of applicants and defaults, missing shares of the raw columns, copied rows, rank correlations "
    "and suspects, but for the ROC-AUC and information value of a suspect."
)
INTERVALS = (
    "Intervals treat rows as independent, each with its weight: the bootstrap draws rows, and bounds of rates are "
    "those of the effective sample size."
)
EXPLORED = (
    "Weighted: shares, missing shares, default rates, quantiles, weight of evidence, information value, ROC-AUC. By "
    "rows: counts, the edges of bins, correlations, suspects but for their ROC-AUC and information value."
)


def effective(run: Mapping[str, Any]) -> str:
    """Effective sample size of each part, in rows of equal weight."""
    parts = [
        f"{its['rows']:,} rows of {name} with a sum of {its['weight']:,.6g} are worth {its['effective_rows']:,.0f}"
        for name in ("train", "test")
        if "effective_rows" in (its := run.get("split", {}).get(name, {}))
    ]
    return f"{'; '.join(parts)} rows of equal weight (effective sample size)." if parts else ""


def statements(run: Mapping[str, Any]) -> list[str]:
    """The sentences on a run's weights; empty where it has none."""
    if run["settings"]["data"].get("weight") is None:
        return []
    return [sentence for sentence in (effective(run), WEIGHTED, BY_ROWS, INTERVALS) if sentence]


def monitored(found: Mapping[str, Any]) -> list[str]:
    """The sentences on the weights of a comparison with the training rows; empty where neither side has any."""
    weighted, column = found["rows"].get("weighted"), found["weight"]
    if weighted:
        return [f"Weighted by {column}: shares, stability indices and outcomes. Missing and unseen shares are of rows."]
    if column is not None:
        return [
            f"Outcomes are weighted by {column}; the model has no weights of its training rows: indices are of rows."
        ]
    if weighted is not None:
        return ["The model's training rows have weights and this file has none: every figure is of rows."]
    return []
