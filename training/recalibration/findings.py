"""Findings for a validator before a recalibrated model is used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.estimator.calibration import Losses, choose
from training.recalibration.calibrators import INTERCEPT, ISOTONIC, SLOPE
from validation.documents import Alarm
from validation.findings import HALF_WIDTHS, LEAST_DEFAULTS

FAR = 2.0  # factor of the odds beyond which a central tendency is far from what the model says; custom

Bounds = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Examined:
    """Figures that alarms of a recalibration on outcomes are raised on: the parent's on the file's rows."""

    method: str
    before: Mapping[str, float]
    bounds: Bounds
    comparison: Losses
    stability: Mapping[str, Any]
    is_table_of_the_fit: bool


def alarms_of(its: Examined) -> list[Alarm]:
    """The findings, empty is good."""
    return [*_rows(its), *_support(its), *_moved(its.stability)]


def alarms_of_tendency(rate: float, mean_before: float) -> list[Alarm]:
    """Findings on a central tendency beside the parent's mean probability of the reference rows."""
    factor = rate / (1 - rate) / (mean_before / (1 - mean_before))
    if 1 / FAR <= factor <= FAR:
        return []
    return [
        _alarm(
            "far central tendency",
            factor,
            FAR,
            f"The odds of default move by a factor of {factor:.3g} against the parent's mean probability of "
            f"{mean_before:.3%}: bands and grades keep their limits, so most applicants move; check the rate, and the "
            "population that it describes.",
        )
    ]


def _rows(its: Examined) -> Iterator[Alarm]:
    if its.is_table_of_the_fit:
        yield _alarm(
            "table of the fit",
            1,
            0,
            "The file is the table that the trees were fitted on: they fit its rows too well; use rows that they "
            "have not seen.",
        )
    rows, defaults = its.before["rows"], its.before["defaults"]
    worth = its.before.get("effective_defaults", defaults)
    fewest = min(worth, rows - defaults)
    if fewest < LEAST_DEFAULTS:
        yield _alarm(
            "few outcomes",
            fewest,
            LEAST_DEFAULTS,
            f"The file has {defaults:,.0f} defaults among {rows:,.0f} rows: the new calibrator is very "
            "uncertain; gather more before it decides.",
        )
    low, _ = its.bounds.get("roc_auc", (1.0, 1.0))
    if low <= 0.5:
        yield _alarm(
            "no ranking",
            its.before["roc_auc"],
            0.5,
            f"The margins rank these applicants no better than chance (ROC-AUC {its.before['roc_auc']:.3f}, from "
            f"{low:.3f}): no calibrator can correct that; does the file belong to another model?",
        )


def _support(its: Examined) -> Iterator[Alarm]:
    def is_off(name: str, ideal: float) -> bool:
        value = its.before[name]
        low, high = its.bounds.get(name, (ideal, ideal))
        if np.isnan(value):
            return False
        return not value - HALF_WIDTHS * (value - low) <= ideal <= value + HALF_WIDTHS * (high - value)

    def said(name: str) -> str:
        low, high = its.bounds.get(name, (np.nan, np.nan))
        return f"{its.before[name]:.3f}, {low:.3f} to {high:.3f}"

    slope_is_off, intercept_is_off = is_off("calibration_slope", 1.0), is_off("calibration_intercept", 0.0)
    if not slope_is_off and not intercept_is_off:
        yield _alarm(
            "no miscalibration shown",
            its.before["calibration_intercept"],
            0,
            f"The outcomes do not show that the parent is miscalibrated: its calibration intercept is "
            f"{said('calibration_intercept')}, its slope {said('calibration_slope')}; keep the parent, or gather more.",
        )
    if its.method == INTERCEPT and slope_is_off:
        yield _alarm(
            "slope left",
            its.before["calibration_slope"],
            1,
            f"The parent's calibration slope is {said('calibration_slope')}, which a new intercept does not "
            f"change; use --method {SLOPE}.",
        )
    if its.method == SLOPE and intercept_is_off and not slope_is_off:
        yield _alarm(
            "slope not shown",
            its.before["calibration_slope"],
            1,
            f"The outcomes do not show another slope than the parent's ({said('calibration_slope')}); use --method "
            f"{INTERCEPT}, which estimates one parameter less.",
        )
    if its.method == ISOTONIC and choose(its.comparison) != ISOTONIC:
        losses = {entry["method"]: entry["log_loss"] for entry in its.comparison}
        yield _alarm(
            "isotonic not shown",
            losses["isotonic"],
            losses["sigmoid"],
            f"The cross-validated log loss is {losses['isotonic']:.5f} for isotonic steps and "
            f"{losses['sigmoid']:.5f} for "
            f"a sigmoid: no lead of the steps beyond chance; use --method {SLOPE}.",
        )


def _moved(stability: Mapping[str, Any]) -> Iterator[Alarm]:
    moved = [entry for entry in stability["features"] if entry["moved"]]
    if moved:
        names = ", ".join(f"{entry['feature']} ({entry['csi']:.2f})" for entry in moved[:5])
        yield _alarm(
            "features moved",
            moved[0]["csi"],
            moved[0]["counts_from"],
            f"{len(moved)} of {len(stability['features'])} features moved since training beyond their limit: {names}; "
            "a calibrator cannot correct the ranking, so check whether the trees still fit.",
        )


def _alarm(name: str, value: float, limit: float, message: str) -> Alarm:
    return Alarm(name=name, value=float(value), limit=float(limit), message=message)
