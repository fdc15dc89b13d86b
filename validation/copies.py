"""Rows of the test that training has seen: with copies, every figure of the test measures memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from validation.evidence import Part

# A number is fine-grained where so many of its values differ: two applicants hardly share one by chance.
FINE = 0.2
FEWEST_VALUES = 50
FREQUENT = 64  # values of a column whose shares are kept
DENSITY = 0.02  # of numbers of rows in their range
ROWS_OF_SHARES = 20_000
ONCE = 0.01  # training rows that equal a row by chance: from more on it is no copy
MOST_TIMES = 12  # that a row is there
MOST_ROWS = 2_000_000  # whose repetitions are counted; those of a larger table by a draw of its keys
LARGEST_KEY = 2.0**64 - 2**12  # as a float64
ERRORS = 3.0  # standard errors of a count
CHUNK = 1_000_000  # rows that are looked up at a time


@dataclass(frozen=True)
class Copies:
    """Shares 0 to 1 of the test's rows that equal a training row in every feature, and of those with another outcome.

    `by_chance` is true where applicants may well be equal without being copies: no feature is fine-grained, and rows
    repeat as rows that are drawn independently do.
    """

    share: float
    contradicting: float
    by_chance: bool


def copies_of(train: Part, test: Part) -> Copies:
    """The copies of training rows in a test part of the same columns."""
    chance = Chance.of(train.frame, len(train.frame))
    seen, asked = (keys_of(part.frame[list(chance.compared)]) for part in (train, test))
    equal = np.isin(asked, seen)
    unlikely = np.zeros(len(asked), dtype=bool)
    if equal.any():
        unlikely[equal] = chance.is_unlikely(test.frame[equal])
    return copies_among(seen, train.target, asked, test.target, unlikely, by_chance=not chance.fine)


@dataclass(frozen=True)
class Chance:
    """The chance of a row to equal one of `rows` training rows without being its copy.

    Rows are `compared` by all columns but those that number them. `fine` are the fine-grained numbers, `shares` those
    of the values of each column.
    """

    rows: int
    compared: tuple[str, ...]
    fine: tuple[str, ...]
    shares: Mapping[str, "Shares"]

    @classmethod
    def of(cls, frame: pd.DataFrame, rows: int) -> Self:
        """The chance by the training rows, or by some of them."""
        compared = [str(name) for name in frame if not _numbers_rows(frame[name])] or [*map(str, frame)]
        frame = frame[compared]
        fine = fine_grained(frame)
        some = frame.iloc[:: 1 + len(frame) // ROWS_OF_SHARES]
        return cls(
            rows, tuple(compared), tuple(fine), {str(name): Shares.of(some[name]) for name in some} if fine else {}
        )

    def is_unlikely(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Mask of the rows [N] that hardly equal a training row by chance: one has its values once in a hundred tables.

        Columns count as independent, which those of a customer are not, so a row has to have one of the fine-grained
        numbers, too. If no number is fine-grained, all rows with any value.
        """
        there = frame[list(self.fine or self.compared)].notna().any(axis=1).to_numpy()
        if not self.fine:
            return there
        expected = np.full(len(frame), np.log(self.rows))
        for name, its in self.shares.items():
            expected += np.log(its.among(frame[name]))
        return np.asarray((expected <= np.log(ONCE)) & there)


@dataclass(frozen=True)
class Shares:
    """Shares of a column's values among rows: of the most frequent, of missing ones, and the mean of the others."""

    frequent: Mapping[Any, float]
    missing: float
    others: float

    @classmethod
    def of(cls, column: pd.Series) -> Self:
        """The shares in a column."""
        counts = column.value_counts()
        rest = counts.iloc[FREQUENT:].to_numpy(dtype=np.float64)
        others = float((rest**2).sum() / rest.sum()) if len(rest) else 1.0
        rows = max(len(column), 1)
        frequent = {value: count / rows for value, count in counts.iloc[:FREQUENT].items()}
        return cls(frequent, max(int(column.isna().sum()), 1) / rows, others / rows)

    def among(self, column: pd.Series) -> NDArray[np.float64]:
        """The share of each value [N] of a column."""
        shares = column.map(self.frequent).to_numpy(dtype=np.float64, na_value=np.nan)
        shares = np.where(np.isnan(shares), self.others, shares)
        return np.where(column.isna().to_numpy(), self.missing, shares)


def keys_of(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """A number for each row [N] that depends on all of its values and on no other row."""
    return np.asarray(pd.util.hash_pandas_object(frame, index=False), dtype=np.uint64)


def copies_among(
    seen: NDArray[np.uint64],
    target_of_seen: NDArray[np.int8],
    asked: NDArray[np.uint64],
    target: NDArray[np.int8],
    unlikely: NDArray[np.bool_],
    *,
    by_chance: bool,
) -> Copies:
    """The same from `keys_of` training and of test rows.

    `unlikely` [test rows] is Chance.is_unlikely, `by_chance` whether no number is fine-grained.
    """
    by_chance = by_chance and repeat_by_chance(seen, asked)
    keys, place = np.unique(asked, return_inverse=True)
    rows, defaults = np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys))
    for first in range(0, len(seen), CHUNK):
        some, outcomes = seen[first : first + CHUNK], target_of_seen[first : first + CHUNK]
        at = np.minimum(np.searchsorted(keys, some), len(keys) - 1)
        hit = keys[at] == some
        rows += np.bincount(at[hit], minlength=len(keys))
        defaults += np.bincount(at[hit], weights=outcomes[hit], minlength=len(keys))
    copied = (rows[place] > 0) & unlikely
    rate = defaults[place] / np.maximum(rows[place], 1)
    contradicting = copied & (np.abs(rate - target) == 1)
    return Copies(float(copied.mean()), float(contradicting.mean()), by_chance)


def repeat_by_chance(*keys: NDArray[np.uint64]) -> bool:
    """True if rows with these keys repeat as independent rows may, whatever the distribution of their features.

    Of independent rows, numbers of repetitions are a mixture of Poisson distributions, so k! times the number of
    different rows that occur k times is log-convex in k: its square is at most the product of its neighbours. Copies
    break that, for they make rows that occur twice and none that occur three times. Sampling errors are allowed for.
    """
    rows = sum(map(len, keys))
    kept = np.concatenate([its[its <= np.uint64(LARGEST_KEY * min(1.0, MOST_ROWS / max(rows, 1)))] for its in keys])
    times = np.bincount(np.unique(kept, return_counts=True)[1], minlength=MOST_TIMES + 2).astype(np.float64)
    error = ERRORS * np.sqrt(times) + ERRORS**2
    for k in range(2, MOST_TIMES + 1):
        fewest = max(times[k] - error[k], 0.0)
        least = fewest**2 * k / ((k + 1) * (times[k - 1] + error[k - 1]))
        if times[k + 1] + error[k + 1] < least:
            return False
    return True


def fine_grained(frame: pd.DataFrame) -> list[str]:
    """The number columns of so many different values."""
    return [str(name) for name in frame.select_dtypes("number") if _is_fine_grained(frame[name].to_numpy())]


def _numbers_rows(column: pd.Series) -> bool:
    """True for a column whose values are all different: texts, or whole numbers that are near each other."""
    if not column.is_unique or len(column) < FEWEST_VALUES or column.isna().any():
        return False
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return True
    values = column.to_numpy(dtype=np.float64)
    return bool((values % 1 == 0).all() and len(values) >= DENSITY * (np.ptp(values) + 1))


def _is_fine_grained(column: NDArray[np.float64]) -> bool:
    known = column[~np.isnan(column)]
    distinct = len(np.unique(known))
    return distinct >= FEWEST_VALUES and distinct >= FINE * len(known)
