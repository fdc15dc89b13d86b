"""The log loss of each probability of default."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST_PROBABILITY = np.finfo(np.float64).eps  # as scikit-learn's log_loss


def log_losses(probability: NDArray[np.float64], target: NDArray[Any]) -> NDArray[np.float64]:
    """−ln of the probability [N] that the outcome had; their mean is scikit-learn's `log_loss`, to the bit.

    scikit-learn's takes 84 bytes a row, this 24, which matters for fifty million rows.
    """
    right = np.where(target == 1, probability, 1 - probability)
    np.clip(right, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY, out=right)
    return np.negative(np.log(right, out=right), out=right)
