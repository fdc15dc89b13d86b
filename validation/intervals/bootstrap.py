"""Bootstrap confidence bounds of the metrics: applicants drawn with replacement, every figure from each draw."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from validation.calibration import CONFIDENCE
from validation.intervals.ranked import Floats, Ranked
from validation.metrics import PROBABILITY_LIMITS

CELLS = 500_000  # weights that a thread holds at a time, or those of one draw
BLOCK = 65_536
RAISED_BY_NOISE = ("ece", "brier_reliability")
MOST_THREADS = 4  # bounds the memory on machines of many cores


@dataclass(frozen=True)
class Intervals:
    """Percentile bounds by metric, and how many draws held one class only and were left out."""

    bounds: dict[str, tuple[float, float]]
    left_out: int


def bootstrap(
    target: NDArray[np.int8],
    probability: Floats,
    threshold: float,
    resamples: int,
    seed: int,
    probability_limits: tuple[float, float] = PROBABILITY_LIMITS,
    weight: Floats | None = None,
    clusters: NDArray[np.int64] | None = None,
) -> Intervals:
    """The bounds of what validation.metrics.evaluate says of the same arguments.

    Applicants are drawn alike, and each draw brings the applicant's weight with it. Where `clusters` [N] says which
    belong together, as the loans of a customer do, whole clusters are drawn: rows of one are not independent.

    Noise biases distances between observed and predicted rates upwards, and a draw adds noise of its own. Their bounds
    are shifted down by the bootstrap estimate of that bias: the mean over the draws minus the value of the sample.

    Nothing but `seed` decides what is drawn. A metric has no bounds where more draws leave it without a value, as
    they can a slope, than lie beyond a bound. Time is linear in N times `resamples`, memory in N.
    """
    applicants = Ranked(target, probability, threshold, probability_limits, weight)
    rows = len(target)
    its_cluster, several = None, rows
    if clusters is not None:
        names, codes = np.unique(clusters, return_inverse=True)
        its_cluster, several = codes[applicants.order], len(names)
    together = max(1, CELLS // rows)
    chunks = [range(first, min(first + together, resamples)) for first in range(0, resamples, together)]

    def figures_of(chunk: range) -> dict[str, Floats]:
        counts = np.empty((len(chunk), rows))
        for row, number in zip(counts, chunk, strict=True):
            drawn = row if its_cluster is None else np.empty(several)
            draw_into(drawn, np.random.default_rng((seed, number)))
            if its_cluster is not None:
                row[:] = drawn[its_cluster]
        return applicants.figures(counts)

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(min(cpu_count(), MOST_THREADS)) as threads:
        parts = list(threads.map(figures_of, chunks))
    figures = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    both = figures["default_rate"] % 1 > 0
    figures = {name: values[both] for name, values in figures.items()}
    itself = applicants.figures(np.ones((1, rows)))
    for name in RAISED_BY_NOISE:
        figures[name] = np.maximum(figures[name] - figures[name].mean() + itself[name], 0)
    figures["brier_resolution"] = figures["brier_reliability"] + figures["brier_uncertainty"] - figures["brier"]
    return Intervals(dict(_bounds(figures)), int((~both).sum()))


def draw_into(weights: Floats, rng: np.random.Generator) -> None:
    """Number of times that each of N applicants is drawn in N draws with replacement, [N].

    First how many draws fall into each block, then where in it: the same distribution as N draws of one out of all,
    and counted within the processor's cache.
    """
    blocks = [weights[first : first + BLOCK] for first in range(0, len(weights), BLOCK)]
    sizes = np.array([len(block) for block in blocks])
    for block, draws in zip(blocks, rng.multinomial(len(weights), sizes / len(weights)), strict=True):
        block[:] = np.bincount(rng.integers(0, len(block), draws), minlength=len(block))


def _bounds(figures: Mapping[str, Floats]) -> Iterator[tuple[str, tuple[float, float]]]:
    tail = (1 - CONFIDENCE) / 2
    for name, values in figures.items():
        known = values[np.isfinite(values)]
        if len(known) and len(known) >= (1 - tail) * len(values):
            low, high = np.quantile(known, [tail, 1 - tail])
            yield name, (float(low), float(high))
