"""Fitted encoders of category_encoders, read without importing it: a value for each level of some columns.

All other columns pass through as they are. The encoder first distinguishes levels that the fit has put into
one group, so that each of them is asked for.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from export.refusal import ExportRefused

LIBRARY = "category_encoders"
# By exact class: those that keep the levels of the fit beside their values, and answer new rows without a target.
NAMES = ("JamesSteinEncoder", "MEstimateEncoder", "QuantileEncoder", "TargetEncoder", "WOEEncoder")


def is_level_encoder(kind: type) -> bool:
    """True for an encoder of category_encoders that gives each level one number."""
    return kind.__name__ in NAMES and kind.__module__.partition(".")[0] == LIBRARY


def levels_by_column(step: Any, width: int, where: str) -> dict[int, list[Any] | None]:
    """By position of the input column, in the order of the output: its levels, None where it passes through.

    Raises ExportRefused for columns made of several, and AttributeError for an encoder of another version.
    """
    if getattr(step, "composite_members_", None) or getattr(step, "hierarchy", None) is not None:
        raise ExportRefused(
            f"{where}: {type(step).__name__} with composite_cols or hierarchy is not supported: expected an encoder "
            "that makes each column of one column alone; leave these parameters out and fit again"
        )
    names = list(step.feature_names_in_)
    if len(names) != width:
        raise ExportRefused(f"{where}: {type(step).__name__} expected the {len(names)} columns of its fit, got {width}")
    levels = {switch["col"]: list(switch["mapping"].index) for switch in step.ordinal_encoder.mapping}
    for name, pooled in getattr(step, "min_group_lumping_", {}).items():
        levels[name] += list(pooled)
    left_out = set(step.invariant_cols) if step.drop_invariant else set()
    return {place: levels.get(name) for place, name in enumerate(names) if name not in left_out}


def accepted_row(step: Any) -> list[Any]:
    """A value for each column that the encoder accepts: a level of the fit, and 1 for what passes through."""
    known = {switch["col"]: switch["mapping"].index for switch in step.ordinal_encoder.mapping}
    return [_first(known[name]) if name in known else 1.0 for name in step.feature_names_in_]


def _first(levels: Sequence[Any]) -> Any:
    present = [level for level in levels if not (isinstance(level, float) and np.isnan(level))]
    return present[0] if present else np.nan
