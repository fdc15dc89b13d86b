"""Rows of the test that training has seen: with copies, every figure of the test measures memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from validation.evidence import Part

# A number is fine-grained where so many of its values differ: two applicants hardly share one by chance.
FINE = 0.2
FEWEST_VALUES = 50
CHUNK = 1_000_000  # rows that are looked up at a time


@dataclass(frozen=True)
class Copies:
    """Shares 0 to 1 of the test's rows that equal a training row in every feature, and of those with another outcome.

    `by_chance` is true where no feature is fine-grained, so that applicants may well be equal without being copies.
    """

    share: float
    contradicting: float
    by_chance: bool


def copies_of(train: Part, test: Part) -> Copies:
    """The copies of training rows in a test part of the same columns.

    A row whose fine-grained numbers are all missing may well equal another by chance, and does not count as a copy.
    """
    fine = fine_grained(train.frame)
    keys = [keys_of(part.frame) for part in (train, test)]
    return copies_among(keys[0], train.target, keys[1], test.target, is_known(test.frame, fine), by_chance=not fine)


def keys_of(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """A number for each row [N] that depends on all of its values and on no other row."""
    return np.asarray(pd.util.hash_pandas_object(frame, index=False), dtype=np.uint64)


def is_known(frame: pd.DataFrame, fine: Sequence[str]) -> NDArray[np.bool_]:
    """Mask of the rows [N] with one of the fine-grained numbers or, if there are no such numbers, with any value."""
    return frame[list(fine) or frame.columns].notna().any(axis=1).to_numpy()


def copies_among(
    seen: NDArray[np.uint64],
    target_of_seen: NDArray[np.int8],
    asked: NDArray[np.uint64],
    target: NDArray[np.int8],
    known: NDArray[np.bool_],
    *,
    by_chance: bool,
) -> Copies:
    """The same from `keys_of` training and of test rows; `known` [test rows] is `is_known`."""
    keys, place = np.unique(asked, return_inverse=True)
    rows, defaults = np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys))
    for first in range(0, len(seen), CHUNK):
        some, outcomes = seen[first : first + CHUNK], target_of_seen[first : first + CHUNK]
        at = np.minimum(np.searchsorted(keys, some), len(keys) - 1)
        hit = keys[at] == some
        rows += np.bincount(at[hit], minlength=len(keys))
        defaults += np.bincount(at[hit], weights=outcomes[hit], minlength=len(keys))
    copied = (rows[place] > 0) & known
    rate = defaults[place] / np.maximum(rows[place], 1)
    contradicting = copied & (np.abs(rate - target) == 1)
    return Copies(float(copied.mean()), float(contradicting.mean()), by_chance)


def fine_grained(frame: pd.DataFrame) -> list[str]:
    """The number columns of so many different values."""
    return [str(name) for name in frame.select_dtypes("number") if _is_fine_grained(frame[name].to_numpy())]


def _is_fine_grained(column: NDArray[np.float64]) -> bool:
    known = column[~np.isnan(column)]
    distinct = len(np.unique(known))
    return distinct >= FEWEST_VALUES and distinct >= FINE * len(known)
