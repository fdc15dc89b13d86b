"""Rows that stand for all where a figure costs too much for each."""

import numpy as np
from numpy.typing import NDArray


def sampled_rows(rows: int, most: int, seed: int) -> NDArray[np.int64]:
    """Ascending positions of up to `most` of so many rows, drawn without replacement."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:most])
