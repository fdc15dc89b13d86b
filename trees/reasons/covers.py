"""Tree-path values, those of XGBoost's `pred_contribs`: shares of the trees' covers instead of reference rows.

A feature outside the coalition sends an applicant both ways, weighted by the sums of hessians of the training rows.
These values equal interventional values if each column of the matrix is a player of its own, and if the outcomes of
columns are independent, each as frequent on a path as its covers say. Values of a feature's columns are added up.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trees.reasons.columns import Columns, Condition


class Covers:
    """Frequencies by covers, with the interface of trees.reasons.reference.Reference."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def unit(self, bit: int) -> int:
        """The column of a bit: a number has one for all its thresholds, a category one for each level."""
        return unit_of(self._columns, bit)

    def frequencies(self, units: Sequence[Sequence[Condition]]) -> NDArray[np.float64]:
        """[2^d]: the share of each pattern, bit j set where all conditions on column j hold."""
        patterns = np.ones(1)
        for conditions in units:
            share = np.prod([condition.share for condition in conditions])
            patterns = np.concatenate([patterns * (1 - share), patterns * share])
        return patterns


def unit_of(columns: Columns, bit: int) -> int:
    """The number of the column that a bit belongs to."""
    axis = columns.axis_of[bit]
    return axis if columns.is_number[axis] else len(columns.axes) + bit
