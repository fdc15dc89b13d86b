"""Every metric of many weighted samples of the same applicants at once, for the draws of the bootstrap.

Applicants are sorted by probability once. A figure of a sample is then computed from sums of weights over runs of
consecutive applicants, and equals scikit-learn's with `sample_weight`. All ranks between two neighbouring scores of
defaults are one run: no ranking metric changes within it.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from validation.calibration import calibration_intercept, log_odds, regress, starts_of_groups
from validation.intervals.slopes import intercepts, slopes
from validation.losses import log_losses
from validation.weights import masses, on_a_grid

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

STEP = 0.01  # applicants whose log-odds are this close are one cell: it moves a slope by a hundredth of its error


class Ranked:
    """N applicants by ascending probability; arguments as validation.metrics.evaluate has them.

    Weights are rounded so that every sum of them is exact: stretches without an applicant then weigh 0, not almost 0.
    """

    def __init__(
        self,
        target: NDArray[np.int8],
        probability: Floats,
        threshold: float,
        probability_limits: tuple[float, float],
        weight: Floats | None = None,
    ) -> None:
        self.order = order = np.argsort(probability, kind="stable")
        p, y = probability[order], target[order]
        self.weight = None if weight is None else on_a_grid(weight[order])
        x = log_odds(p, probability_limits)
        self.columns = np.empty((len(p), 3))  # filled one by one: of many rows, each column is much of the memory
        self.columns[:, 0] = p
        self.columns[:, 1] = (p - y) ** 2
        self.columns[:, 2] = log_losses(p, y)
        self.defaults = np.flatnonzero(y)
        # Starts and ends of the sums, as places among the applicants.
        scores = np.unique(p[self.defaults])
        first, last = np.searchsorted(p, scores, "left"), np.searchsorted(p, scores, "right")
        groups, cells = starts_of_groups(p, weight=self.weight), _starts_of_cells(x)
        others = np.searchsorted(p, [threshold, np.nextafter(probability_limits[0], 1), probability_limits[1]])
        cuts = np.unique(np.concatenate([[0], first, last, groups, cells, others]))
        self.cuts = cuts[cuts < len(p)]
        self.defaults_before = np.searchsorted(self.defaults, np.append(self.cuts, len(p)))
        self.group_ends = np.append(groups, len(p))
        # The same as positions among the cuts, of which the end is the last.
        self.first, self.last, self.groups, self.cells, self.others = (
            np.searchsorted(self.cuts, places) for places in (first, last, groups, cells, others)
        )
        mass = masses(self.weight, len(p))
        size = np.add.reduceat(mass, cells)
        self.x = np.add.reduceat(mass * x, cells) / np.where(size > 0, size, 1)
        bad = np.add.reduceat(mass * y, cells)
        both = np.repeat(np.array([0, 1], dtype=np.int8), len(cells))
        of_cells = np.concatenate([size - bad, bad])
        there = of_cells > 0
        self.start = regress(both[there], np.tile(self.x, 2)[there], of_cells[there])
        self.start_in_the_large = calibration_intercept(y, x, self.weight)

    def figures(self, counts: Floats) -> dict[str, Floats]:
        """Each metric [R] of samples that hold each applicant, in the order of the ranks, so often: counts [R, N].

        NaN or infinite where a sample has one class only.
        """
        weights = counts if self.weight is None else counts * self.weight
        n, d = self._before(weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            return {
                "default_rate": d[:, -1] / n[:, -1],
                **self._ranking(n, d),
                **self._calibration(weights, n, d),
                **self._decisions(n, d),
            }

    def _before(self, weights: Floats) -> tuple[Floats, Floats]:
        """Applicants and defaults before each cut and in all, [R, K + 1]."""
        stretches = np.add.reduceat(weights, self.cuts, axis=1)
        bad = weights[:, self.defaults]
        return _cumulated(stretches), _cumulated(bad)[:, self.defaults_before]

    def _ranking(self, n: Floats, d: Floats) -> dict[str, Floats]:
        """Over each distinct probability that a default has, from the first applicant with it to the last."""
        defaults = d[:, -1:]
        goods = n[:, -1:] - defaults
        bad_below, bad_upto = d[:, self.first], d[:, self.last]
        good_below, good_upto = n[:, self.first] - bad_below, n[:, self.last] - bad_upto
        bad = bad_upto - bad_below
        auc = (bad * (good_below + good_upto)).sum(axis=1) / (2 * defaults * goods)[:, 0]
        bad_from, good_from = defaults - bad_below, goods - good_below
        precision = np.where(bad > 0, bad_from / (bad_from + good_from), 0)
        highest = (good_below / goods - bad_below / defaults).max(axis=1)
        lowest = (bad_upto / defaults - good_upto / goods).max(axis=1)
        return {
            "roc_auc": auc,
            "gini": 2 * auc - 1,
            "pr_auc": (bad * precision).sum(axis=1) / defaults[:, 0],
            "ks": np.maximum(highest, lowest),
        }

    def _calibration(self, weights: Floats, n: Floats, d: Floats) -> dict[str, Floats]:
        rows, rate = n[:, -1], d[:, -1] / n[:, -1]
        by_group = [weights[:, a:b] @ self.columns[a:b] for a, b in pairwise(self.group_ends)]
        sums = np.stack(by_group)  # [B, R, 3]
        expected = sums[:, :, 0].T
        mean, brier, log_loss = (sums.sum(axis=0) / rows[:, None]).T
        size, defaults = _between(n, self.groups), _between(d, self.groups)
        error = expected - defaults
        reliability = np.where(size > 0, error**2 / size, 0).sum(axis=1) / rows
        uncertainty = rate * (1 - rate)
        cells = _between(n, self.cells), _between(d, self.cells), self.x
        return {
            "mean_probability": mean,
            "log_loss": log_loss,
            "brier": brier,
            "brier_reliability": reliability,
            "brier_resolution": reliability + uncertainty - brier,
            "brier_uncertainty": uncertainty,
            "ece": np.abs(error).sum(axis=1) / rows,
            "calibration_slope": slopes(*cells, self.start),
            "calibration_intercept": intercepts(*cells, self.start_in_the_large),
        }

    def _decisions(self, n: Floats, d: Floats) -> dict[str, Floats]:
        threshold, above_lowest, highest = self.others
        predicted, caught = n[:, -1] - n[:, threshold], d[:, -1] - d[:, threshold]
        return {
            "on_limit": (n[:, above_lowest] + n[:, -1] - n[:, highest]) / n[:, -1],
            "precision": np.where(predicted > 0, caught / predicted, 0),
            "recall": caught / d[:, -1],
            "f1": 2 * caught / (predicted + d[:, -1]),
        }


def _starts_of_cells(x: Floats) -> Places:
    """Starts of cells of nearly equal values in ascending log-odds."""
    return np.flatnonzero(np.diff(np.floor(x / STEP), prepend=-np.inf))


def _cumulated(counts: Floats) -> Floats:
    """[R, K] to [R, K + 1]: what is before each, and in all."""
    sums = np.zeros((len(counts), counts.shape[1] + 1))
    np.cumsum(counts, axis=1, out=sums[:, 1:])
    return sums


def _between(before: Floats, starts: Places) -> Floats:
    """Sum of each stretch that begins at `starts` and ends where the next begins."""
    return np.diff(np.column_stack([before[:, starts], before[:, -1]]), axis=1)
