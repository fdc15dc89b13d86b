"""The second pass over the features: the prepared matrix, and what is counted in the raw columns on the way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from table.in_parts import Layout
from training.estimator.preparation import Preparation
from training.in_parts.divided import TEST, Share
from validation.copies import Chance, keys_of
from validation.stability.bins import Bins
from validation.stability.comparison import counted_in

Counts = tuple[NDArray[np.int64], NDArray[np.float64] | None]
"""Rows in each bin, and the sums of their weights."""


@dataclass(frozen=True)
class Wanted:
    """Subjects of the count, decided on the drawn rows."""

    bins: Mapping[str, Bins]
    chance: Chance
    """Fine-grained numbers, see validation.copies."""
    amount: str | None
    """Column of the amounts."""


@dataclass
class Counted:
    """Counts in the rows of some shares; arrays are in the order of the table once all are added."""

    train: dict[str, Counts] = field(default_factory=dict)
    test: dict[str, Counts] = field(default_factory=dict)
    rows: list[tuple[int, NDArray[np.uint64], NDArray[np.bool_], NDArray[np.float64] | None]] = field(
        default_factory=list
    )
    """Keys, masks of unlikely equals and amounts of each stretch of rows, by the position of its first row."""

    def add(self, other: "Counted") -> None:
        """Join what is known of other rows."""
        for ours, theirs in ((self.train, other.train), (self.test, other.test)):
            for name, (counts, sums) in theirs.items():
                before = ours.get(name)
                if before is not None:
                    counts = before[0] + counts
                    sums = None if sums is None or before[1] is None else before[1] + sums
                ours[name] = counts, sums
        self.rows += other.rows

    def columns(self) -> tuple[NDArray[np.uint64], NDArray[np.bool_], NDArray[np.float64] | None]:
        """Keys, unlikely equals and amounts of all rows [N], in the table's order."""
        self.rows.sort(key=lambda its: its[0])
        amounts = [amount for *_, amount in self.rows if amount is not None]
        return (
            np.concatenate([keys for _, keys, _, _ in self.rows]),
            np.concatenate([unlikely for _, _, unlikely, _ in self.rows]),
            np.concatenate(amounts) if amounts else None,
        )


def prepared(
    preparation: Preparation, wanted: Wanted, layout: Layout, share: Share, most: int, counted: Counted
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """The prepared matrix of a share, at most so many rows at a time; adds to `counted` what is in them."""
    for its, frame in share.frames(layout, most):
        counted.add(_count(wanted, share, its, frame))
        yield its, preparation.transform(frame)


def _count(wanted: Wanted, share: Share, its: slice, frame: pd.DataFrame) -> Counted:
    is_test = share.fold[its] == TEST
    weight = None if share.weight is None else share.weight[its]
    found = Counted()
    for name, bins in wanted.bins.items():
        column = frame[name].to_numpy()
        for part, rows in ((found.train, ~is_test), (found.test, is_test)):
            part[name] = counted_in(bins, column[rows], None if weight is None else weight[rows])
    amount = None if wanted.amount is None else frame[wanted.amount].to_numpy(dtype=np.float64)
    unlikely = np.zeros(len(frame), dtype=bool)
    unlikely[is_test] = wanted.chance.is_unlikely(frame[is_test])
    found.rows.append((share.first + its.start, keys_of(frame[list(wanted.chance.compared)]), unlikely, amount))
    return found
