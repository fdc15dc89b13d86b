"""The values of one term, averaged over the reference rows, for every pattern of an applicant's outcomes.

On a path with d players, c_j: the applicant meets the conditions on player j; b_j: a reference row does. Only rows with
no j where both fail count. With A = {j: c_j, not b_j}, B = {j: not c_j, b_j}, a = |A|, e = |B|, each j in A gets
v (a - 1)! e! / (a + e)! and each j in B gets -v a! (e - 1)! / (a + e)!. The mean over rows needs only how often each
of the 2^d patterns b occurs.
"""

from functools import lru_cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

LARGEST_CACHED = 9  # players: 19 MB
AT_ONCE = 2_000_000  # weights that are held at a time, beyond


def values_of(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values [N, 2^d, d] of unit weights for frequencies [N, 2^d] of the patterns among the reference rows."""
    patterns = frequencies.shape[1]
    players = patterns.bit_length() - 1
    if players <= LARGEST_CACHED:
        weights = _all_weights(players)
        return np.asarray((frequencies @ weights).reshape(len(frequencies), patterns, players))
    total = np.zeros((len(frequencies), patterns * players))
    step = max(1, AT_ONCE // (patterns * players))
    for first in range(0, patterns, step):
        some = np.arange(first, min(first + step, patterns))
        if frequencies[:, some].any():
            total += frequencies[:, some] @ _weights(some, players)
    return total.reshape(len(frequencies), patterns, players)


@lru_cache
def _all_weights(players: int) -> NDArray[np.float64]:
    return _weights(np.arange(1 << players), players)


def _weights(references: NDArray[np.int64], players: int) -> NDArray[np.float64]:
    """For some patterns b of reference rows: the values [b, 2^d · d] of every pattern c of an applicant."""
    b, c = references[:, None], np.arange(1 << players)[None, :]
    gain, loss = c & ~b, b & ~c
    counts = (b | c) == (1 << players) - 1
    a, e = np.bitwise_count(gain), np.bitwise_count(loss)
    up, down = _table(players)
    weights = np.zeros((*counts.shape, players))
    for player in range(players):
        weights[:, :, player] = np.where(gain >> player & 1, up[a, e], 0) - np.where(loss >> player & 1, down[a, e], 0)
    weights *= counts[:, :, None]
    return weights.reshape(len(references), -1)


@lru_cache
def _table(players: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(a - 1)! e! / (a + e)! and a! (e - 1)! / (a + e)! by a and e."""
    up, down = np.zeros((players + 1, players + 1)), np.zeros((players + 1, players + 1))
    for a in range(players + 1):
        for e in range(players + 1 - a):
            up[a, e] = factorial(a - 1) * factorial(e) / factorial(a + e) if a else 0
            down[a, e] = factorial(a) * factorial(e - 1) / factorial(a + e) if e else 0
    return up, down
