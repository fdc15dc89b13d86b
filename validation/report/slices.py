"""The tables of slices and of robustness, as the report and the page of a validation show them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from validation.slices.documents import Overfit, Robustness, WeakSlices

FORMATS = {
    **dict.fromkeys(("Share, %", "Predicted, %", "Observed, %", "Other band, %"), ".2f"),
    **dict.fromkeys(("Log loss", "Expected", "AUC, train", "AUC, test"), ".4f"),
    **dict.fromkeys(("Loss, train", "Loss, test"), ".3f"),
    **dict.fromkeys(("Mean change", "95th percentile"), ".2f"),
    "Rise above others": ".3f",
    "p": ".2g",
    "Noise": ".0%",
}


def weak(its: WeakSlices) -> pd.DataFrame:
    """The tested slices, smallest p first."""
    rows = its["slices"]
    return pd.DataFrame(
        {
            "Slice": _column(rows, "slice"),
            "Found by": _column(rows, "measure"),
            "Applicants": _column(rows, "rows"),
            "Defaults": _column(rows, "defaults"),
            "Predicted, %": 100 * _numbers(rows, "predicted"),
            "Observed, %": 100 * _numbers(rows, "observed"),
            "Log loss": _numbers(rows, "log_loss"),
            "Expected": _numbers(rows, "expected_log_loss"),
            "p": _numbers(rows, "adjusted_p"),
        }
    )


def overfit(its: Overfit) -> pd.DataFrame:
    """The slices whose loss rises most surely from train to test."""
    rows = its["slices"]
    return pd.DataFrame(
        {
            "Slice": _column(rows, "slice"),
            "Train": _column(rows, "train_rows"),
            "Test": _column(rows, "test_rows"),
            "AUC, train": _numbers(rows, "train_auc"),
            "AUC, test": _numbers(rows, "test_auc"),
            "Loss, train": _numbers(rows, "train_loss"),
            "Loss, test": _numbers(rows, "test_loss"),
            "Rise above others": _numbers(rows, "excess"),
            "p": _numbers(rows, "adjusted_p"),
        }
    )


def alone(its: Robustness) -> pd.DataFrame:
    """One feature changed at a time, the largest mean change first."""
    return _changes("Feature", _column(its["features"], "feature"), its["features"])


def together(its: Robustness) -> pd.DataFrame:
    """All features changed together, by the size of the noise."""
    return _changes("Noise", _numbers(its["together"], "size"), its["together"])


def _changes(title: str, first: "pd.Series[Any]", rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            title: first,
            "Mean change": _numbers(rows, "mean_change"),
            "95th percentile": _numbers(rows, "largest_change"),
            "Other band, %": 100 * _numbers(rows, "other_band"),
        }
    )


def _column(rows: Sequence[Mapping[str, Any]], key: str) -> "pd.Series[Any]":
    return pd.Series([row[key] for row in rows], dtype=object)


def _numbers(rows: Sequence[Mapping[str, Any]], key: str) -> "pd.Series[float]":
    return pd.Series([row[key] for row in rows], dtype=float)
