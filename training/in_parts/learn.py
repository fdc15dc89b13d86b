"""The first pass over the features: facts about all training rows for the preparation, and the drawn rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from table.in_parts import Layout
from training.artifacts.schema import Range, ranges_of
from training.estimator.preparation import Preparation, levels_of
from training.in_parts.divided import TEST, Share
from training.settings import Settings


@dataclass
class Learnt:
    """Findings in the rows of some shares; `add` joins those of others."""

    levels: dict[str, Counter[str]] = field(default_factory=dict)
    """Training rows of each level, by category whose vocabulary is not given."""
    ranges: dict[str, Range] = field(default_factory=dict)
    """Ranges of the training rows' numbers."""
    missing: dict[str, int] = field(default_factory=dict)
    """Training rows that lack each feature."""
    drawn: list[tuple[NDArray[np.intp], pd.DataFrame]] = field(default_factory=list)
    """Positions and features of the rows drawn."""

    def add(self, other: "Learnt") -> None:
        """Join what is known of other rows."""
        for name, counts in other.levels.items():
            self.levels.setdefault(name, Counter()).update(counts)
        for name, its in other.ranges.items():
            ours = self.ranges.get(name)
            self.ranges[name] = its if ours is None else ours if its is None else _both(ours, its)
        for name, rows in other.missing.items():
            self.missing[name] = self.missing.get(name, 0) + rows
        self.drawn += other.drawn

    def frame(self) -> tuple[NDArray[np.intp], pd.DataFrame]:
        """Positions, ascending, and features of all rows drawn."""
        found = sorted(self.drawn, key=lambda its: int(its[0][0]) if len(its[0]) else -1)
        positions = np.concatenate([its for its, _ in found])
        return positions, pd.concat([frame for _, frame in found], ignore_index=True)


def learn(settings: Settings, preparation: Preparation, layout: Layout, shares: Sequence[Share], most: int) -> Learnt:
    """Read some shares, at most so many rows at a time."""
    found = Learnt()
    for share in shares:
        for its, frame in share.frames(layout, most):
            train = frame[share.fold[its] != TEST]
            chosen = np.flatnonzero(share.drawn[its])
            found.add(
                Learnt(
                    {name: levels_of(train[name]) for name in preparation.learnt_categories()},
                    ranges_of(settings, train),
                    {str(name): int(rows) for name, rows in train.isna().sum().items()},
                    [(share.first + its.start + chosen, frame.iloc[chosen].reset_index(drop=True))],
                )
            )
    return found


def _both(one: list[float], other: list[float]) -> list[float]:
    return [min(one[0], other[0]), max(one[1], other[1])]
