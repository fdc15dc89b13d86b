"""The tables of groups of people, as the report and the page of a validation show them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from validation.fairness.documents import AttributeFigures, Frontier, GroupFigures

# Heading → field; those of PERCENT are shown in per cent.
DECISIONS = {
    "Applicants": "rows",
    "Share, %": "share",
    "Approved, %": "approval_rate",
    "Low": "approval_low",
    "High": "approval_high",
    "Mean score": "mean_score",
    "Difference": "difference",
}
RATIOS = {"Ratio": "ratio", "Ratio from": "ratio_low", "Ratio to": "ratio_high", "p": "ratio_adjusted"}
OUTCOMES = {
    "Defaults": "defaults",
    "Predicted, %": "predicted",
    "Observed, %": "observed",
    "Low": "low",
    "High": "high",
    "p": "gap_adjusted",
    "ROC-AUC": "roc_auc",
    "From": "roc_auc_low",
    "To": "roc_auc_high",
}
ERRORS = {
    "Repaid, declined, %": "repaid_declined",
    "Low of them": "repaid_declined_low",
    "High of them": "repaid_declined_high",
    "Defaulted, approved, %": "defaulted_approved",
    "Low of these": "defaulted_approved_low",
    "High of these": "defaulted_approved_high",
}
PERCENT = {"Share, %", "Approved, %", "Predicted, %", "Observed, %", "Low", "High", *ERRORS}
FORMATS = dict.fromkeys(PERCENT, ".2f") | {"Mean score": ".1f", "Difference": ".3f", "p": ".2g"}
FORMATS |= dict.fromkeys(("Ratio", "Ratio from", "Ratio to"), ".3f")
FORMATS |= {"Lowest ratio": ".3f", "Lost": ".4f", "Gained": ".3f"}
FORMATS |= dict.fromkeys(("ROC-AUC", "From", "To"), ".4f")


def decisions(its: AttributeFigures) -> pd.DataFrame:
    """Who is approved, and the mean score; the reference first."""
    return _table(its["groups"], DECISIONS)


def ratios(its: AttributeFigures) -> pd.DataFrame:
    """The adverse impact ratio of each group but the reference."""
    return _table([group for group in its["groups"] if group["ratio"] is not None], RATIOS)


def outcomes(its: AttributeFigures) -> pd.DataFrame:
    """Predicted beside observed default rates with the bounds of these, and the area under the ROC curve."""
    return _table([group for group in its["groups"] if group["known"]], OUTCOMES)


def errors(its: AttributeFigures) -> pd.DataFrame:
    """Of those who repaid the share that is declined, of those who defaulted the share that is approved."""
    return _table([group for group in its["groups"] if group["known"]], ERRORS)


def frontier(its: Frontier) -> pd.DataFrame:
    """The trials that are kept, the highest area first, beside the chosen one."""
    [chosen] = [trial for trial in its["trials"] if trial["trial"] == its["chosen"]]
    kept = [trial for trial in its["trials"] if trial["kept"] or trial is chosen]
    kept.sort(key=lambda trial: -trial["roc_auc"])
    return pd.DataFrame(
        {
            "Trial": [f"{trial['trial'] + 1}{' (chosen)' if trial is chosen else ''}" for trial in kept],
            "ROC-AUC": [trial["roc_auc"] for trial in kept],
            "Lost": [chosen["roc_auc"] - trial["roc_auc"] for trial in kept],
            "Lowest ratio": [trial["ratio"] for trial in kept],
            "Gained": [trial["ratio"] - chosen["ratio"] for trial in kept],
            "Group": [trial["group"] for trial in kept],
        }
    )


def _table(groups: Sequence[GroupFigures], columns: Mapping[str, str]) -> pd.DataFrame:
    names = [group["group"] for group in groups]
    content: dict[str, Any] = {"Group": pd.Categorical(names, names, ordered=True)}
    for title, key in columns.items():
        values = pd.Series([group[key] for group in groups], dtype=float)  # type: ignore[literal-required]
        content[title] = 100 * values if title in PERCENT else values
    return pd.DataFrame(content)
