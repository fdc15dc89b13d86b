"""Rows of the test that training has seen: copies make every figure of the test a figure of memory."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from validation.evidence import Part

# A number is fine-grained where so many of its values differ: two applicants hardly share one by chance.
FINE = 0.2
FEWEST_VALUES = 50


@dataclass(frozen=True)
class Copies:
    """Of the test's rows, the shares 0 to 1 that equal a training row in every feature, and that have another outcome.

    `by_chance` is true where no feature is fine-grained, so that applicants may well be equal without being copies.
    """

    share: float
    contradicting: float
    by_chance: bool


def copies_of(train: Part, test: Part) -> Copies:
    """The copies of training rows in a test part of the same columns.

    Where all fine-grained numbers of a row are missing, it may well equal another by chance, and is no copy.
    """
    keys = [pd.util.hash_pandas_object(part.frame, index=False).to_numpy() for part in (train, test)]
    seen, place = np.unique(keys[0], return_inverse=True)
    defaults = np.bincount(place, weights=train.target)
    rows = np.bincount(place)
    at = np.minimum(np.searchsorted(seen, keys[1]), len(seen) - 1)
    fine = _fine_grained(train.frame)
    is_known = test.frame[fine or test.frame.columns].notna().any(axis=1).to_numpy()
    copied = (seen[at] == keys[1]) & is_known
    rate = defaults[at] / rows[at]
    contradicting = copied & (np.abs(rate - test.target) == 1)
    return Copies(float(copied.mean()), float(contradicting.mean()), not fine)


def _fine_grained(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.select_dtypes("number") if _is_fine_grained(frame[name].to_numpy())]


def _is_fine_grained(column: NDArray[np.float64]) -> bool:
    known = column[~np.isnan(column)]
    distinct = len(np.unique(known))
    return distinct >= FEWEST_VALUES and distinct >= FINE * len(known)
