"""The tables of reasons, as the page of a validation shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

FORMATS = {
    "Mean points": "+.2f",
    "Mean size": ".2f",
    **dict.fromkeys(("First reason, %", "Among the four, %", "Share, %"), ".1f"),
}


def features(entries: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Points by feature or group, and how often it is a reason below the cut-off."""
    return pd.DataFrame(
        {
            "Feature": pd.Series([entry["feature"] for entry in entries], dtype=object),
            "Mean points": _numbers(entries, "mean_points"),
            "Mean size": _numbers(entries, "mean_absolute_points"),
            "First reason, %": 100 * _numbers(entries, "first_reason"),
            "Among the four, %": 100 * _numbers(entries, "among_reasons"),
        }
    )


def grades(entries: Sequence[Mapping[str, Any]], kind: str) -> pd.DataFrame:
    """The commonest first reason of each band or grade, riskiest first."""
    names = [entry["grade"] for entry in entries]
    return pd.DataFrame(
        {
            "Band" if kind == "bands" else "Grade": pd.Categorical(names, names, ordered=True),
            "Customers": [entry["rows"] for entry in entries],
            "Commonest first reason": pd.Series([entry["reason"] for entry in entries], dtype=object),
            "Share, %": 100 * _numbers(entries, "share"),
        }
    )


def _numbers(entries: Sequence[Mapping[str, Any]], key: str) -> "pd.Series[float]":
    return pd.Series([entry[key] for entry in entries], dtype=float)
