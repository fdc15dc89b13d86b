"""Thresholds on raw numbers: log1p, which the preparation computes, is moved into them."""

import numpy as np

from training.estimator.preparation import Preparation, log1p
from trees.ensemble import Ensemble
from trees.refusal import BoosterRefused


def fold_log1p(ensemble: Ensemble, preparation: Preparation) -> Ensemble:
    """Move log1p into the thresholds, so that the trees compare the number itself.

    log1p(x) < t holds for just those float32 x that are below some float32 r, because log1p rounded to float32 is
    monotone; r is found by bisection with the very function that the pipeline calls.
    """
    for name in preparation.log1p:
        column = preparation.single_.index(name)
        ensemble = ensemble.move_thresholds(column, raw_threshold)
    return ensemble


def raw_threshold(threshold: np.float32) -> np.float32:
    """The smallest float32 x whose log1p is not below `threshold`; infinite ones stay what they are."""
    if np.isinf(threshold):
        return threshold
    low, high = _ordered(np.float32(-1)), _ordered(np.finfo(np.float32).max)
    if not (log1p(_float(low)) < threshold <= log1p(_float(high))):
        raise BoosterRefused(f"a split on log1p at {threshold} is outside of what a finite number can reach")
    while high - low > 1:
        middle = (low + high) // 2
        if log1p(_float(middle)) < threshold:
            low = middle
        else:
            high = middle
    return np.float32(_float(high)[()])


def _ordered(x: np.float32) -> int:
    """The position of a float32 in ascending order: neighbours differ by 1."""
    bits = int(np.float32(x).view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def _float(position: int) -> np.ndarray[tuple[()], np.dtype[np.float32]]:
    bits = position if position >= 0 else (-position) | -0x80000000
    return np.array(bits, dtype=np.int32).view(np.float32)
