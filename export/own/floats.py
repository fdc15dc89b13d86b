"""The float64 numbers in ascending order, by position: neighbours differ by 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def positions(x: NDArray[np.float64]) -> NDArray[np.int64]:
    """The position of each number; both zeros have the position 0."""
    bits = np.ascontiguousarray(x, dtype=np.float64).view(np.int64)
    return np.where(bits >= 0, bits, -(bits & np.int64(0x7FFFFFFFFFFFFFFF)))


def numbers(position: NDArray[np.int64]) -> NDArray[np.float64]:
    """The numbers at these positions."""
    bits = np.where(position >= 0, position, (-position) | np.int64(-0x8000000000000000))
    return np.asarray(bits, dtype=np.int64).view(np.float64)


def middle(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
    """Half-way between positions, rounded down, without overflow."""
    return np.asarray((low >> 1) + (high >> 1) + (low & high & 1), dtype=np.int64)


def neighbours(x: NDArray[np.float64], reach: int = 64) -> NDArray[Any]:
    """Each number with the one below and the one above it, and one within `reach` on each side, [5, N]."""
    place = positions(x)
    drawn = np.random.default_rng(0).integers(2, reach, size=(2, len(place)))
    return numbers(np.stack([place - drawn[0], place - 1, place, place + 1, place + drawn[1]]))
