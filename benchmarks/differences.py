"""Paired differences of two models' ROC-AUC and log loss, with intervals by bootstrap.

Both models answer the same test rows, so a draw of rows is the same for both: what a row does to both cancels out.
Rows are drawn within a division, divisions (seeds) within a table, and tables where a figure is about all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 1_000
CHUNK = 2_000_000  # cells of the matrix of draws by rows that are held at once
LEVEL = 0.95
LEAST = 1e-15  # as scikit-learn's log loss clips

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """Probabilities [N] of one division's test rows by two models, and the outcomes [N], 0 or 1."""

    target: NDArray[np.int8]
    ours: Floats
    theirs: Floats


@dataclass(frozen=True)
class Difference:
    """Ours less theirs, and the interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """The value with its interval, signed, to four decimals."""
        return f"{self.value:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


@dataclass(frozen=True)
class Differences:
    """Differences of ROC-AUC, where more is better, and of the mean log loss, where less is."""

    auc: Difference
    log_loss: Difference


@dataclass(frozen=True)
class Drawn:
    """The differences of one division, [2], and of each draw of its rows, [DRAWS, 2]."""

    value: Floats
    draws: Floats


def drawn(pair: Pair, seed: int) -> Drawn:
    """Draw rows with replacement, the same rows for both models."""
    generator, rows = np.random.default_rng(seed), len(pair.target)
    losses = _losses(pair.target, pair.ours) - _losses(pair.target, pair.theirs)
    once = np.ones((1, rows))
    value = np.array([_aucs(pair.target, pair.ours, once)[0] - _aucs(pair.target, pair.theirs, once)[0], losses.mean()])
    found: list[Floats] = []
    step = max(1, CHUNK // rows)
    for begin in range(0, DRAWS, step):
        counts = np.stack(
            [
                np.bincount(generator.integers(rows, size=rows), minlength=rows).astype(np.float64)
                for _ in range(min(step, DRAWS - begin))
            ]
        )
        auc = _aucs(pair.target, pair.ours, counts) - _aucs(pair.target, pair.theirs, counts)
        found.append(np.column_stack([auc, counts @ losses / rows]))
    return Drawn(value, np.concatenate(found))


def of_table(divisions: Sequence[Drawn], seed: int) -> Differences:
    """The mean over the divisions of one table."""
    return _summary(np.mean([its.value for its in divisions], axis=0), _of_divisions(divisions, _generator(seed)))


def of_tables(tables: Mapping[str, Sequence[Drawn]], seed: int) -> Differences:
    """The mean over tables, each of which counts once."""
    generator = _generator(seed)
    means = np.stack([_of_divisions(divisions, generator) for divisions in tables.values()])  # [tables, DRAWS, 2]
    chosen = generator.integers(len(means), size=(len(means), DRAWS))
    value = np.mean([np.mean([its.value for its in divisions], axis=0) for divisions in tables.values()], axis=0)
    return _summary(value, means[chosen, np.arange(DRAWS)].mean(axis=0))


def auc(target: NDArray[np.int8], probability: Floats) -> float:
    """ROC-AUC; ties count half."""
    return float(_aucs(target, probability, np.ones((1, len(target))))[0])


def log_loss(target: NDArray[np.int8], probability: Floats) -> float:
    """The mean log loss."""
    return float(_losses(target, probability).mean())


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, 1])


def _of_divisions(divisions: Sequence[Drawn], generator: np.random.Generator) -> Floats:
    """[DRAWS, 2]: means over divisions drawn with replacement, each with a draw of its rows."""
    every = np.stack([its.draws for its in divisions])
    chosen = generator.integers(len(divisions), size=(len(divisions), DRAWS))
    draw = generator.integers(DRAWS, size=chosen.shape)
    return np.asarray(every[chosen, draw].mean(axis=0))


def _summary(value: Floats, draws: Floats) -> Differences:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    of_auc, of_loss = (Difference(*map(float, its)) for its in zip(value, low, high, strict=True))
    return Differences(of_auc, of_loss)


def _losses(target: NDArray[np.int8], probability: Floats) -> Floats:
    p = np.clip(probability, LEAST, 1 - LEAST)
    return np.asarray(-np.where(target == 1, np.log(p), np.log1p(-p)))


def _aucs(target: NDArray[np.int8], probability: Floats, counts: Floats) -> Floats:
    """ROC-AUC for each row of `counts` [K, N], how often each applicant was drawn."""
    order = np.argsort(probability)
    ordered = probability[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sorted_counts, positive = counts[:, order], target[order].astype(np.float64)
    bad = np.add.reduceat(sorted_counts * positive, begins, axis=1)
    good = np.add.reduceat(sorted_counts * (1 - positive), begins, axis=1)
    below = np.cumsum(good, axis=1) - good
    return np.asarray((bad * (below + good / 2)).sum(axis=1) / (bad.sum(axis=1) * good.sum(axis=1)))
