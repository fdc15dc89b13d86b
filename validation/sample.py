"""Rows that stand for all where a figure costs too much for each."""

import numpy as np
from numpy.typing import NDArray


def sampled_rows(rows: int, most: int, seed: int, weight: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """Ascending positions of up to `most` of so many rows, drawn without replacement.

    Rows with weights [N] are drawn with replacement, each as likely as its weight: a mean over the sample is weighted.
    """
    if weight is not None:
        return np.sort(np.random.default_rng(seed).choice(rows, min(rows, most), p=weight / weight.sum()))
    return np.sort(np.random.default_rng(seed).permutation(rows)[:most])
