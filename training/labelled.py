"""Applicants with their outcomes and weights, on which a model is fitted or judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from table import Table
from training.estimator.assembly import assemble
from training.settings import Settings
from validation.fairness.groups import Attribute
from validation.weights import per_mean


@dataclass(frozen=True)
class Labelled:
    """N rows of a table: raw feature columns, 0/1 target, weights, None where each row counts alike.

    `groups` divide the rows into groups of people; no fit sees them.
    """

    frame: pd.DataFrame
    target: NDArray[np.int8]
    weight: NDArray[np.float64] | None = None
    groups: tuple[Attribute, ...] = ()


def labelled(table: Table, rows: NDArray[np.intp], groups: Sequence[Attribute] = ()) -> Labelled:
    """Some rows of a table, whose rows are in `groups`."""
    weight = None if table.weight is None else table.weight[rows]
    return Labelled(table.frame.iloc[rows], table.target[rows], weight, tuple(its.of(rows) for its in groups))


def fit(settings: Settings, rows: Labelled, groups: NDArray[Any] | None) -> Pipeline:
    """The settings' pipeline, fitted; no group of `groups` [N] is in two folds.

    Weights are divided by their mean: then min_child_weight, the penalties and the calibrator's prior mean what they
    mean without weights, and the unit of the weights changes nothing.
    """
    options: dict[str, Any] = {} if groups is None else {"classify__groups": groups}
    if rows.weight is not None:
        options["classify__sample_weight"] = per_mean(rows.weight)
    return assemble(settings).fit(rows.frame, rows.target, **options)
