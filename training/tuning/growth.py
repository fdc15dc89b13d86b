"""Boosters on folds, grown side by side, and their common loss on rows that they have not seen."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xgboost
from joblib import effective_n_jobs
from numpy.typing import NDArray
from scipy.special import expit, logit
from xgboost import XGBClassifier

from training.estimator.folds import folds_of

# Folds of a small table are drawn again until there are about so many out-of-fold rows: chance says less then.
ENOUGH_ROWS = 3_000
MOST_DRAWS = 4
DEFAULT_BINS = 256  # as XGBoost's own
NEWTON_STEPS = 30
NEWTON_END = 1e-7
ROUNDING = 1e-12

Weight = NDArray[np.float64] | None


@dataclass(frozen=True)
class _Fold:
    seen: NDArray[np.intp]  # rows of the table
    unseen: xgboost.DMatrix
    rows: NDArray[np.intp]  # of `unseen`, in the margins of all folds


class Folds:
    """A table in folds, on which boosters of any parameters can be grown. Use as a context: it holds threads.

    Each booster grows on one thread, so that its sums do not depend on the machine's cores; folds grow side by side.
    `X` is float32 [N, m], NaN for missing, `target` [N] is 0 or 1, no group of `groups` [N] is in two folds; `weight`
    [N] weighs the rows in the fit and in the loss.
    """

    def __init__(
        self,
        X: NDArray[np.float32],
        target: NDArray[np.int8],
        groups: NDArray[Any] | None,
        *,
        folds: int,
        seed: int,
        fixed: Mapping[str, Any],
        calibrated: bool,
        weight: NDArray[np.float64] | None = None,
    ) -> None:
        self.draws = min(MOST_DRAWS, max(1, round(ENOUGH_ROWS / len(target))))
        self.target = np.tile(target, self.draws).astype(np.float64)
        self.weight = None if weight is None else np.tile(weight, self.draws)
        self.calibrated = calibrated
        self.log_odds = np.empty(0)
        """Out-of-fold log-odds of all rows, as `losses` gave them last."""
        self._fixed, self._X, self._labels, self._weights = fixed, X, target, weight
        self._folds = []
        self._binned: tuple[object, list[xgboost.DMatrix]] = (None, [])  # the bins, and what each fold has seen
        for draw in range(self.draws):
            for seen, unseen in folds_of(target, groups, folds, (seed + draw) % 2**32):
                its = xgboost.DMatrix(X[unseen], nthread=1)
                self._folds.append(_Fold(seen, its, unseen + draw * len(target)))
        self._threads = ThreadPoolExecutor(min(len(self._folds), effective_n_jobs(-1)))

    def __enter__(self) -> Self:
        """Return the folds."""
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel the fits that have not begun."""
        self._threads.shutdown(cancel_futures=True)

    def losses(self, parameters: Mapping[str, Any], ends: Iterable[int]) -> Iterator[tuple[int, float]]:
        """Grow a booster on each fold to each number of rounds in `ends`, ascending; yield each with its loss.

        The loss is the mean log loss of the out-of-fold margins of all folds, through the line that fits them best
        where the model will be calibrated.
        """
        every = {**self._fixed, **parameters}
        native = XGBClassifier(**every).get_xgb_params()
        # A booster's draws then depend on its round, not on what its thread has grown before.
        native["seed_per_iteration"] = True
        seen = self._seen(every)
        boosters = [xgboost.Booster(native, [its, fold.unseen]) for its, fold in zip(seen, self._folds, strict=True)]
        margins = np.empty(len(self.target))
        line, grown = None, 0
        for end in ends:

            def grow(
                booster: xgboost.Booster, its: xgboost.DMatrix, fold: _Fold, begin: int = grown, end: int = end
            ) -> None:
                for number in range(begin, end):
                    booster.update(its, number)
                margins[fold.rows] = booster.predict(fold.unseen, output_margin=True)

            list(self._threads.map(grow, boosters, seen, self._folds))
            grown = end
            line = best_line(margins, self.target, line, self.weight) if self.calibrated else (1.0, 0.0)
            self.log_odds = line[0] * margins + line[1]
            yield end, log_loss_of(self.log_odds, self.target, self.weight)

    def _seen(self, parameters: Mapping[str, Any]) -> list[xgboost.DMatrix]:
        """The rows outside of each fold, in as many bins as asked for; those of the last trial are kept."""
        bins = parameters.get("max_bin", DEFAULT_BINS)
        if self._binned[0] != bins:
            self._binned = (None, [])  # room for the new ones

            def matrix(fold: _Fold) -> xgboost.DMatrix:
                weight = None if self._weights is None else self._weights[fold.seen]
                return _matrix(self._X[fold.seen], self._labels[fold.seen], weight, parameters, bins)

            self._binned = (bins, list(self._threads.map(matrix, self._folds)))
        return self._binned[1]


def log_loss_of(log_odds: NDArray[np.float64], target: NDArray[np.float64], weight: Weight = None) -> float:
    """The mean log loss of log-odds [N] against 0 or 1 [N], with weights [N]."""
    return float(np.average(np.logaddexp(0, log_odds) - target * log_odds, weights=weight))


def best_line(
    margins: NDArray[np.float64],
    target: NDArray[np.float64],
    near: tuple[float, float] | None = None,
    weight: Weight = None,
) -> tuple[float, float]:
    """The slope and intercept with the least log loss, as a logistic regression on the margin alone finds them.

    By Newton's method, a step halved until it does not raise the loss. A search asks thousands of times, each time
    close to the last answer, `near`, from where two or three steps are enough; scikit-learn would start anew each
    time, and take as long as the trees.
    """
    middle, width = margins.mean(), margins.std() or 1.0
    x = (margins - middle) / width
    slope, intercept = near or (1.0, 0.0)
    line = np.array([slope * width, intercept + slope * middle if near else logit(np.average(target, weights=weight))])
    loss = log_loss_of(line[0] * x + line[1], target, weight)
    mass = 1.0 if weight is None else weight
    for _ in range(NEWTON_STEPS):
        p = expit(line[0] * x + line[1])
        error, curve = mass * (p - target), mass * p * (1 - p)
        weighted = curve * x
        gradient = np.array([error @ x, error.sum()])
        curvature = np.array([[weighted @ x, weighted.sum()], [weighted.sum(), curve.sum()]])
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]  # margins may all be equal
        while (reached := log_loss_of((line[0] - step[0]) * x + line[1] - step[1], target, weight)) > loss + ROUNDING:
            step /= 2
        line, loss = line - step, reached
        if np.abs(step).max() < NEWTON_END:
            break
    return float(line[0] / width), float(line[1] - line[0] / width * middle)


def _matrix(
    X: NDArray[np.float32], target: NDArray[np.int8], weight: Weight, parameters: Mapping[str, Any], bins: int
) -> xgboost.DMatrix:
    """Data matrix as XGBClassifier makes it: with histograms unless another tree method is set."""
    if parameters.get("tree_method", "hist") in ("auto", "hist"):
        return xgboost.QuantileDMatrix(X, target, weight=weight, max_bin=bins, nthread=1)
    return xgboost.DMatrix(X, target, weight=weight, nthread=1)
