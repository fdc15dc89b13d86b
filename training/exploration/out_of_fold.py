"""The value of a category on rows that its level rates have not seen.

Rates of many levels, learnt and judged on the same rows, rank chance: 2,000 rows with 500 random levels reach a ROC-AUC
of 0.8. Here each row is ranked, within its fold, by the default rate that the other folds have for its level, shrunk
towards the overall rate; the separation by such ranks is what to expect on new rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from validation.weights import effective_size, masses

FOLDS = 5
PRIOR_ROWS = 20  # a level's rate is drawn towards the rate of all as if so many more rows had that
MOST_GROUPS = 10


@dataclass(frozen=True)
class Worth:
    """`iv` is the information value, 0 or more; `auc` the ROC-AUC, 0.5 to 1."""

    iv: float
    auc: float


def worth_of(
    codes: NDArray[np.intp], target: NDArray[np.int8], weight: NDArray[np.float64] | None = None
) -> Worth | None:
    """The worth of levels, given as codes [N] from 0 (missing is a level too), for a 0/1 target [N] with weights [N].

    The information value is that of up to ten groups of the unseen rates, less what groups of no worth have on
    average, (groups − 1)(1 / good + 1 / bad) in effective sample sizes: of random levels about 0. None where a class
    has fewer rows than folds.
    """
    weight = masses(weight, len(target))
    weight = weight / weight.mean()
    if np.bincount(target, minlength=2).min() < FOLDS:
        return None
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(codes, target))
    ranks, aucs = np.empty(len(codes)), []
    for seen, unseen in folds:
        rates = _rates(codes[seen], target[seen], weight[seen], int(codes.max()) + 1)[codes[unseen]]
        ranks[unseen] = _ranks(rates, weight[unseen])
        aucs.append(roc_auc_score(target[unseen], rates, sample_weight=weight[unseen]))
    group = np.ceil(ranks * MOST_GROUPS).astype(int)
    there = np.bincount(group) > 0
    good, bad = (np.bincount(group, weight * (target == outcome))[there] for outcome in (0, 1))
    share_of_good, share_of_bad = np.maximum(good, 0.5) / good.sum(), np.maximum(bad, 0.5) / bad.sum()
    iv = float(((share_of_good - share_of_bad) * np.log(share_of_good / share_of_bad)).sum())
    by_chance = (len(good) - 1) * sum(1 / effective_size(weight[target == outcome]) for outcome in (0, 1))
    return Worth(max(0.0, iv - by_chance), max(0.5, float(np.mean(aucs))))


def _ranks(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean rank of each value [N] among all, above 0 and at most 1, a row standing for as many as it weighs.

    With weights of 1 it is that of scipy.stats.rankdata, divided by N.
    """
    distinct, place = np.unique(values, return_inverse=True)
    size = np.bincount(place, weight, len(distinct))
    middle = size.cumsum() - size / 2 + 0.5
    return np.asarray(np.minimum(middle[place] / size.sum(), 1))


def _rates(
    codes: NDArray[np.intp], target: NDArray[np.int8], weight: NDArray[np.float64], levels: int
) -> NDArray[np.float64]:
    """The default rate of each level, drawn towards that of all rows."""
    rows = np.bincount(codes, weight, levels)
    defaults = np.bincount(codes, weight * target, levels)
    rate = np.average(target, weights=weight)
    return np.asarray((defaults + PRIOR_ROWS * rate) / (rows + PRIOR_ROWS))
