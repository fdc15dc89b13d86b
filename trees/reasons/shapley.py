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
from scipy.sparse import csr_array, vstack

LARGEST_DENSE = 6  # players: few enough that most weights are not zero
LARGEST_CACHED = 10  # players: 6 MB


def values_of(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values [N, 2^d, d] of unit weights for frequencies [N, 2^d] of the patterns among the reference rows."""
    patterns = frequencies.shape[1]
    players = patterns.bit_length() - 1
    if players <= LARGEST_DENSE:
        return np.asarray((frequencies @ _dense(players)).reshape(len(frequencies), patterns, players))
    if players <= LARGEST_CACHED:
        flat = _all_players(players) @ frequencies.T
    else:
        flat = np.concatenate([_of_player(players, player) @ frequencies.T for player in range(players)])
    return np.asarray(flat.reshape(players, patterns, -1).transpose(2, 1, 0))


@lru_cache
def _dense(players: int) -> NDArray[np.float64]:
    """The weights of `_all_players` as a matrix [2^d, 2^d · d]."""
    patterns = 1 << players
    weights = _all_players(players).toarray().reshape(players, patterns, patterns)
    return np.ascontiguousarray(weights.transpose(2, 1, 0).reshape(patterns, -1))


@lru_cache
def _all_players(players: int) -> csr_array:
    """[d · 2^d, 2^d], one player's rows after the other's."""
    if not players:
        return csr_array((0, 1))
    return csr_array(vstack([_of_player(players, player) for player in range(players)]))


def _of_player(players: int, player: int) -> csr_array:
    """For one player the weights [2^d, 2^d] of patterns c of an applicant by b of reference rows.

    Only the 3^d pairs count in which no player fails both, of which a third gain and a third lose.
    """
    place = np.arange(3**players)
    c, b, a, e = (np.zeros(len(place), dtype=np.int64) for _ in range(4))
    of_player = np.zeros(len(place), dtype=np.int64)
    for other in range(players):
        place, kind = np.divmod(place, 3)  # 0: the applicant fails, 1: the reference row fails, 2: neither
        c |= (kind != 0).astype(np.int64) << other
        b |= (kind != 1).astype(np.int64) << other
        a += kind == 1
        e += kind == 0
        if other == player:
            of_player = kind
    up, down = _table(players)
    weights = np.where(of_player == 1, up[a, e], -down[a, e])
    counts = of_player != 2
    return csr_array((weights[counts], (c[counts], b[counts])), shape=(1 << players, 1 << players))


@lru_cache
def _table(players: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(a - 1)! e! / (a + e)! and a! (e - 1)! / (a + e)! by a and e."""
    up, down = np.zeros((players + 1, players + 1)), np.zeros((players + 1, players + 1))
    for a in range(players + 1):
        for e in range(players + 1 - a):
            up[a, e] = factorial(a - 1) * factorial(e) / factorial(a + e) if a else 0
            down[a, e] = factorial(a) * factorial(e - 1) / factorial(a + e) if e else 0
    return up, down
